from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.http import QueryDict

from organizations.access import Access
from providerkeys import vault
from providerkeys.forms.fields import Secret
from providerkeys.forms.kinds import KINDS, Stored
from providerkeys.models import ProviderKey, Row
from providerkeys.providers import registry
from providerkeys.providers.base import Credential, Provider

_CHOOSE: Final = "Choose a provider from the list."


def _providers() -> list[tuple[str, str]]:
    return [(provider.slug, provider.label) for provider in registry.all()]


class CredentialsForm(forms.Form):
    """A provider and credentials for it, as checks and saves take them alike.

    For a stored ``key`` the provider is fixed, and blank credentials stand for the stored ones. Unknown fields are
    ignored.
    """

    provider = forms.ChoiceField(
        label="Provider", choices=_providers, error_messages={"required": _CHOOSE, "invalid_choice": _CHOOSE}
    )

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
        self.access = access
        self.key = key
        self.chosen = self._chosen()
        if key:
            del self.fields["provider"]
        if self.chosen:
            self.fields.update(KINDS[self.chosen.credential].fields(self.chosen, self._stored))

    def _chosen(self) -> Provider | None:
        if self.key:
            return registry.find(self.key.provider)
        slug = self.data.get("provider") if self.is_bound else self.initial.get("provider")
        return registry.find(slug or "")

    @property
    def _stored(self) -> Stored:
        return self.key.destination if self.key and self.key.credentials else None

    def clean(self) -> None:
        if self.chosen:
            objections = KINDS[self.chosen.credential].objections(self.cleaned_data, self._stored)
            for field, sentence in objections.items():
                self.add_error(field, sentence)

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
        secrets = [name for name, field in self.fields.items() if isinstance(field.widget, Secret)]
        return any(self.data.get(self.add_prefix(name), "").strip() for name in secrets)

    def rows(self) -> list[Row]:
        """What a check is to test: the typed credentials, else the stored ones. Only for a valid form."""
        credential = self.credential
        if credential is None:
            return self.key.stored_rows() if self.key else []
        salt = self.access.organization.fingerprint_salt
        fingerprint = vault.fingerprint(salt, credential.secret, credential.destination)
        return [Row(fingerprint=fingerprint, credential=credential)]
