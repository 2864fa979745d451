"""Somebody at the console without a browser: forms and links alone, and a clock on every answer."""

import html
import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Self

import requests

from tests.e2e.homes import SESSION, Home, Person
from tests.processes import eventually
from tests.product import Product

_PATIENCE_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.2
_TOKEN: Final = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_CHECK: Final = re.compile(r'id="check-(chk_\w+)"')
_ATTRIBUTE: Final = re.compile(r'data-(state|verdict)="([^"]*)"')


@dataclass(frozen=True)
class Answer:
    """An answer of the console and how long it took; status 0: there was none."""

    status: int
    seconds: float
    text: str = ""

    @property
    def words(self) -> str:
        """What a person reads."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", self.text)).split())

    @property
    def check(self) -> str:
        """The id of the check in it; empty when there is none."""
        found = _CHECK.search(self.text)
        return found[1] if found else ""

    @property
    def state(self) -> str:
        return self._attribute("state")

    @property
    def verdict(self) -> str:
        """The verdict in it; empty when it is not done."""
        return self._attribute("verdict")

    def _attribute(self, name: str) -> str:
        found: dict[str, str] = dict(_ATTRIBUTE.findall(self.text))
        return found.get(name, "")


class Visitor:
    """An admin of ``home``, with a session of their own."""

    def __init__(self, product: Product, home: Home, person: Person) -> None:
        self.home = home
        self._base = product.base_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set(SESSION, person.session)
        self._token = ""

    @classmethod
    def alice(cls, product: Product, home: Home) -> Self:
        return cls(product, home, home.alice)

    def get(self, path: str) -> Answer:
        """Open a page."""
        return self._ask("GET", path)

    def poll(self, check: str) -> Answer:
        """Ask for a check's fragment, as the page does every second."""
        return self._ask("GET", f"{self.home.keys}checks/{check}/", htmx=True)

    def press(self, key: str, provider: str = "openai") -> Answer:
        """Press Test credentials for a pasted ``key``."""
        return self._post(f"{self.home.keys}checks/", {"provider": provider, "provider_key": key})

    def press_stored(self, pk: str) -> Answer:
        """Press Test credentials for a stored key."""
        return self._post(f"{self.home.keys}{pk}/checks/", {})

    def save(self, name: str, key: str, provider: str = "openai", **fields: Any) -> Answer:
        """Save a new key for the entire organization, unless ``fields`` say otherwise."""
        data = {"provider": provider, "name": name, "provider_key": key, "assign_to_organization": "on", **fields}
        return self._post(f"{self.home.keys}new/", data)

    def make_api_key(self, name: str) -> Answer:
        return self._post(f"{self.home.api_keys}new/", {"name": name, "expiration": ""})

    def log_out(self) -> None:
        """End the session, at the server."""
        assert self._post("/logout/", {}).status == HTTPStatus.OK

    def await_done(self, check: str, within: float) -> Answer:
        """Poll as the page does, a little faster, until the check is done."""
        deadline = time.monotonic() + within
        while (answer := self.poll(check)).state != "done":
            assert time.monotonic() < deadline, f"{check} is {answer.state or answer.status} after {within} s"
            time.sleep(_POLL_SECONDS)
        return answer

    def await_words(self, check: str, words: str, within: float) -> Answer:
        """Poll until the check's fragment says ``words``."""
        eventually(lambda: words in self.poll(check).words, within)
        return self.poll(check)

    def prepare(self) -> Self:
        """Open the form, so that a press to come is nothing but the press."""
        found = _TOKEN.search(self.get(f"{self.home.keys}new/").text)
        assert found, "the console shows no form"
        self._token = found[1]
        return self

    def _post(self, path: str, fields: dict[str, Any]) -> Answer:
        if not self._token:
            self.prepare()
        return self._ask("POST", path, htmx=True, data={"csrfmiddlewaretoken": self._token, **fields})

    def _ask(self, method: str, path: str, *, htmx: bool = False, data: dict[str, Any] | None = None) -> Answer:
        started = time.monotonic()
        # A connection of its own for each: one that was kept would break with the process that it led to.
        headers = {"Connection": "close", **({"HX-Request": "true"} if htmx else {})}
        try:
            got = self._session.request(
                method, self._base + path, headers=headers, data=data, timeout=_PATIENCE_SECONDS
            )
        except requests.ConnectionError:
            return Answer(0, time.monotonic() - started)
        return Answer(got.status_code, time.monotonic() - started, got.text)
