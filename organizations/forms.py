from collections.abc import Collection
from typing import Any, ClassVar, cast

from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm, SetPasswordForm, UsernameField
from django.core.exceptions import BadRequest
from django.http import QueryDict

from organizations.models import User


def take_once(data: QueryDict, lists: Collection[str] = ()) -> None:
    """Raise BadRequest where a field that is none of ``lists`` comes twice: one value could be judged and the other used."""
    if any(len(values) > 1 and name not in lists for name, values in data.lists()):
        raise BadRequest("A field was sent twice.")


class OnceEach(forms.BaseForm):
    """Takes each field once, where not several are chosen. ``lists`` come with the form and are another's fields.

    Raises BadRequest.
    """

    lists: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = (name for name, one in self.fields.items() if isinstance(one.widget, forms.SelectMultiple))
        if isinstance(self.data, QueryDict):
            take_once(self.data, {*self.lists, *map(self.add_prefix, chosen)})


def _email_field() -> UsernameField:
    # Django's own login field does not enforce its length, and the record of failed attempts has room for 255.
    widget = forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
    return UsernameField(label="Email", max_length=254, widget=widget)


class Unlocked(AuthenticationForm):
    """Lets nobody in whose address was locked while their password waited for its turn.

    Passwords that are sent together all come before the first of them has failed.
    """

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        if not AxesProxyHandler.is_allowed(self.request, {"username": user.get_username()}):
            # The answer is that of any other try: nothing tells which password was right.
            cast(Any, self.request).axes_locked_out = True
            raise self.get_invalid_login_error()


class LoginForm(OnceEach, Unlocked):
    username = _email_field()

    # One sentence for an unknown address, a wrong password and a deactivated user: none tells who has an account.
    error_messages = {"invalid_login": "Email or password is wrong.", "inactive": "Email or password is wrong."}


class StaffLoginForm(Unlocked, AdminAuthenticationForm):
    username = _email_field()


class NewPasswordForm(OnceEach, SetPasswordForm[User]):
    """Django's form in one sentence of ours; the rules themselves are `AUTH_PASSWORD_VALIDATORS`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first, again = self.fields["new_password1"], self.fields["new_password2"]
        first.help_text = "At least 10 characters, not a common password, unlike your name or address."
        first.widget.attrs["autofocus"] = True
        again.label, again.help_text = "New password again", ""


class ResetForm(OnceEach, PasswordResetForm):
    """Asks for an address. It says nothing about whether anybody has it."""
