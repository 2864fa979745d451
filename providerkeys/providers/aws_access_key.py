"""An access key of an IAM user: its two halves, how it is stored, and what is known of a paste before any call."""

import json
import re
from dataclasses import dataclass, field
from typing import Final, Self

from providerkeys.providers.lint import clean
from providerkeys.providers.refusals import Refused

_ID_LENGTH: Final = 20
_SECRET_LENGTH: Final = 40
_ID: Final = re.compile(r"(?:AKIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z2-7]{16}")
_SECRET: Final = re.compile(r"[A-Za-z0-9+/]{40}")
_BLANK: Final = re.compile(r"\s")
_MASKED: Final = re.compile(r"…|\*{3,}|•|\.\.\.")
_URL_ENCODED: Final = re.compile(r"%2[BF]|%3D", re.IGNORECASE)
_INSTEAD: Final = "Create an access key of an IAM user instead."
_NO_ACCESS_KEY: Final = {
    "ASIA": "a temporary access key ID, which needs a session token",
    "ABSK": "an Amazon Bedrock API key, not an IAM access key",
    "bedrock-api-key-": "an Amazon Bedrock API key, not an IAM access key",
    "AIDA": "the id of an IAM user, not of an access key",
    "AROA": "the id of an IAM role, not of an access key",
}


@dataclass(frozen=True, slots=True)
class AccessKey:
    """``id`` is no secret by itself, yet is treated as one: people see its hint alone."""

    id: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def read(cls, stored: str) -> Self | None:
        """What ``stored`` has written; ``None`` for anything else."""
        try:
            document = json.loads(stored)
        except (ValueError, RecursionError):
            return None
        halves = document if isinstance(document, dict) else {}
        key_id, secret = (str(halves.get(name) or "").strip() for name in ("access_key_id", "secret_access_key"))
        # A blank half must never get as far as a library that would put the host's own identity in its place.
        return cls(key_id, secret) if key_id and secret else None

    @property
    def stored(self) -> str:
        """The text that the vault keeps."""
        return json.dumps({"access_key_id": self.id, "secret_access_key": self.secret}, separators=(",", ":"))

    @property
    def hint(self) -> str:
        """The kind and the last four of the id; of the secret nothing, ever."""
        return f"{self.id[:4]}…{self.id[-4:]}" if len(self.id) >= _ID_LENGTH else "••••"

    @property
    def shape_hint(self) -> str:
        """What is unusual about it, or nothing."""
        if _ID.fullmatch(self.id) and _SECRET.fullmatch(self.secret):
            return ""
        return "This doesn’t look like a usual AWS access key. Testing it will tell."


def clean_id(pasted: str) -> str:
    """The access key id in ``pasted``. Raises ``Refused``, never quoting it."""
    key_id = clean(pasted)
    _refuse_what_is_no_text(key_id, "access key ID")
    for prefix, what in _NO_ACCESS_KEY.items():
        if key_id.startswith(prefix):
            raise Refused(f"This is {what}. It can never be used here. {_INSTEAD}")
    if _SECRET.fullmatch(key_id):
        raise Refused("This is a secret access key: the two fields are swapped. Paste the access key ID here.")
    if len(key_id) != _ID_LENGTH or not key_id.isalnum():
        raise Refused(
            f"An access key ID has {_ID_LENGTH} letters and digits, mostly after AKIA. Copy it again from AWS."
        )
    return key_id


def clean_secret(pasted: str) -> str:
    """The secret access key in ``pasted``. Raises ``Refused``, never quoting it."""
    secret = clean(pasted)
    _refuse_what_is_no_text(secret, "secret access key")
    if secret.startswith(("ABSK", "bedrock-api-key-")) and len(secret) != _SECRET_LENGTH:
        raise Refused(f"This is {_NO_ACCESS_KEY['ABSK']}. It can never be used here. {_INSTEAD}")
    if len(secret) == _ID_LENGTH and secret.startswith(("AKIA", "ASIA")):
        raise Refused("This is an access key ID: the two fields are swapped. Paste the secret access key here.")
    if _URL_ENCODED.search(secret):
        raise Refused("This secret is URL-encoded and can never be used like that. Paste it as AWS has shown it.")
    if len(secret) != _SECRET_LENGTH:
        raise Refused(f"A secret access key has {_SECRET_LENGTH} characters. Copy it again from AWS.")
    return secret


def missing(what: str) -> str:
    """What is said where nothing was entered; ``what`` is the half of an access key, in words."""
    return f"Enter the {what}."


def _refuse_what_is_no_text(text: str, what: str) -> None:
    if not text:
        raise Refused(missing(what))
    if _MASKED.search(text):
        raise Refused(f"This is a masked form, which can never be used. Paste the whole {what}.")
    if _BLANK.search(text):
        raise Refused(f"The {what} has no blanks or line breaks inside. Paste it alone.")
    if not (text.isascii() and text.isprintable()):
        raise Refused(f"This holds invisible or non-ASCII characters. Copy the {what} again from AWS.")
