import re
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from organizations.access import Access
from organizations.forms import OnceEach
from organizations.models import ApiKey
from providerkeys.forms.fields import NameField, PressField
from providerkeys.models import ProviderKey
from providerkeys.resolver import Scope

_LONGEST: Final = timedelta(days=3653)
_ON_A_DATE: Final = "date"
_KEEP: Final = "keep"
_MAX_VERSION: Final = 2**31 - 1
_PROVIDER_KEY_ID: Final = re.compile(r"pk_[0-9A-Za-z]{1,36}")
NOT_ASSIGNABLE: Final = (
    "One of these provider keys can’t be assigned any more: it was deleted, or serves the whole organization now. "
    "Choose from the list."
)


_CHOICES: Final = (
    ("", "Never"),
    ("30", "In 30 days"),
    ("90", "In 90 days"),
    ("365", "In 365 days"),
    (_ON_A_DATE, "On a date"),
)


class ProviderKeyIdsField(forms.Field):
    """Ids of provider keys: cleans to a frozenset. Whose they are is the form's to ask."""

    widget = forms.SelectMultiple

    def clean(self, value: Any) -> frozenset[str]:
        ids = frozenset(value or ())
        if not all(_PROVIDER_KEY_ID.fullmatch(one) for one in ids):
            raise ValidationError(NOT_ASSIGNABLE, code="foreign")
        return ids


class ExpirationForm(OnceEach, forms.Form):
    """What an API key is called, and when it ends."""

    name = NameField(widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}))
    expiration = forms.ChoiceField(
        required=False,
        choices=_CHOICES,
        error_messages={"invalid_choice": "Choose when the key ends from the list."},
    )
    expires_on = forms.DateField(
        label="Date",
        required=False,
        help_text="Only for “On a date”. The key works to the end of that day, UTC.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def clean(self) -> dict[str, Any]:
        """Put ``expires_at`` beside the fields: a moment, or ``None`` for never."""
        cleaned = self.cleaned_data
        expiration = cleaned.get("expiration")
        if expiration == _ON_A_DATE:
            self._expire_on(cleaned)
        else:
            cleaned["expires_at"] = self.moment(expiration)
        return cleaned

    def moment(self, expiration: str | None) -> datetime | None:
        """When the key ends by a choice that names no date; ``None`` for never."""
        return timezone.now() + timedelta(days=int(expiration)) if expiration else None

    def _expire_on(self, cleaned: dict[str, Any]) -> None:
        if "expires_on" in self.errors:
            return
        day, today = cleaned.get("expires_on"), timezone.now().date()
        if day is None:
            self.add_error("expires_on", "Choose the date.")
        elif not today <= day <= today + _LONGEST:
            self.add_error("expires_on", "Choose a date between today and ten years from now.")
        else:
            cleaned["expires_at"] = datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC)


class ApiKeyForm(ExpirationForm):
    """A new API key, and provider keys of the organization to assign to it at once."""

    provider_key_ids = ProviderKeyIdsField(label="Provider keys", required=False)
    press = PressField()

    def __init__(self, access: Access, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.access = access

    @property
    def one_press(self) -> str:
        """The press with all that it sent. Only for a valid form."""
        given = self.cleaned_data
        sent = (given["name"], given["expiration"], str(given["expires_on"]), *sorted(given["provider_key_ids"]))
        return "\0".join((given["press"], *sent)) if given["press"] else ""

    @property
    def chosen_ids(self) -> frozenset[str]:
        """The ids of the provider keys whose boxes are ticked."""
        return frozenset(self["provider_key_ids"].value() or ())

    def clean_provider_key_ids(self) -> frozenset[str]:
        ids: frozenset[str] = self.cleaned_data["provider_key_ids"]
        if ids and self.access.all(ProviderKey).filter(pk__in=ids, scope=Scope.API_KEYS).count() != len(ids):
            raise ValidationError(NOT_ASSIGNABLE, code="foreign")
        return ids


class VersionedForm(OnceEach, forms.Form):
    """What is done to an API key as somebody saw it: at its ``version``."""

    version = forms.IntegerField(min_value=1, max_value=_MAX_VERSION, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "version" in self.errors:
            # It is hidden: an error beside it would be seen by nobody.
            self.add_error(None, "This form is out of date. Reload the page and try again.")
        return cleaned


class ApiKeyEditForm(VersionedForm, ExpirationForm):
    """Another name or another end for an API key that there is."""

    field_order = ["name", "expiration", "expires_on", "version"]

    def __init__(self, api_key: ApiKey, data: QueryDict | None = None) -> None:
        self.api_key = api_key
        keeps = api_key.expires_at is not None
        initial = {"name": api_key.name, "version": api_key.version, "expiration": _KEEP if keeps else ""}
        super().__init__(data, initial=initial)
        expiration = self.fields["expiration"]
        if keeps and isinstance(expiration, forms.ChoiceField):
            words = "Expired" if api_key.is_expired() else "Expires"
            expiration.choices = [(_KEEP, f"As it is: {words} {api_key.expires_at:%Y-%m-%d %H:%M} UTC"), *_CHOICES]

    def moment(self, expiration: str | None) -> datetime | None:
        return self.api_key.expires_at if expiration == _KEEP else super().moment(expiration)


class RotationForm(VersionedForm):
    """A new secret for an API key. ``old_ends``: when the present one stops."""

    NOW: Final = "now"

    old_ends = forms.ChoiceField(
        label="The old key stops",
        choices=[("later", "In 24 hours"), (NOW, "Now")],
        initial="later",
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose when the old key stops."),
    )


class StopForm(VersionedForm):
    """The end of an API key's old secret: of the one that was old at ``version``, and of no later one."""

    def __init__(self, api_key: ApiKey, data: QueryDict | None = None) -> None:
        super().__init__(data, initial={"version": api_key.version})
        self.api_key = api_key


class DeletionForm(StopForm):
    """The end of an API key. One in use is named by whoever deletes it."""

    confirmation = forms.CharField(label="Name", required=False)

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if self.api_key.was_used_lately() and typed != self.api_key.name:
            raise ValidationError("Type the name of the API key exactly, to delete a key that is in use.")
        return typed
