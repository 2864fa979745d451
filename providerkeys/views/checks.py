"""Checks: pressed, watched. The noun behind the button "Test credentials"."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import get_text_list
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap, retarget

from organizations.access import Access, admin_view, member_view
from providerkeys.forms import CredentialsForm, ProviderKeyForm
from providerkeys.models import CredentialCheck, ProviderKey, TooManyChecks
from providerkeys.views.form_page import show_credentials, show_form
from providerkeys.views.htmx import asked_by_htmx, leave, show, target_of
from providerkeys.views.key_list import list_url
from providerkeys.views.listing import row_of
from providerkeys.views.shown import ShownCheck, check_url
from providerkeys.views.twins import linked


@require_POST
@sensitive_post_parameters()
@admin_view
def check_create(request: HttpRequest, access: Access) -> HttpResponse:
    return _press(request, access, CredentialsForm(access, request.POST))


@require_POST
@sensitive_post_parameters()
@admin_view
def provider_key_check_create(request: HttpRequest, access: Access, pk: str) -> HttpResponse:
    key = access.get(ProviderKey, pk)
    return _press(request, access, CredentialsForm(access, request.POST, key=key))


@require_safe
@member_view
def check_detail(request: HttpRequest, access: Access, chk: str) -> HttpResponse:
    check = access.get(CredentialCheck, chk)
    if check.state_now == "done" and check.settle():
        # Nobody has finished it, and its time is up: whoever looks first ends it.
        check.refresh_from_db()
    return _show(request, access, check)


def _press(request: HttpRequest, access: Access, form: CredentialsForm) -> HttpResponse:
    if not form.is_valid() or form.chosen is None:
        return _refused(request, access, form)
    try:
        check = CredentialCheck.press(access, form.chosen.slug, form.rows_to_test(), form.key)
    except TooManyChecks as limit:
        return _too_many(request, access, limit.wait)
    if not asked_by_htmx(request):
        return leave(request, check_url(access, check.pk))
    return _show(request, access, check, form)


def _show(
    request: HttpRequest, access: Access, check: CredentialCheck, form: CredentialsForm | None = None
) -> HttpResponse:
    """Show a check where it was pressed: in the key's row, in the form's result panel, or on a page of its own."""
    key_id = check.provider_key_id
    if key_id and target_of(request) == f"row-{key_id}":
        return render(request, "providerkeys/list.html#row", {"key": row_of(access, key_id)})
    context = {
        "check": ShownCheck.of(access, check),
        "provider_label": check.provider_label,
        "shape_hint": form.shape_hint if form else "",
        "twins": linked(access, form.twins()) if form else "",
        "repeated": _repeated(form) if form else "",
    }
    return show(request, "providerkeys/check.html", "pressed" if form else "result", context)


def _repeated(form: CredentialsForm) -> str:
    """Where the stored credentials were typed once more; empty where nowhere."""
    typed = [row.label for row in form.rows() if row.credential]
    again = {row.label for row in form.rows_to_test() if row.record}
    return get_text_list([label or "this provider key" for label in typed if label in again], "and")


def _refused(request: HttpRequest, access: Access, form: CredentialsForm) -> HttpResponse:
    """Say what is wrong with what was typed, at its field. Nothing is tested."""
    if form.chosen is None or target_of(request).startswith("row-"):
        text = " ".join(str(message) for messages in form.errors.values() for message in messages)
        return _refusal(request, access, HTTPStatus.UNPROCESSABLE_ENTITY, "Nothing was tested.", text)
    if asked_by_htmx(request):
        return reswap(retarget(show_credentials(request, access, form), "#credentials"), "outerHTML")
    page = ProviderKeyForm(access, form.sent, key=form.key)
    return show_form(request, access, page, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _too_many(request: HttpRequest, access: Access, wait: int) -> HttpResponse:
    text = f"Your organization tests as much as it may just now. Try again in {wait} s; saving doesn’t need a test."
    response = _refusal(request, access, HTTPStatus.TOO_MANY_REQUESTS, "Too many tests at once.", text)
    response["Retry-After"] = str(wait)
    return response


def _refusal(request: HttpRequest, access: Access, status: HTTPStatus, headline: str, text: str) -> HttpResponse:
    # In a page of its own there is a way back; a fragment stands where it was pressed.
    actions = [] if asked_by_htmx(request) else [{"url": list_url(access), "label": "Back to BYOK"}]
    context = {"status": int(status), "headline": headline, "text": text, "actions": actions}
    return show(request, "errors/error.html", "fragment", context, status)
