"""A pasted Google service account key, taken apart strictly and put together anew.

Everything in such a file is the word of whoever sent it, and google-auth believes it: it posts to whatever
``token_uri`` says, makes a token of its own for another ``universe_domain``, and never looks at ``type`` (measured on
2.62.2). So nothing of a paste is kept but seven fields, all checked, two of them pinned.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

from providerkeys.providers import rsa_pem
from providerkeys.providers.refusals import Refused

MAX_BYTES: Final = 16 * 1024
TOKEN_URI: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 -- an address, not a password
UNIVERSE_DOMAIN: Final = "googleapis.com"

_LEGACY_TOKEN_URI: Final = "https://accounts.google.com/o/oauth2/token"  # noqa: S105 -- Google's former address
_HOME: Final = ".iam.gserviceaccount.com"
_PATTERNS: Final = {
    "project_id": r"(?:[a-z0-9][a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]",
    "client_email": r"(?=.{1,180}\Z)[A-Za-z0-9._-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,5}gserviceaccount\.com",
    "private_key_id": r"[A-Za-z0-9_-]{1,100}",
}
_OTHER_TYPES: Final = {
    "authorized_user": "a person’s own sign-in",
    "external_account": "a workload identity federation file",
    "external_account_authorized_user": "a workforce identity federation file",
    "impersonated_service_account": "a file for acting as another service account",
    "gdch_service_account": "a Google Distributed Cloud account",
}
_PASTE: Final = "Paste the whole JSON file of a service account key, as Google made it."
_ONLY_KEYS: Final = f"It can never be used: only Google service account keys are accepted. {_PASTE}"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A checked key of a service account. ``private_key`` is unencrypted PKCS #8 in PEM."""

    project_id: str
    client_email: str
    private_key_id: str = field(repr=False)
    private_key: str = field(repr=False)

    @property
    def info(self) -> dict[str, str]:
        """The allow-listed document, with Google's own addresses whatever the paste said."""
        return {
            "type": "service_account",
            "project_id": self.project_id,
            "private_key_id": self.private_key_id,
            "private_key": self.private_key,
            "client_email": self.client_email,
            "token_uri": TOKEN_URI,
            "universe_domain": UNIVERSE_DOMAIN,
        }

    @property
    def document(self) -> str:
        """What is stored: equal for equal keys, however they were written down."""
        return json.dumps(self.info, separators=(",", ":"))

    @property
    def shape_hint(self) -> str:
        """What is unusual about it, in a sentence; empty when nothing is."""
        if not re.fullmatch(r"[0-9a-f]{40}", self.private_key_id):
            return "The private_key_id is not of the usual shape. Testing it will tell."
        domain, _, name = self.project_id.rpartition(":")
        home = f"{name}.{domain}" if domain else name
        if self.client_email.endswith(_HOME) and not self.client_email.endswith(f"@{home}{_HOME}"):
            return "The service account is of another project than project_id. Testing it will tell if it may be used."
        return ""


def parse(pasted: str) -> ServiceAccount:
    """The service account key in ``pasted``. Raises ``Refused``, which names the field and quotes nothing."""
    fields = _fields(pasted.strip().strip("\ufeff").strip())
    _refuse_other_types(fields)
    _refuse_other_addresses(fields)
    known = {name: _text(fields, name, pattern) for name, pattern in _PATTERNS.items()}
    return ServiceAccount(**known, private_key=rsa_pem.normalized("private_key", _text(fields, "private_key")))


def _fields(text: str) -> dict[str, Any]:
    if not text:
        raise Refused(f"Enter the service account JSON. {_PASTE}")
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise Refused(f"This is longer than any service account JSON (16 KiB at most). {_PASTE}")
    if text.startswith("AIza"):
        raise Refused(f"This is a Google API key. {_ONLY_KEYS}")
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except Refused as refused:
        sentence = str(refused)
    except (ValueError, RecursionError):
        sentence = f"This is not JSON. {_PASTE}"
    else:
        if isinstance(document, dict):
            return document
        sentence = f"This JSON is not an object. {_PASTE}"
    # Raised outside the handler: the parser's exception holds the whole text.
    raise Refused(sentence)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Which of two values counts differs from parser to parser: what was checked must be what is used.
    if len({name for name, _ in pairs}) != len(pairs):
        raise Refused(f"This JSON names a field twice. {_PASTE}")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise Refused(f"This JSON holds a number that is none. {_PASTE}")


def _refuse_other_types(fields: dict[str, Any]) -> None:
    kind = _text(fields, "type")
    if kind != "service_account":
        what = _OTHER_TYPES.get(kind, "something else than a service account key")
        raise Refused(f"`type` says that this is {what}. {_ONLY_KEYS}")


def _refuse_other_addresses(fields: dict[str, Any]) -> None:
    if _text(fields, "token_uri") not in {TOKEN_URI, _LEGACY_TOKEN_URI}:
        raise Refused(
            f"`token_uri` isn’t Google’s token address. A file that names another one can never be used. {_PASTE}"
        )
    if fields.get("universe_domain", UNIVERSE_DOMAIN) != UNIVERSE_DOMAIN:
        raise Refused(
            f"`universe_domain` isn’t Google’s public cloud. A key of another one can never be used. {_PASTE}"
        )


def _text(fields: dict[str, Any], name: str, pattern: str = r".+") -> str:
    """The field ``name``, which must be text of the form ``pattern``."""
    value = fields.get(name)
    if value is None:
        raise Refused(f"`{name}` is missing. {_PASTE}")
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.DOTALL):
        raise Refused(f"`{name}` is not what Google writes there. {_PASTE}")
    return value
