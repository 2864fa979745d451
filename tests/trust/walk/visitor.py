"""Somebody's HTTP client: cookies, forms with their CSRF token, htmx's headers; every answer is kept as it came."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from itertools import count
from typing import Final
from urllib.parse import urlencode, urlsplit

type Fields = Mapping[str, str | Sequence[str]]

_FORM: Final = "application/x-www-form-urlencoded"
_PATIENCE: Final = 30.0


@dataclass(frozen=True)
class Answer:
    """One answer, whole. ``place`` names it in reports."""

    place: str
    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def head(self) -> bytes:
        """The status and the headers, as lines."""
        lines = [str(self.status), *(f"{name}: {value}" for name, value in self.headers)]
        return "\n".join(lines).encode("latin-1", "replace")

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


class Record:
    """Every answer that anybody got, in whatever thread."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self._numbers = count(1)

    def keep(self, request: str, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
        """``request`` says who asked what: in reports, so without its query."""
        answer = Answer(f"answer {next(self._numbers)}: {request.partition('?')[0]}, {status}", status, headers, body)
        self.answers.append(answer)
        return answer


class Visitor:
    """A browser without a screen."""

    def __init__(self, base_url: str, record: Record, name: str) -> None:
        self.name, self._record = name, record
        self._address = urlsplit(base_url).netloc
        self.cookies: dict[str, str] = {}

    def get(self, path: str, *, into: str | None = None) -> Answer:
        """Open a page; or, as htmx does, ask for what goes into the element with the id ``into``."""
        return self.send("GET", path, headers=_htmx(into))

    def post(self, path: str, fields: Fields | None = None, *, into: str | None = None) -> Answer:
        """Send a form, with its token."""
        body = urlencode({"csrfmiddlewaretoken": self._token(), **(fields or {})}, doseq=True).encode()
        return self.send("POST", path, body, {"Content-Type": _FORM, **_htmx(into)})

    def upload(self, path: str, fields: Mapping[str, str], file: str, content: str) -> Answer:
        """Send a form whose field ``file`` is a file."""
        boundary = secrets.token_hex(8)
        parts = {"csrfmiddlewaretoken": self._token(), **fields}
        lines = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in parts.items()
        ]
        disposition = f'form-data; name="{file}"; filename="key.txt"'
        lines.append(f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n{content}\r\n--{boundary}--\r\n")
        return self.send(
            "POST", path, "".join(lines).encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        )

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        connection = HTTPConnection(self._address, timeout=_PATIENCE)
        connection.request(method, path, body or None, {"Cookie": self._cookie, **(headers or {})})
        return self._take(connection, method, path)

    @contextmanager
    def half_a_form(self, path: str, fields: Fields) -> Iterator[None]:
        """Send a form of almost the largest size, and the second half of it only at the end."""
        body = urlencode(
            {"csrfmiddlewaretoken": self._token(), **fields, "padding": "x" * 900_000}, doseq=True
        ).encode()
        connection = HTTPConnection(self._address, timeout=_PATIENCE)
        connection.putrequest("POST", path)
        for name, value in {"Cookie": self._cookie, "Content-Type": _FORM, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders(body[: len(body) // 2])
        yield
        connection.send(body[len(body) // 2 :])
        self._take(connection, "POST", path)

    def log_in(self, email: str, password: str, path: str = "/login/") -> Answer:
        return self.post(path, {"username": email, "password": password})

    @property
    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _take(self, connection: HTTPConnection, method: str, path: str) -> Answer:
        try:
            response = connection.getresponse()
            received = response.getheaders()
            self._take_cookies(received)
            return self._record.keep(f"{self.name}, {method} {path}", response.status, received, response.read())
        finally:
            connection.close()

    def _take_cookies(self, headers: Sequence[tuple[str, str]]) -> None:
        for name, value in headers:
            if name.lower() == "set-cookie":
                self.cookies |= {key: morsel.value for key, morsel in SimpleCookie(value).items()}

    def _token(self) -> str:
        """Any page with a form gives the cookie, and the cookie's own value is a token."""
        if "csrf" not in self.cookies:
            self.get("/login/")
        return self.cookies.get("csrf", "")


def _htmx(into: str | None) -> dict[str, str]:
    return {} if into is None else {"HX-Request": "true", **({"HX-Target": into} if into else {})}
