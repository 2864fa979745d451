"""A field in which staff type who or what they mean: Django's own, with suggestions, asks for 60 kB of scripts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

if TYPE_CHECKING:
    _ModelChoiceField = forms.ModelChoiceField[models.Model]
else:
    _ModelChoiceField = forms.ModelChoiceField


class NamedInput(forms.TextInput):
    """Has a list below it, which `admin-names.js` fills with what is found while one types."""

    def __init__(self, db_field: Any, placeholder: str) -> None:
        of = {"app_label": db_field.model._meta.app_label, "model_name": db_field.model._meta.model_name}
        found = f"{reverse('admin:autocomplete')}?{urlencode({**of, 'field_name': db_field.name})}"
        super().__init__(
            {"class": "vTextField", "autocomplete": "off", "placeholder": placeholder, "data-found": found}
        )

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        its_list = f"{(attrs or {}).get('id', name)}-found"
        box = super().render(name, value, {**(attrs or {}), "list": its_list}, renderer)
        return format_html('{}<datalist id="{}"></datalist>', box, its_list)


class NamedField(_ModelChoiceField):
    """One of many, by its id or by any of the columns in `called` that is its alone."""

    def __init__(self, *args: Any, called: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.called = called
        self.error_messages["invalid_choice"] = "None is called so, or several are. An id names one."

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        # PostgreSQL refuses text with a NUL.
        text = str(value).strip().replace("\0", "?")
        for column in ("pk", *self.called):
            found = list(self.queryset.filter(**{column: text})[:2]) if self.queryset is not None else []
            if len(found) == 1:
                return found[0]
        raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")


_CALLED = {"user": ("email",), "organization": ("slug", "name")}
_PLACEHOLDERS = {"user": "Address or id", "organization": "Name, slug or id"}


def named(db_field: Any) -> dict[str, Any]:
    """Return what makes the field of a foreign key to a user or an organization one of these."""
    return {
        "form_class": NamedField,
        "called": _CALLED[db_field.name],
        "widget": NamedInput(db_field, _PLACEHOLDERS[db_field.name]),
    }
