from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.http import QueryDict

from organizations.access import Access
from providerkeys.forms.fields import Secret
from providerkeys.forms.kinds import KINDS, Typed
from providerkeys.models import ProviderKey, Row
from providerkeys.providers import registry
from providerkeys.providers.base import Provider

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
            blank = self.initial.get("rows", 1)
            self.fields.update(KINDS[self.chosen.credential].fields(self.chosen, key, blank))

    def _chosen(self) -> Provider | None:
        if self.key:
            return registry.find(self.key.provider)
        slug = self.data.get("provider") if self.is_bound else self.initial.get("provider")
        return registry.find(slug or "")

    def clean(self) -> None:
        if self.chosen:
            objections = KINDS[self.chosen.credential].objections(self.cleaned_data, self.key)
            for field, sentence in objections.items():
                self.add_error(field, sentence)

    @property
    def typed(self) -> Typed:
        """What was typed, cleaned; nothing when the stored credentials stay. Only for a valid form."""
        return KINDS[self.chosen.credential].typed(self.cleaned_data) if self.chosen else {}

    @property
    def shape_hint(self) -> str:
        """What is unusual about the credentials' shape, in a sentence; empty when nothing is. Never a refusal."""
        return KINDS[self.chosen.credential].shape_hint(self.cleaned_data) if self.chosen else ""

    @property
    def secret_was_typed(self) -> bool:
        """Whether somebody who sees this form again has a secret to type again."""
        widgets = ((self.add_prefix(name), field.widget) for name, field in self.fields.items())
        return any(isinstance(widget, Secret) and widget.was_typed(self.data, name) for name, widget in widgets)

    def rows(self) -> list[Row]:
        """What a check is to test: the typed credentials, else the stored ones. Only for a valid form."""
        if not self.chosen:
            return []
        salt = self.access.organization.fingerprint_salt
        return KINDS[self.chosen.credential].rows(self.cleaned_data, self.key, bytes(salt))
