"""What is done to an API key that there is: edit, rotate, disable and enable, delete. What takes something away asks first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, Literal, Self

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import reselect, reswap, retarget

from organizations.access import Access, admin_view
from organizations.forms import take_once
from organizations.models import ApiKey, AuditEvent
from organizations.models.api_key import GRACE, ApiKeyChanged
from providerkeys.forms import ApiKeyEditForm, DeletionForm, RotationForm
from providerkeys.models import ProviderKey
from providerkeys.resolver import Scope
from providerkeys.views.api_key_addresses import detail_url, list_url, origin_url
from providerkeys.views.api_key_listing import ApiKeyRow
from providerkeys.views.api_key_once import show_once
from providerkeys.views.form_page import author
from providerkeys.views.htmx import asked_by_htmx, leave, show

_form_methods = require_http_methods(["GET", "HEAD", "POST"])
_ROTATED: Final = "api_key.rotated"
_NAMED: Final = 12


@dataclass(frozen=True)
class Missed:
    """What others, or the same person elsewhere, did to an API key since somebody saw it. Empty when nobody knows."""

    who: str
    at: datetime | None
    acts: list[str]
    events: list[AuditEvent]

    @classmethod
    def since(cls, access: Access, api_key: ApiKey, version: int) -> Self:
        """Read it from the audit trail."""
        known = access.all(AuditEvent).filter(target_id=api_key.pk, action__in=(_ROTATED, "api_key.updated"))
        events = list(known.filter(details__version__gt=version).order_by("at", "pk"))
        who = dict.fromkeys(author(access, event) for event in events)
        acts = dict.fromkeys(act for event in events for act in _acts(event))
        return cls(" and ".join(who), events[-1].at if events else None, list(acts), events)


def _acts(event: AuditEvent) -> list[str]:
    return ["rotated it"] if event.action == _ROTATED else [f"changed its {one}" for one in event.details["changed"]]


@_form_methods
@admin_view
def api_key_edit(request: HttpRequest, access: Access, key: str) -> HttpResponse:
    api_key = access.get(ApiKey, key)
    dialog = Dialog(request, access, api_key, "edit")
    if request.method != "POST":
        return dialog.show(ApiKeyEditForm(api_key))
    form = ApiKeyEditForm(api_key, request.POST)
    if not form.is_valid():
        return dialog.refuse(form)
    given = form.cleaned_data
    try:
        changed = api_key.change(access, given["version"], given["name"], given["expires_at"])
    except ApiKeyChanged:
        return dialog.show_again(given["version"])
    except ApiKey.DoesNotExist:
        raise Http404 from None
    messages.success(request, f"{api_key.name} was saved." if changed else f"{api_key.name} is as it was.")
    return leave(request, origin_url(request, access, key))


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
    if first and first.action == _ROTATED and first.actor_id == access.user.pk:
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


@require_POST
@admin_view
def api_key_former(request: HttpRequest, access: Access, key: str) -> HttpResponse:
    """End the old secret of a key that is being rotated, before its time."""
    api_key = access.get(ApiKey, key)
    api_key.end_former(access)
    messages.success(request, f"The old key of {api_key.name} has stopped. It holds within 5 s.")
    return leave(request, detail_url(access, key))


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
    dialog = Dialog(request, access, api_key, "delete")
    if request.method != "POST":
        return dialog.show(DeletionForm(api_key))
    form = DeletionForm(api_key, request.POST)
    if not form.is_valid():
        return dialog.refuse(form)
    try:
        api_key.delete_by(access, form.cleaned_data["version"])
    except ApiKeyChanged:
        return dialog.show_again(form.cleaned_data["version"])
    except ApiKey.DoesNotExist:
        raise Http404 from None
    messages.success(request, f"{api_key.name} was deleted.")
    return leave(request, list_url(access))


@dataclass(frozen=True)
class Dialog:
    """What is asked about an API key before ``action``: a dialog over a page, or a page."""

    request: HttpRequest
    access: Access
    api_key: ApiKey
    action: Literal["edit", "enable", "disable", "delete"]

    def show(
        self,
        form: ApiKeyEditForm | DeletionForm | None = None,
        status: HTTPStatus = HTTPStatus.OK,
        **more: Any,
    ) -> HttpResponse:
        context = {
            "api_key": ApiKeyRow(self.api_key),
            "form": form,
            "action": self.action,
            "cancel_url": origin_url(self.request, self.access, self.api_key.pk),
            **more,
        }
        if self.action == "edit":
            return show(self.request, "providerkeys/api_key_edit.html", "form", context, status)
        context["alone"] = _alone(self.access, self.api_key)
        return show(self.request, "providerkeys/api_key_confirm.html", "confirm", context, status)

    def refuse(self, form: ApiKeyEditForm | DeletionForm) -> HttpResponse:
        """Nothing was done: what was typed is wrong."""
        return self.show(form, HTTPStatus.UNPROCESSABLE_ENTITY)

    def show_again(self, version: int) -> HttpResponse:
        """Nothing was done: say who was first, keep what was typed, and let who was told so go on."""
        data = self.request.POST.copy()
        data["version"] = str(self.api_key.version)
        form_class = ApiKeyEditForm if self.action == "edit" else DeletionForm
        missed = Missed.since(self.access, self.api_key, version)
        return self.show(form_class(self.api_key, data), HTTPStatus.CONFLICT, missed=missed, conflict=True)


@dataclass(frozen=True)
class Alone:
    """The provider keys that serve one API key and nobody else: the first names, and how many there are."""

    names: list[str]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.names)


def _alone(access: Access, api_key: ApiKey) -> Alone:
    serving = access.all(ProviderKey).filter(scope=Scope.API_KEYS, assignments__api_key=api_key)
    # Anew by id: the join above sees this API key's assignments alone.
    alone = access.all(ProviderKey).filter(pk__in=serving.values("pk")).annotate(served=Count("assignments"))
    names = list(alone.filter(served=1).order_by("provider", "position").values_list("name", flat=True))
    return Alone(names[:_NAMED], len(names))
