"""SECRET_KEY and CREDENTIAL_KEYS: judged before anything runs. `python -m byok_site.secret_keys` prints a new one."""

import binascii
import secrets
from base64 import urlsafe_b64decode

from cryptography.fernet import Fernet

from byok_site.environment import Environment, Refused

_KEY_BYTES = 32
# 32 random bytes hold about 30 different values; below half of that somebody typed the key.
_DISTINCT_BYTES = 16
_SECRET_KEY_LENGTH = 32
_SECRET_KEY_DISTINCT = 8
_HOW = "`python -m byok_site.secret_keys` prints one"


def secret_key(env: Environment) -> str:
    """Django's signing key. Raises Refused when it is missing or could be guessed."""
    key = env.text("SECRET_KEY")
    if not key:
        raise Refused("SECRET_KEY", f"is missing or empty: set it, or SECRET_KEY_FILE ({_HOW})")
    if len(key) < _SECRET_KEY_LENGTH:
        raise Refused("SECRET_KEY", f"is too short: at least {_SECRET_KEY_LENGTH} characters")
    if len(set(key)) < _SECRET_KEY_DISTINCT or key.startswith("django-insecure-"):
        raise Refused("SECRET_KEY", f"is a placeholder, not a random value ({_HOW})")
    return key


def credential_keys(env: Environment) -> list[str]:
    """The Fernet keys that seal provider secrets, newest first. Raises Refused unless each is random and listed once."""
    keys = env.items("CREDENTIAL_KEYS")
    if not keys:
        raise Refused("CREDENTIAL_KEYS", f"is missing or empty: set it, or CREDENTIAL_KEYS_FILE ({_HOW})")
    decoded = [_decode(key, position) for position, key in enumerate(keys, start=1)]
    if len(set(decoded)) < len(decoded):
        raise Refused("CREDENTIAL_KEYS", "lists the same key twice")
    return keys


def _decode(key: str, position: int) -> bytes:
    try:
        raw = urlsafe_b64decode(key.encode("ascii"))
        Fernet(key)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise Refused("CREDENTIAL_KEYS", f"holds no Fernet key (32 bytes in URL-safe base64) at place {position}")
    if len(set(raw)) < _DISTINCT_BYTES:
        raise Refused("CREDENTIAL_KEYS", f"holds a placeholder at place {position}, not a random key ({_HOW})")
    return raw


def generate() -> dict[str, str]:
    """Fresh values for a new installation."""
    return {"SECRET_KEY": secrets.token_urlsafe(48), "CREDENTIAL_KEYS": Fernet.generate_key().decode()}


if __name__ == "__main__":
    print(Fernet.generate_key().decode())  # noqa: T201
