"""The vault: the only module that encrypts and decrypts.

A secret column's Python value is a ``Sealed``: ciphertext that no page, dump, log or pickle can open. ``seal`` makes
one from a secret and the record that will hold it; ``reveal`` opens one for its two callers, the check and the
gateway, and refuses anything that is not exactly what was sealed for that record.
"""

import contextlib
import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.core.signals import setting_changed
from django.db import models
from django.db.models.functions import Left
from django.db.models.lookups import Exact
from django.utils import timezone
from encrypted_fields.fields import EncryptedTextField

TOKEN_START: Final = "gAAAA"  # noqa: S105 -- how ciphertext starts, not a password
"""How every Fernet token starts: version byte 0x80 and the high bytes of a timestamp, in base64."""

MASK: Final = "••••••••"


class VaultError(Exception):
    """What the vault refuses. Its text never holds a secret, a key or a ciphertext."""


class SecretUnreadable(VaultError):
    """The ciphertext can't be opened, or was sealed for another record, destination or version."""


class WrongKeys(VaultError):
    """``CREDENTIAL_KEYS`` can't read what this database holds."""


class Purpose(StrEnum):
    """Why a secret is opened."""

    CHECK = "check"
    GATEWAY = "gateway"


class Sealed:
    """Ciphertext as a value: equal to itself, printable only as a mask.

    A pickled or copied-out ``Sealed`` is an empty one that can neither be stored nor opened.
    """

    __slots__ = ("_token",)

    def __init__(self, token: str = "") -> None:
        self._token = token

    def __repr__(self) -> str:
        return f"<Sealed {MASK}>"

    def __str__(self) -> str:
        return MASK

    def __format__(self, specification: str) -> str:
        return format(MASK, specification)

    def __bool__(self) -> bool:
        return bool(self._token)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and hmac.compare_digest(self._token.encode(), other._token.encode())

    def __hash__(self) -> int:
        return hash(self._token)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Django copies field values when it clones querysets and models; ciphertext is immutable.
        return self

    def __reduce__(self) -> tuple[type["Sealed"], tuple[()]]:
        return Sealed, ()


if TYPE_CHECKING:
    _EncryptedText = models.TextField[Sealed | None, Sealed | None]
else:
    _EncryptedText = EncryptedTextField


class SealedTextField(_EncryptedText):
    """A text column whose Python value is a ``Sealed`` or ``None``.

    The library's own field must not be used raw (measured on 0.4.0): one form rejected by a validator makes every
    later read return ciphertext and the next save encrypt twice, a wrong key returns the ciphertext as the value, and
    ``.values()``, ``dumpdata`` and a default form show plaintext. Here nothing decrypts on the way in or out.
    """

    description = "Encrypted text, opened only by the vault"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, kwargs

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(value)

    def to_python(self, value: Any) -> Sealed | None:
        if value is not None and not isinstance(value, Sealed):
            _refuse_plaintext()
        return value

    def clean(self, value: Any, model_instance: models.Model | None) -> Sealed | None:
        # Not the library's: its ``clean`` flips a flag on the field that leaks into every other read (see above).
        return self.to_python(value)

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Sealed) or not value:
            _refuse_plaintext()
        return value._token  # noqa: SLF001 -- the vault made it

    def value_to_string(self, obj: models.Model) -> str:
        return MASK

    def value_from_object(self, obj: models.Model) -> Any:
        return self.to_python(super().value_from_object(obj))


def _refuse_plaintext() -> NoReturn:
    raise TypeError("A secret column takes only what the vault has sealed.")


def starts_like_a_token(column: str, *, name: str) -> models.CheckConstraint:
    """The database's own rule that ``column`` holds ciphertext or nothing."""
    empty = models.Q(**{f"{column}__isnull": True})
    return models.CheckConstraint(
        condition=empty | models.Q(Exact(Left(column, len(TOKEN_START)), TOKEN_START)), name=name
    )


class Sealable(Protocol):
    """A record that holds one secret, and all that the secret is bound to."""

    @property
    def sealed_field(self) -> str:
        """The name of the column that holds the secret."""

    @property
    def organization_id(self) -> str: ...
    @property
    def pk(self) -> Any: ...
    @property
    def provider(self) -> str: ...
    @property
    def destination(self) -> Mapping[str, str]: ...
    @property
    def credentials_version(self) -> int: ...


def seal(record: Sealable, secret: str) -> Sealed:
    """Encrypt ``secret``, bound to the record's organization, id, column, provider, destination and version.

    Call it when those are what they will be saved as. Raises ``WrongKeys`` when other keys wrote this database.
    """
    _ensure_sentinel()
    return _encrypt({**_binding(record), "secret": secret})


def reveal(record: Sealable, purpose: Purpose) -> str:
    """The secret that ``record`` holds.

    Raises ``SecretUnreadable`` when there is none, when no key opens it, or when it was sealed for anything else.
    """
    sealed = getattr(record, record.sealed_field)
    if not isinstance(sealed, Sealed) or not sealed:
        raise SecretUnreadable(f"No secret is stored in this record ({purpose}).")
    envelope = _decrypt(sealed)
    secret = envelope.pop("secret", None)
    if envelope != _binding(record) or not isinstance(secret, str):
        raise SecretUnreadable(f"The stored secret was sealed for another record or version ({purpose}).")
    return secret


def _binding(record: Sealable) -> dict[str, Any]:
    return {
        "organization": record.organization_id,
        "record": record.pk,
        "field": record.sealed_field,
        "provider": record.provider,
        "destination": dict(record.destination),
        "version": record.credentials_version,
    }


def fingerprint(salt: bytes, secret: str, destination: Mapping[str, str]) -> str:
    """HMAC-SHA256 of secret and destination under an organization's ``salt``: equal only for equal bytes in it."""
    document = json.dumps([secret, dict(destination)], sort_keys=True, separators=(",", ":"))
    return hmac.new(bytes(salt), document.encode(), hashlib.sha256).hexdigest()


class Sentinel(models.Model):
    """One known secret, written at the first encryption: what it can't be read with must not start."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    proof = SealedTextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        app_label = "providerkeys"
        constraints = (
            models.CheckConstraint(condition=models.Q(id=1), name="sentinel_is_single"),
            starts_like_a_token("proof", name="sentinel_proof_is_ciphertext"),
        )

    def __str__(self) -> str:
        return "Sentinel of the credential keys"


_PROOF: Final[dict[str, Any]] = {"sentinel": "credential keys"}


def verify_keys() -> None:
    """Raise ``WrongKeys`` unless ``CREDENTIAL_KEYS`` reads what this database holds. An empty database is fine."""
    sentinel = _sentinel()
    if sentinel is None:
        return
    with contextlib.suppress(SecretUnreadable):
        if _decrypt(sentinel.proof or Sealed()) == _PROOF:
            return
    raise WrongKeys("CREDENTIAL_KEYS cannot read the credentials in this database. Restore the keys that wrote them.")


def _sentinel() -> Sentinel | None:
    """The sentinel, or ``None`` in a database without secrets. Raises ``WrongKeys`` when it is missing beside some."""
    found = Sentinel.objects.first()
    if found is None and _holds_secrets():
        # Since the first look somebody may have saved the first secret, and the sentinel with it.
        found = Sentinel.objects.first()
        if found is None:
            raise WrongKeys("This database holds credentials, but not the sentinel that proves which keys wrote them.")
    return found


def _holds_secrets() -> bool:
    return any(
        model._default_manager.filter(**{f"{field.name}__isnull": False}).exists()
        for model in apps.get_app_config("providerkeys").get_models()
        for field in model._meta.get_fields()
        if isinstance(field, SealedTextField) and model is not Sentinel
    )


def _ensure_sentinel() -> None:
    if _sentinel() is None:
        # Two processes may write their first secret at once; the one that comes second finds the other's.
        Sentinel.objects.bulk_create([Sentinel(proof=_encrypt(_PROOF))], ignore_conflicts=True)
    keys_verified()


@cache
def keys_verified() -> bool:
    """``verify_keys``, once per process: new keys need a restart."""
    verify_keys()
    return True


@cache
def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])


def _encrypt(document: Mapping[str, Any]) -> Sealed:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return Sealed(_cipher().encrypt(text.encode()).decode("ascii"))


def _decrypt(sealed: Sealed) -> dict[str, Any]:
    document = None
    with contextlib.suppress(InvalidToken, ValueError):
        if _is_canonical(sealed._token):  # noqa: SLF001 -- the vault made it
            document = json.loads(_cipher().decrypt(sealed._token))  # noqa: SLF001
    if not isinstance(document, dict):
        # Outside the handler, so that no ciphertext hangs on the exception as its context.
        raise SecretUnreadable("The stored secret can’t be opened with CREDENTIAL_KEYS.")
    return document


def _is_canonical(token: str) -> bool:
    """Whether nothing else is in it: Fernet's reader skips foreign characters and all that follows a ``=``."""
    return urlsafe_b64encode(urlsafe_b64decode(token)).decode() == token


def _forget_keys(*, setting: str, **_: Any) -> None:
    if setting == "CREDENTIAL_KEYS":
        _cipher.cache_clear()
        keys_verified.cache_clear()


setting_changed.connect(_forget_keys)
