"""How each kind of credential is typed: its fields, and what they amount to. A new kind is a new entry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from django import forms

from providerkeys.forms.fields import ApiKeyField
from providerkeys.providers.base import ApiKeyProvider, Credential, CredentialKind, Provider

type Cleaned = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """``fields`` takes a provider and whether something must be typed; ``credential`` takes what was cleaned."""

    fields: Callable[[Provider, bool], dict[str, forms.Field]]
    credential: Callable[[Cleaned], Credential | None]
    shape_hint: Callable[[Cleaned], str]


def _api_key_fields(provider: Provider, required: bool) -> dict[str, forms.Field]:
    return {"provider_key": ApiKeyField(cast(ApiKeyProvider, provider), required=required)}


def _api_key_credential(cleaned: Cleaned) -> Credential | None:
    linted = cleaned.get("provider_key")
    return Credential(linted.key) if linted else None


def _api_key_hint(cleaned: Cleaned) -> str:
    linted = cleaned.get("provider_key")
    return linted.hint if linted else ""


KINDS: Final[Mapping[CredentialKind, Kind]] = {
    CredentialKind.API_KEY: Kind(_api_key_fields, _api_key_credential, _api_key_hint),
}
