"""Typed reading of the environment: a bad value refuses to start in one sentence that names the variable, never a secret."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping


class Refused(ImproperlyConfigured):
    """A variable cannot be used as it is. The message is one sentence and holds no value of a secret."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} {why}.")


class Environment:
    """The variables of one process, each also readable from the file that `<NAME>_FILE` names.

    An empty variable counts as unset: compose files and unit files produce those by accident.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._given = dict(variables)
        self._values = FileAwareMapping(env=self._given)

    def text(self, name: str, default: str = "") -> str:
        """The value without outer blanks. Raises Refused for an unreadable file, or a value given in both ways."""
        if self._given.get(name) and self._given.get(f"{name}_FILE"):
            raise Refused(name, f"and {name}_FILE are both set; keep one")
        try:
            return str(self._values.get(name, "")).strip() or default
        except OSError as error:
            raise Refused(f"{name}_FILE", f"names a file that cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise Refused(f"{name}_FILE", "names a file that is not UTF-8 text") from None

    def integer(self, name: str, default: int, *, low: int = 1, high: int = 1_000_000) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and len(value) <= len(str(high)) and low <= int(value) <= high):
            raise Refused(name, f"must be a whole number from {low} to {high}, not {value!r}")
        return int(value)

    def boolean(self, name: str, default: bool) -> bool:
        value = self.text(name, str(default)).lower()
        if value in {"true", "1", "yes", "on"}:
            return True
        if value in {"false", "0", "no", "off"}:
            return False
        raise Refused(name, f"must be true or false, not {value!r}")

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default)
        for one in allowed:
            if value.lower() == one.lower():
                return one
        raise Refused(name, f"must be one of {', '.join(allowed)}, not {value!r}")

    def items(self, name: str) -> list[str]:
        return [item.strip() for item in self.text(name).split(",") if item.strip()]

    def origin(self, name: str, default: str) -> str:
        return origin_of(name, self.text(name, default))


def origin_of(name: str, url: str) -> str:
    """`url` as scheme://host[:port]. Raises Refused, naming `name` and never the URL, for anything beside those."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused(name, "is not a URL") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Refused(name, "must be an http or https URL with a host")
    if parts.username is not None or parts.path not in {"", "/"} or "?" in url or "#" in url:
        raise Refused(name, "must hold only scheme, host and port: no user, path, query or fragment")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")
