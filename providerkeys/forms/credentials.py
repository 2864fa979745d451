from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict

from organizations.access import Access
from organizations.forms import OnceEach
from providerkeys.forms.fields import ONE_OF_TWO, Secret
from providerkeys.forms.kinds import KINDS, Typed
from providerkeys.forms.regions import RegionsField
from providerkeys.models import ProviderKey, Row, twins_of
from providerkeys.models.secret_record import SecretRecord
from providerkeys.providers import registry
from providerkeys.providers.base import Provider

_CHOOSE: Final = "Choose a provider from the list."


def _providers() -> list[tuple[str, str]]:
    return [(provider.slug, provider.label) for provider in registry.all()]


class CredentialsForm(OnceEach, forms.Form):
    """A provider and credentials for it, as checks and saves take them alike.

    For a stored ``key`` the provider is fixed, and blank credentials stand for the stored ones; but once new ones were
    typed and emptied for safety (``emptied``), blank needs a word: ``keep_stored``. Unknown fields are ignored.
    """

    lists = frozenset({"api_key_ids"})

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
        self._refuse_to_keep_unknowingly()

    def _refuse_to_keep_unknowingly(self) -> None:
        """Nobody who typed a new secret keeps the old one unknowingly. Rows of regions see to this themselves."""
        secret = self._secret
        if not self.can_keep or not self.chosen or not secret or secret in self.errors:
            return
        typed, kept = self._typed_now, self.cleaned_data.get("keep_stored")
        if typed and kept:
            self.add_error(secret, ONE_OF_TWO)
        elif self.cleaned_data.get("emptied") and not typed and not kept:
            self.add_error(secret, KINDS[self.chosen.credential].again)

    @property
    def stored(self) -> Sequence[SecretRecord]:
        """The records that hold the stored credentials, in order; nothing for a new key."""
        regions = self.fields.get("regions")
        return regions.stored if isinstance(regions, RegionsField) else self.key.secrets if self.key else ()

    @property
    def can_keep(self) -> bool:
        """Whether there are stored credentials that a blank secret can stand for."""
        return bool(self.key and self.key.credentials)

    @property
    def offers_to_keep(self) -> bool:
        """Whether a tick can say that stored credentials stay: here, or in a row of a region."""
        rows = getattr(self.fields.get("regions"), "rows", [])
        return self.can_keep or any(row.stored and row.secret_was_typed for row in rows)

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
        if self.repeats_stored:
            return False
        return self._typed_now or ("emptied" in self.fields and bool(self["emptied"].value()))

    @property
    def emptied_field(self) -> BoundField | None:
        """The field that never shows again what was typed into it; ``None`` before a provider is chosen."""
        return self[self._secret] if self._secret else None

    @property
    def was_emptied_unsaid(self) -> bool:
        """Whether a secret was emptied for safety at a field that has no error to say so."""
        regions = self.fields.get("regions")
        if isinstance(regions, RegionsField):
            return regions.was_emptied_unsaid
        return bool(self.secret_was_typed and self.emptied_field and not self.emptied_field.errors)

    @property
    def keys_at(self) -> str:
        """What the page is called where the provider's credentials are made and revoked."""
        return KINDS[self.chosen.credential].keys_at(self.chosen) if self.chosen else ""

    @property
    def emptied_words(self) -> tuple[str, str]:
        """What is said when that field was emptied, and what the link to it says."""
        return KINDS[self.chosen.credential].emptied if self.chosen else ("", "")

    @property
    def _typed_now(self) -> bool:
        widgets = ((self.add_prefix(name), field.widget) for name, field in self.fields.items())
        return any(isinstance(widget, Secret) and widget.was_typed(self.data, name) for name, widget in widgets)

    @property
    def _secret(self) -> str:
        """The name of the field that takes the secret; empty before a provider is chosen."""
        return next((name for name, field in self.fields.items() if isinstance(field.widget, Secret)), "")

    def rows(self) -> list[Row]:
        """What a check is to test: the typed credentials, else the stored ones. Only for a valid form."""
        if not self.chosen:
            return []
        salt = self.access.organization.fingerprint_salt
        return KINDS[self.chosen.credential].rows(self.cleaned_data, self.key, bytes(salt))

    def rows_to_test(self) -> list[Row]:
        """``rows``, but the stored one where the very same was typed: what is said of it is said of what is stored."""
        stored = {row.fingerprint: row for row in (self.key.readable_rows() if self.key else ())}
        return [stored.get(row.fingerprint, row) for row in self.rows()]

    def twins(self) -> list[ProviderKey]:
        """Other keys of the organization that hold what was typed: worth a warning, never a refusal. Only for a valid form."""
        return twins_of(self.access, self.rows(), self.key)
