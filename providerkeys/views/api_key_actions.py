"""What is done to an API key that there is: edit, rotate, disable and enable, delete. What takes something away asks first."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_htmx.http import reselect, reswap, retarget

from organizations.access import Access, admin_view
from organizations.forms import take_once
from organizations.models import ApiKey
from organizations.models.api_key import GRACE, ApiKeyChanged
from providerkeys.forms import RotationForm
from providerkeys.views.api_key_addresses import detail_url, list_url, origin_url
from providerkeys.views.api_key_dialogs import ROTATED, Dialog, Missed
from providerkeys.views.api_key_listing import ApiKeyRow
from providerkeys.views.api_key_once import show_once
from providerkeys.views.htmx import asked_by_htmx, leave, show
from providerkeys.views.namesakes import namesakes_of

_form_methods = require_http_methods(["GET", "HEAD", "POST"])


@_form_methods
@admin_view
def api_key_edit(request: HttpRequest, access: Access, key: str) -> HttpResponse:
    api_key = access.get(ApiKey, key)
    changed: Sequence[str] = ()

    def edit(given: Mapping[str, Any]) -> str:
        nonlocal changed
        changed = api_key.change(access, given["version"], given["name"], given["expires_at"])
        return f"{api_key.name} was saved." if changed else f"{api_key.name} is as it was."

    response = Dialog(request, access, api_key, "edit").answer(edit, origin_url(request, access, key))
    namesakes = namesakes_of(access, api_key) if "name" in changed else ""
    if namesakes:
        messages.warning(request, namesakes)
    return response


@_form_methods
@never_cache
@admin_view
def api_key_rotation(request: HttpRequest, access: Access, key: str) -> HttpResponse:
    """Give an API key another secret, which is shown as a new key is: in this answer only."""
    api_key = access.get(ApiKey, key)
    if request.method != "POST":
        return _show_rotation(request, access, api_key, RotationForm(initial={"version": api_key.version}))
    form = RotationForm(request.POST)
    if not form.is_valid():
        return _show_rotation(request, access, api_key, form)
    grace = timedelta() if form.cleaned_data["old_ends"] == RotationForm.NOW else GRACE
    try:
        plaintext = api_key.rotate_secret(access, form.cleaned_data["version"], grace)
    except ApiKeyChanged:
        return _rotated_before(request, access, api_key, form)
    except ApiKey.DoesNotExist:
        raise Http404 from None
    return show_once(request, access, api_key, plaintext, rotated=True)


def _rotated_before(request: HttpRequest, access: Access, api_key: ApiKey, form: RotationForm) -> HttpResponse:
    """Somebody was first. Where it was this very press, sent again by a reload, there is nothing to decide any more."""
    missed = Missed.since(access, api_key, form.cleaned_data["version"])
    first = missed.events[0] if missed.events else None
    if first and first.action == ROTATED and first.actor_id == access.user.pk:
        messages.info(
            request, "You rotated this API key already. The new key was shown then, and can’t be shown again."
        )
        return leave(request, detail_url(access, api_key.pk))
    again = RotationForm(initial={"version": api_key.version, "old_ends": form.cleaned_data["old_ends"]})
    return _show_rotation(request, access, api_key, again, missed)


def _show_rotation(
    request: HttpRequest, access: Access, api_key: ApiKey, form: RotationForm, missed: Missed | None = None
) -> HttpResponse:
    conflict = missed is not None
    context = {
        "api_key": ApiKeyRow(api_key),
        "form": form,
        "cancel_url": detail_url(access, api_key.pk),
        "missed": missed,
        "conflict": conflict,
    }
    refused = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    status = HTTPStatus.CONFLICT if conflict else refused
    response = show(request, "providerkeys/api_key_rotate.html", "form", context, status)
    if asked_by_htmx(request):
        # A key that was made takes the whole page; a refusal only the form's place in it.
        reswap(reselect(retarget(response, "#api-key-form"), "#api-key-form"), "outerHTML")
    return response


@_form_methods
@admin_view
def api_key_former(request: HttpRequest, access: Access, key: str) -> HttpResponse:
    """End the old secret of a key that is being rotated, before its time."""
    api_key = access.get(ApiKey, key)
    over = f"{api_key.name} has no old key that is still accepted."
    if not api_key.is_rotating():
        messages.info(request, over)
        return leave(request, detail_url(access, key))

    def stop(given: Mapping[str, Any]) -> str:
        try:
            stopped = api_key.end_former(access, given["version"])
        except ApiKeyChanged:
            # Whoever rotated it again has stopped that old key; where another one is old now, that is asked anew.
            if api_key.is_rotating():
                raise
            stopped = False
        return (
            f"The old key of {api_key.name} has stopped: programs that still use it get 401 within 5\N{NO-BREAK SPACE}s."
            if stopped
            else over
        )

    return Dialog(request, access, api_key, "stop").answer(stop, detail_url(access, key))


@_form_methods
@admin_view
def api_key_activation(request: HttpRequest, access: Access, key: str) -> HttpResponse:
    """Disable or enable an API key (``to``)."""
    api_key = access.get(ApiKey, key)
    if request.method != "POST":
        return Dialog(request, access, api_key, "disable" if api_key.enabled else "enable").show()
    take_once(request.POST)
    to = request.POST.get("to")
    if to not in {"enabled", "disabled"}:
        raise BadRequest
    changed = (api_key.enable if to == "enabled" else api_key.disable)(access)
    messages.success(request, f"{api_key.name} {'was' if changed else 'is'} {to}{'.' if changed else ' already.'}")
    return leave(request, origin_url(request, access, key))


@_form_methods
@admin_view
def api_key_delete(request: HttpRequest, access: Access, key: str) -> HttpResponse:
    api_key = access.get(ApiKey, key)

    def delete(given: Mapping[str, Any]) -> str:
        api_key.delete_by(access, given["version"])
        return f"{api_key.name} was deleted."

    return Dialog(request, access, api_key, "delete").answer(delete, list_url(access))
