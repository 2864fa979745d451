"""Fields that Django has no word for."""

import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator

from organizations.text import NAME_LENGTH, validate_single_line
from providerkeys.providers import whole_keys
from providerkeys.providers.base import ApiKeyProvider
from providerkeys.providers.lint import Linted, Refused, lint

_API_KEY_ID: Final = re.compile(r"key_[0-9A-Za-z]{1,36}")
_PRESS: Final = re.compile(r"[0-9a-f]{32}")


class Secret(forms.Widget):
    """Takes a secret and never gives it back: a rejected form shows it empty."""

    def was_typed(self, data: Mapping[str, Any], name: str) -> bool:
        """Whether ``data`` holds one, which somebody who sees the form again has to type again."""
        return bool(data.get(name, "").strip())


class SecretInput(Secret, forms.PasswordInput):
    """A secret of one line."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "new-password", "spellcheck": "false"}, render_value=False)


class SecretTextarea(Secret, forms.Textarea):
    """A secret of several lines. Django's own textarea would show it again."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "off", "spellcheck": "false"})

    def format_value(self, value: Any) -> None:
        return None


class TextField(forms.CharField):
    """Text that is judged by a rule of ours, a NUL in it too: what Django says of one is no help to whoever pasted it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators = [one for one in self.validators if not isinstance(one, ProhibitNullCharactersValidator)]


def _is_no_secret(name: str) -> None:
    if whole_keys.holds_one(name):
        raise ValidationError("That looks like a whole key, so it was taken out: everybody sees a name.", code="secret")


class NameField(TextField):
    """What people call a key. A secret that was pasted there by mistake is refused, and shown to nobody again."""

    default_validators = [validate_single_line, _is_no_secret]

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=NAME_LENGTH,
            error_messages={"required": "Give the key a name.", "max_length": f"Use at most {NAME_LENGTH} characters."},
            **options,
        )

    def bound_data(self, data: Any, initial: Any) -> Any:
        return "" if whole_keys.holds_one(data or "") else super().bound_data(data, initial)


class PressField(TextField):
    """Tells one press of Save from another, as long as it is one of ours: see ``organizations.presses``."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False, initial=lambda: secrets.token_hex(16))

    def clean(self, value: Any) -> str:
        # Nobody sees an error beside a hidden field: what is no press of ours is none at all.
        press: str = super().clean(value)
        return press if _PRESS.fullmatch(press) else ""


class ApiKeyField(TextField):
    """A provider's API key: cleans to ``Linted``, or to ``None`` where blank keeps the stored one.

    ``fixed``: the provider can't be chosen any more.
    """

    widget = SecretInput

    def __init__(self, provider: ApiKeyProvider, *, required: bool, fixed: bool) -> None:
        super().__init__(label="API Key", required=required, error_messages={"required": "Enter the API key."})
        self.provider, self.fixed = provider, fixed

    def clean(self, value: Any) -> Linted | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return lint(self.provider, text, fixed=self.fixed)
        except Refused as refused:
            sentence = str(refused)
        # Outside the handler, so that nothing of the paste hangs on the error as its context.
        raise ValidationError(sentence, code="refused")


class ApiKeyIdsField(forms.Field):
    """Ids of API keys: cleans to a frozenset, of any size and in any order. Whose they are is the form's to ask."""

    widget = forms.SelectMultiple

    def clean(self, value: Any) -> frozenset[str]:
        ids = frozenset(value or ())
        if not all(_API_KEY_ID.fullmatch(one) for one in ids):
            raise ValidationError(NOT_YOURS, code="foreign")
        return ids


ONE_OF_TWO: Final = "You typed a new secret and ticked “Keep the stored key”. Do one of the two."
NOT_YOURS: Final = "One of these API keys doesn’t exist any more. Choose from your organization’s API keys."
