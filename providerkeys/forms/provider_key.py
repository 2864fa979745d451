from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.functional import cached_property

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.forms.credentials import CredentialsForm
from providerkeys.forms.fields import NOT_YOURS, ApiKeyIdsField, NameField, PressField
from providerkeys.models import Draft, ProviderKey
from providerkeys.resolver import Scope

_MAX_VERSION: Final = 2**31 - 1
_NOBODY: Final = "Choose at least one API key, or assign to the entire organization."
_STORED_ALREADY: Final = (
    "This is the key that is stored already. Leave the field empty to keep it, or paste the new one."
)
_OUT_OF_DATE: Final = "This form is out of date. Reload the page and try again."


class ProviderKeyForm(CredentialsForm):
    """A provider key as it is created, by one ``press``, or edited. ``version`` is the one that an edit began with."""

    name = NameField()
    assign_to_organization = forms.BooleanField(label="Assign to entire organization", required=False)
    api_key_ids = ApiKeyIdsField(label="Assignment", required=False, error_messages={"required": _NOBODY})
    version = forms.IntegerField(
        min_value=1, max_value=_MAX_VERSION, widget=forms.HiddenInput, error_messages={"required": _OUT_OF_DATE}
    )
    press = PressField()
    field_order = [
        "provider",
        "name",
        "provider_key",
        "location",
        "regions",
        "assign_to_organization",
        "api_key_ids",
        "version",
    ]

    def __init__(
        self,
        access: Access,
        data: QueryDict | None = None,
        *,
        key: ProviderKey | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(access, data, key=key, initial={**(_stored(key) if key else {}), **(initial or {})})
        del self.fields["version" if key is None else "press"]
        if "regions" in self.fields:
            # A press without any row tests the stored ones; a save without any would leave a key that holds nothing.
            self.fields["regions"].required = True
        self.order_fields(self.field_order)

    def clean_api_key_ids(self) -> frozenset[str]:
        ids: frozenset[str] = self.cleaned_data["api_key_ids"]
        if ids and self.access.all(ApiKey).filter(pk__in=ids).count() != len(ids):
            raise forms.ValidationError(NOT_YOURS, code="foreign")
        return ids

    def clean(self) -> None:
        super().clean()
        nobody = not self.cleaned_data["assign_to_organization"] and self.cleaned_data.get("api_key_ids") == frozenset()
        if nobody and not self.may_serve_nobody:
            # The browser says the same, where it can, before anything is sent.
            self.add_error("api_key_ids", _NOBODY)
        if "version" in self.errors:
            # It is hidden: an error beside it would be seen by nobody.
            self.add_error(None, _OUT_OF_DATE)
        self._refuse_what_is_stored()

    def _refuse_what_is_stored(self) -> None:
        """Saved as new, the stored key would ask to revoke the old one: itself.

        Only when nobody else has saved: else that is said first. What can't be read any more may be typed again.
        """
        key = self.key
        if key is None or not (self.can_keep and key.readable and self.cleaned_data.get("version") == key.version):
            return
        self.repeats_stored = self.typed.get("credential") is not None and [row.fingerprint for row in self.rows()] == [
            row.fingerprint for row in key.stored_rows()
        ]
        if self.repeats_stored:
            self.add_error(self._secret, _STORED_ALREADY)

    def draft(self) -> Draft:
        """What is to be saved. Only for a valid form."""
        whole = self.cleaned_data["assign_to_organization"]
        return Draft(
            name=self.cleaned_data["name"],
            scope=Scope.ORGANIZATION if whole else Scope.API_KEYS,
            api_key_ids=frozenset() if whole else self.cleaned_data["api_key_ids"],
            **self.typed,
        )

    @cached_property
    def may_serve_nobody(self) -> bool:
        """Whether the key serves nobody as it is stored: its leaked credentials are replaced without a word on whom it serves."""
        key = self.key
        return key is not None and key.scope == Scope.API_KEYS and not key.assigned_ids

    @property
    def one_press(self) -> str:
        """The press with all that it sent, secrets by their fingerprints. Only for a valid form of a new key."""
        press, draft = self.cleaned_data["press"], self.draft()
        sent = (self.cleaned_data["provider"], draft.name, draft.scope, *sorted(draft.api_key_ids))
        return "\0".join((press, *sent, *(row.fingerprint for row in self.rows()))) if press else ""

    @property
    def chosen_ids(self) -> frozenset[str]:
        """The ids of the API keys whose boxes are ticked."""
        if self.sent is not None:
            return frozenset(self.sent.getlist(self.add_prefix("api_key_ids")))
        return frozenset(self["api_key_ids"].value() or ())

    def accept_version(self, version: int) -> None:
        """Let the next save of this form go over ``version``: whoever sees the form again was told what is in it."""
        if self.sent is not None:
            self.data = sent = self.sent.copy()
            sent[self.add_prefix("version")] = str(version)


def _stored(key: ProviderKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "assign_to_organization": key.scope == Scope.ORGANIZATION,
        # Asked for only where it is shown: what was sent stands for itself.
        "api_key_ids": lambda: sorted(key.assigned_ids),
        "version": key.version,
    }
