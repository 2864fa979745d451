"""How each kind of credential is typed: its fields, and what they amount to. A new kind is a new entry."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final, cast

from django import forms

from providerkeys.forms.fields import ApiKeyField
from providerkeys.forms.service_account import LocationField, ServiceAccountField
from providerkeys.providers.base import ApiKeyProvider, Credential, CredentialKind, Provider

type Cleaned = Mapping[str, Any]
type Stored = Mapping[str, str] | None
"""The destination of the credentials that a form may leave as they are; ``None`` where something must be typed."""


class Kind(ABC):
    """A kind of credential in a form. ``Cleaned`` is what its fields were cleaned to."""

    @abstractmethod
    def fields(self, provider: Provider, stored: Stored) -> dict[str, forms.Field]:
        """The fields, by name."""

    @abstractmethod
    def credential(self, cleaned: Cleaned) -> Credential | None:
        """What was typed; ``None`` when the stored credentials stay."""

    @abstractmethod
    def shape_hint(self, cleaned: Cleaned) -> str:
        """What is unusual about its shape, in a sentence; empty when nothing is."""

    def objections(self, cleaned: Cleaned, stored: Stored) -> Mapping[str, str]:
        """What is wrong with the fields together: a sentence by the field that it stands at."""
        return {}


class _ApiKey(Kind):
    def fields(self, provider: Provider, stored: Stored) -> dict[str, forms.Field]:
        return {"provider_key": ApiKeyField(cast(ApiKeyProvider, provider), required=stored is None)}

    def credential(self, cleaned: Cleaned) -> Credential | None:
        linted = cleaned.get("provider_key")
        return Credential(linted.key) if linted else None

    def shape_hint(self, cleaned: Cleaned) -> str:
        linted = cleaned.get("provider_key")
        return linted.hint if linted else ""


class _ServiceAccount(Kind):
    def fields(self, provider: Provider, stored: Stored) -> dict[str, forms.Field]:
        return {"provider_key": ServiceAccountField(required=stored is None), "location": LocationField(stored)}

    def credential(self, cleaned: Cleaned) -> Credential | None:
        account = cleaned.get("provider_key")
        return Credential(account.document, {"location": cleaned["location"]}) if account else None

    def shape_hint(self, cleaned: Cleaned) -> str:
        account = cleaned.get("provider_key")
        return account.shape_hint if account else ""

    def objections(self, cleaned: Cleaned, stored: Stored) -> Mapping[str, str]:
        """A stored key goes to the place that it was saved for: another place needs it anew."""
        if stored is None or cleaned.get("provider_key", "refused") is not None:
            return {}
        if cleaned.get("location") in {None, LocationField(stored).stored}:
            return {}
        return {"provider_key": "To change the location, paste the whole service account JSON again."}


KINDS: Final[Mapping[CredentialKind, Kind]] = {
    CredentialKind.API_KEY: _ApiKey(),
    CredentialKind.SERVICE_ACCOUNT: _ServiceAccount(),
}
