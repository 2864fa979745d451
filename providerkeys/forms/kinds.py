"""How each kind of credential is typed: its fields, and what they amount to. A new kind is a new entry."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypedDict, cast

from django import forms

from providerkeys import vault
from providerkeys.forms.fields import ApiKeyField
from providerkeys.forms.regions import Regions, RegionsField
from providerkeys.forms.service_account import LocationField, ServiceAccountField
from providerkeys.models import ProviderKey, RegionDraft, Row
from providerkeys.providers.base import ApiKeyProvider, Credential, CredentialKind, Provider

type Cleaned = Mapping[str, Any]


class Typed(TypedDict, total=False):
    """What a form says of credentials, as ``Draft`` takes it. Without anything the stored ones stay."""

    credential: Credential | None
    regions: tuple[RegionDraft, ...]


class Kind(ABC):
    """A kind of credential in a form. ``Cleaned`` is what its fields were cleaned to; ``key`` is the stored key, if any."""

    emptied: ClassVar[tuple[str, str]]
    """What is said of a secret that is not shown again, and what its link says."""

    again: ClassVar[str] = ""
    """What is said of a new secret that was emptied for safety and not given again; empty where each row says it."""

    @abstractmethod
    def keys_at(self, provider: Provider) -> str:
        """What the page is called where such credentials are made and revoked."""

    @abstractmethod
    def fields(self, provider: Provider, key: ProviderKey | None, blank: int) -> dict[str, forms.Field]:
        """The fields, by name; with ``blank`` rows at least, where there are rows."""

    @abstractmethod
    def typed(self, cleaned: Cleaned) -> Typed:
        """What was typed."""

    @abstractmethod
    def rows(self, cleaned: Cleaned, key: ProviderKey | None, salt: bytes) -> list[Row]:
        """What a check is to test: what was typed, and the stored credentials where nothing was."""

    @abstractmethod
    def shape_hint(self, cleaned: Cleaned) -> str:
        """What is unusual about its shape, in a sentence; empty when nothing is."""

    def objections(self, cleaned: Cleaned, key: ProviderKey | None) -> Mapping[str, str]:
        """What is wrong with the fields together: a sentence by the field that it stands at."""
        return {}


class _One(Kind):
    """A kind of which a key holds one, in itself."""

    @abstractmethod
    def credential(self, cleaned: Cleaned) -> Credential | None:
        """What was typed; ``None`` when the stored credentials stay."""

    def typed(self, cleaned: Cleaned) -> Typed:
        return {"credential": self.credential(cleaned)}

    def rows(self, cleaned: Cleaned, key: ProviderKey | None, salt: bytes) -> list[Row]:
        credential = self.credential(cleaned)
        if credential is None:
            return key.stored_rows() if key else []
        return [_row(credential, salt)]


class _ApiKey(_One):
    emptied = ("Your API key was emptied for safety", "type it again")
    again = "Type the new API key again, or tick “Keep the stored key”."

    def keys_at(self, provider: Provider) -> str:
        return f"{provider.label}’s API keys"

    def fields(self, provider: Provider, key: ProviderKey | None, blank: int) -> dict[str, forms.Field]:
        named, fixed = cast(ApiKeyProvider, provider), key is not None
        return {"provider_key": ApiKeyField(named, required=_stored(key) is None, fixed=fixed)}

    def credential(self, cleaned: Cleaned) -> Credential | None:
        linted = cleaned.get("provider_key")
        return Credential(linted.key) if linted else None

    def shape_hint(self, cleaned: Cleaned) -> str:
        linted = cleaned.get("provider_key")
        return linted.hint if linted else ""


class _ServiceAccount(_One):
    emptied = ("The service account JSON was emptied for safety", "paste it again")
    again = "Paste the new service account JSON again, or tick “Keep the stored key”."

    def keys_at(self, provider: Provider) -> str:
        return provider.label

    def fields(self, provider: Provider, key: ProviderKey | None, blank: int) -> dict[str, forms.Field]:
        stored = _stored(key)
        return {"provider_key": ServiceAccountField(required=stored is None), "location": LocationField(stored)}

    def credential(self, cleaned: Cleaned) -> Credential | None:
        account, location = cleaned.get("provider_key"), cleaned.get("location")
        # A form with one good half has an error at the other, and is asked all the same what was typed.
        return Credential(account.document, {"location": location}) if account and location else None

    def shape_hint(self, cleaned: Cleaned) -> str:
        account = cleaned.get("provider_key")
        return account.shape_hint if account else ""

    def objections(self, cleaned: Cleaned, key: ProviderKey | None) -> Mapping[str, str]:
        """A stored key goes to the place that it was saved for: another place needs it anew."""
        stored = _stored(key)
        if stored is None or cleaned.get("provider_key", "refused") is not None:
            return {}
        if cleaned.get("location") in {None, LocationField(stored).stored}:
            return {}
        return {"provider_key": "To change the location, paste the whole service account JSON again."}


class _Regions(Kind):
    emptied = ("Every secret access key that was typed was emptied for safety", "type it again")

    def keys_at(self, provider: Provider) -> str:
        return "AWS IAM"

    def fields(self, provider: Provider, key: ProviderKey | None, blank: int) -> dict[str, forms.Field]:
        return {"regions": RegionsField(list(key.regions.defer("credentials")) if key else [], blank)}

    def typed(self, cleaned: Cleaned) -> Typed:
        return {"regions": self._cleaned(cleaned).drafts}

    def rows(self, cleaned: Cleaned, key: ProviderKey | None, salt: bytes) -> list[Row]:
        stored = {row.label: row for row in key.stored_rows()} if key else {}
        drafts = self._cleaned(cleaned).drafts or [RegionDraft(region) for region in stored]
        return [_row(one.credential, salt, one.region) if one.credential else stored[one.region] for one in drafts]

    def shape_hint(self, cleaned: Cleaned) -> str:
        return self._cleaned(cleaned).hint

    def _cleaned(self, cleaned: Cleaned) -> Regions:
        regions: Regions = cleaned["regions"]
        return regions


def _stored(key: ProviderKey | None) -> Mapping[str, str] | None:
    """The destination of the credentials that a form may leave as they are; ``None`` where something must be typed."""
    return key.destination if key and key.fingerprint else None


def _row(credential: Credential, salt: bytes, label: str = "") -> Row:
    fingerprint = vault.fingerprint(salt, credential.secret, credential.destination)
    return Row(fingerprint=fingerprint, credential=credential, label=label)


KINDS: Final[Mapping[CredentialKind, Kind]] = {
    CredentialKind.API_KEY: _ApiKey(),
    CredentialKind.SERVICE_ACCOUNT: _ServiceAccount(),
    CredentialKind.IAM_REGIONS: _Regions(),
}
