from typing import Any, Final, cast

from axes.utils import reset
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm, SetPasswordForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods, require_safe

from organizations import password_link
from organizations.access import Access, Actor, client_ip, first_organization, member_view
from organizations.forms import LoginForm, NewPasswordForm, ResetForm
from organizations.models import AuditEvent, User
from organizations.throttling import is_locked_out, locked_out, takes_another_link, too_many

RESET_FORM: Final = "registration/password_reset_form.html"

# Django's form views take a PUT for a POST, and look at a link's token whatever the method.
_form_methods = method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")


@_form_methods
class LoginView(auth_views.LoginView):
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """Return `next` if it is a path of this site, else nothing."""
        url = super().get_redirect_url(request)
        # Somebody who is logged in would be sent round in circles by /login/?next=/login/.
        return url if url.startswith("/") and url != self.request.path else ""

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        if not is_locked_out(self.request):
            return super().form_invalid(form)
        # The middleware of django-axes would put its own page in place of ours.
        cast(Any, self.request).axes_locked_out = False
        return locked_out(self.request)


class LogoutView(auth_views.LogoutView):
    """Ends the session, which Django deletes, and has the browser drop what it kept. POST only."""

    next_page = "login"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        response["Clear-Site-Data"] = '"cache", "cookies", "storage"'
        return response


@_form_methods
class PasswordResetView(auth_views.PasswordResetView):
    """Answers alike for everybody's address and nobody's, in words and in what it does: the mail is a worker's business."""

    form_class = ResetForm
    template_name = RESET_FORM

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        email = form.cleaned_data["email"]
        if not takes_another_link(email, client_ip(self.request)):
            return too_many(self.request, RESET_FORM, {"form": form})
        if not password_link.ask(password_link.id_at(email)):
            response = render(self.request, RESET_FORM, {"form": form, "away": True}, status=503)
            response["Retry-After"] = "60"
            return response
        return HttpResponseRedirect(self.get_success_url())


@_form_methods
class PasswordResetConfirmView(auth_views.PasswordResetConfirmView):
    """Sets the password; Django ends the user's other sessions, as they hold a hash of the old one."""

    form_class = NewPasswordForm

    def form_valid(self, form: SetPasswordForm[Any]) -> HttpResponse:
        with transaction.atomic():
            response = super().form_valid(form)
            AuditEvent.record(None, Actor.member(form.user, client_ip(self.request)), "user.password_set", form.user)
        # Whoever reads the mailbox is not the one who guessed.
        reset(username=form.user.email)
        return response


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Send people to where they work: their first organization by name, staff without one to Django admin."""
    user = cast(User, request.user)
    first = first_organization(user)
    if first:
        return redirect("provider_key_list", slug=first.slug)
    if user.is_staff:
        return redirect("admin:index")
    return render(request, "registration/no_membership.html")


@require_safe
@member_view
def organization_home(_: HttpRequest, access: Access) -> HttpResponseBase:
    """The switcher links here; nothing is remembered, the URL alone says which organization is meant."""
    return redirect("provider_key_list", slug=access.organization.slug)
