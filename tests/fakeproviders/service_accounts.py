"""Google service accounts that don't exist: their JSON, their keys, and what they sign.

An address is ``fake-<word>-<scenario>@…``. The word is what its RSA key grows out of, so the stand-in knows each account's
public half without being told.
"""

import base64
import binascii
import hashlib
import json
import secrets
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from tests.fakeproviders.rsa_keys import numbers_in, pem, private_key

PROJECT: Final = "fake-example-project"
TOKEN_URI: Final = "https://oauth2.googleapis.com/token"
_HOME: Final = f"@{PROJECT}.iam.gserviceaccount.com"
# A word whose primes are found at once.
_SAMPLE: Final = "sample7"
_PEM_LINE: Final = 64
# Less would be found anywhere.
_LEAST_PART: Final = 8
_ALPHABET: Final = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class ServiceAccountShape:
    """The key file of a service account, in the place of an API key: what people paste."""

    secret_prefixes: tuple[str, ...] = ("ya29.", "MIIE", "MIIJ")

    def sample(self, scenario: str) -> str:
        """The one file that stands for ``scenario``."""
        return key_file(address(_SAMPLE, scenario))

    def fresh(self, scenario: str) -> str:
        """A new one, with a key of its own: slow by a tenth of a second."""
        return key_file(address("".join(secrets.choice(_ALPHABET) for _ in range(12)), scenario))

    def renamed(self, key: str, scenario: str) -> str:
        """Another account's file with the very key of this one: a key of its own would take its time."""
        return key_file(address(self.arrives(key).removeprefix("fake-").partition("-")[0], scenario))

    def scenario(self, credential: str) -> str:
        """The scenario that an address or an access token names: its last word."""
        return credential.removesuffix(_HOME).rpartition("-")[2]

    def arrives(self, key: str) -> str:
        """What a stand-in knows the file by: its address."""
        email: str = json.loads(key)["client_email"]
        return email

    def secret_parts(self, key: str) -> Mapping[str, tuple[str, ...]]:
        fields = json.loads(key)
        return {"private_key_id": (fields["private_key_id"],), "private_key": tuple(_random_in(fields["private_key"]))}


def address(word: str, scenario: str) -> str:
    return f"fake-{word}-{scenario}{_HOME}"


def token_seed(email: str) -> str:
    """What all access tokens of the account ``email`` have in common."""
    return hashlib.sha256(email.encode()).hexdigest()


def key_file(email: str) -> str:
    """The JSON that Google gives out for the account ``email``, all eleven fields."""
    key = _key(email, before=email.startswith("fake-") and "-rotated@" in email)
    return json.dumps(
        {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": key_id(key),
            "private_key": pem(key),
            "client_email": email,
            "client_id": "100000000000000000000",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": TOKEN_URI,
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": f"https://www.googleapis.com/robot/v1/metadata/x509/{email.replace('@', '%40')}",
            "universe_domain": "googleapis.com",
        },
        indent=2,
    )


def _random_in(text: str) -> Iterator[str]:
    """What no other key has, line by line. Two keys of one size share what stands between their numbers, and the first line
    but for its end.
    """
    lines = text.splitlines()[1:-1]
    for start, end in numbers_in(base64.b64decode("".join(lines))):
        first, last = -(-start * 8 // 6), end * 8 // 6
        for number, line in enumerate(lines):
            offset = number * _PEM_LINE
            part = line[max(first - offset, 0) : max(last - offset, 0)].rstrip("=")
            if number and len(part) >= _LEAST_PART:
                yield part


def _key(email: str, *, before: bool = False) -> RSAPrivateKey:
    """The key of an account, or the one that it had ``before``."""
    word = email.removeprefix("fake-").partition("-")[0]
    return private_key(f"{word} before" if before else word)


def key_id(key: RSAPrivateKey) -> str:
    return hashlib.sha1(f"{key.private_numbers().public_numbers.n:x}".encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Assertion:
    """A JSON Web Token as it arrived; empty parts where it is none."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]

    @classmethod
    def read(cls, text: str) -> "Assertion":
        parts = [_decoded(part) for part in text.split(".")[:2]]
        header, claims = parts if len(parts) == 2 else ({}, {})
        return cls(text, header, claims)

    @property
    def email(self) -> str:
        issuer = self.claims.get("iss")
        return issuer if isinstance(issuer, str) else ""

    @property
    def is_of_a_known_account(self) -> bool:
        return self.email.startswith("fake-") and self.email.endswith(_HOME)

    @property
    def is_signed(self) -> bool:
        """Whether it is RS256, by the key that its account has now and names."""
        key = _key(self.email)
        signed, _, signature = self.text.rpartition(".")
        try:
            key.public_key().verify(_bytes(signature), signed.encode(), PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            return False
        return self.header == {"typ": "JWT", "alg": "RS256", "kid": key_id(key)}

    def is_timely(self, now: float) -> bool:
        """Whether it was signed about ``now`` (seconds since the epoch), for an hour at most."""
        issued, expires = self.claims.get("iat"), self.claims.get("exp")
        if not isinstance(issued, int) or not isinstance(expires, int):
            return False
        return abs(now - issued) < 300 and 0 < expires - issued <= 3600


def _decoded(part: str) -> dict[str, Any]:
    try:
        document = json.loads(_bytes(part))
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _bytes(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        return b""
