from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.http import QueryDict

from organizations.access import Access
from providerkeys import vault
from providerkeys.forms.fields import SecretInput
from providerkeys.forms.kinds import KINDS
from providerkeys.models import ProviderKey, Row
from providerkeys.providers import registry
from providerkeys.providers.base import Credential, Provider

_CHOOSE: Final = "Choose a provider from the list."
_TYPE_AGAIN: Final = "Type the new API key again, or tick “Keep the stored key”."
_ONE_OF_TWO: Final = "You typed a new API key and ticked “Keep the stored key”. Do one of the two."


def _providers() -> list[tuple[str, str]]:
    return [(provider.slug, provider.label) for provider in registry.all()]


class CredentialsForm(forms.Form):
    """A provider and credentials for it, as checks and saves take them alike.

    For a stored ``key`` the provider is fixed, and blank credentials stand for the stored ones; but once new ones were
    typed and emptied for safety (``emptied``), blank needs a word: ``keep_stored``. Unknown fields are ignored.
    """

    provider = forms.ChoiceField(
        label="Provider", choices=_providers, error_messages={"required": _CHOOSE, "invalid_choice": _CHOOSE}
    )

    emptied = forms.BooleanField(required=False, widget=forms.HiddenInput)
    keep_stored = forms.BooleanField(label="Keep the stored key", required=False)

    def __init__(
        self,
        access: Access,
        data: QueryDict | None = None,
        *,
        key: ProviderKey | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.sent = data
        self.repeats_stored = False
        self.access = access
        self.key = key
        self.chosen = self._chosen()
        if key:
            del self.fields["provider"]
        if not self.can_keep:
            del self.fields["emptied"], self.fields["keep_stored"]
        if self.chosen:
            self.fields.update(KINDS[self.chosen.credential].fields(self.chosen, not self.can_keep))

    def _chosen(self) -> Provider | None:
        if self.key:
            return registry.find(self.key.provider)
        slug = self.data.get("provider") if self.is_bound else self.initial.get("provider")
        return registry.find(slug or "")

    def clean(self) -> None:
        """Nobody who typed a new secret keeps the old one unknowingly."""
        secrets = self._secrets
        if not secrets or secrets[0] in self.errors:
            return
        typed, kept = self._typed_now, self.cleaned_data.get("keep_stored")
        if typed and kept:
            self.add_error(secrets[0], _ONE_OF_TWO)
        elif self.cleaned_data.get("emptied") and not typed and not kept:
            self.add_error(secrets[0], _TYPE_AGAIN)

    @property
    def can_keep(self) -> bool:
        """Whether there are stored credentials that blank can stand for."""
        return bool(self.key and self.key.credentials)

    @property
    def credential(self) -> Credential | None:
        """What was typed, cleaned; ``None`` when the stored one stays. Only for a valid form."""
        return KINDS[self.chosen.credential].credential(self.cleaned_data) if self.chosen else None

    @property
    def shape_hint(self) -> str:
        """What is unusual about the credentials' shape, in a sentence; empty when nothing is. Never a refusal."""
        return KINDS[self.chosen.credential].shape_hint(self.cleaned_data) if self.chosen else ""

    @property
    def secret_was_typed(self) -> bool:
        """Whether somebody who sees this form again has a secret to type again."""
        if self.repeats_stored:
            return False
        return self._typed_now or ("emptied" in self.fields and bool(self["emptied"].value()))

    @property
    def _typed_now(self) -> bool:
        return any(self.data.get(self.add_prefix(name), "").strip() for name in self._secrets)

    @property
    def _secrets(self) -> list[str]:
        return [name for name, field in self.fields.items() if isinstance(field.widget, SecretInput)]

    def rows(self) -> list[Row]:
        """What a check is to test: the typed credentials, else the stored ones. Only for a valid form."""
        credential = self.credential
        if credential is None:
            return self.key.stored_rows() if self.key else []
        salt = self.access.organization.fingerprint_salt
        fingerprint = vault.fingerprint(salt, credential.secret, credential.destination)
        return [Row(fingerprint=fingerprint, credential=credential)]
