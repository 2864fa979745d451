"""Fake access keys of AWS: the right shape, obviously fake, each naming its scenario.

An access key id has no room for a scenario's name, so its last four characters are a digest of it; the secret ends in the
name itself, for people. The secret follows from the id, so that a stand-in can verify signatures without being told it.
"""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Final

_HEAD: Final = "AKIAFAKE"
_SECRET_HEAD: Final = "FAKE0SECRET"
_SECRET_LENGTH: Final = 40
_RANDOM_SECRET: Final = 16
_RANDOM_ID: Final = 8
_DIGEST: Final = 4
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class AccessKeyShape:
    """Makes keys for the scenarios called ``names``; in ``mistyped`` ones the secret is not that of the id."""

    def __init__(self, names: Iterable[str], mistyped: Iterable[str] = ()) -> None:
        names = tuple(names)
        self._names = {_digest(name): name for name in names}
        if len(self._names) < len(set(names)):
            raise ValueError("two scenarios have one digest: give one of them another name")
        self._mistyped = frozenset(mistyped)

    @property
    def secret_prefixes(self) -> tuple[str, ...]:
        return (_HEAD, _SECRET_HEAD)

    def sample(self, scenario: str) -> str:
        return self._make(scenario, "EXAMPLES")

    def fresh(self, scenario: str) -> str:
        return self._make(scenario, "".join(secrets.choice(_BASE32) for _ in range(_RANDOM_ID)))

    def scenario(self, key: str) -> str:
        """The scenario of an access key id; that of no known one is empty."""
        return self._names.get(key[-_DIGEST:], "") if key.startswith(_HEAD) else ""

    def arrives(self, key: str) -> str:
        """A request shows the id alone."""
        return halves(key)[0]

    def secret_parts(self, key: str) -> Mapping[str, tuple[str, ...]]:
        key_id, secret = halves(key)
        return {
            "access_key_id": (key_id.removeprefix(_HEAD)[:_RANDOM_ID],),
            "secret_access_key": (secret.removeprefix(_SECRET_HEAD)[:_RANDOM_SECRET],),
        }

    def secret_of(self, key_id: str) -> str:
        """The secret that AWS has for ``key_id``."""
        name = re.sub(r"[^A-Za-z0-9]", "", self.scenario(key_id))
        seed = _in_base32(key_id)[:_RANDOM_SECRET].lower()
        return f"{_SECRET_HEAD}{seed}/{name}".ljust(_SECRET_LENGTH, "0")[:_SECRET_LENGTH]

    def _make(self, scenario: str, filler: str) -> str:
        if _digest(scenario) not in self._names:
            raise ValueError(f"no scenario of this name is known: {scenario}")
        key_id = f"{_HEAD}{filler}{_digest(scenario)}"
        secret = self.secret_of(key_id)
        if scenario in self._mistyped:
            secret = secret[:-1] + "9"
        return json.dumps({"access_key_id": key_id, "secret_access_key": secret}, separators=(",", ":"))


def halves(key: str) -> tuple[str, str]:
    """Access key id and secret access key of a sample."""
    document = json.loads(key)
    return document["access_key_id"], document["secret_access_key"]


def _digest(name: str) -> str:
    return _in_base32(name)[:_DIGEST]


def _in_base32(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()
