"""What a row's menu does beside editing and testing: delete, disable, enable, move. What takes something away asks first."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, cast

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import replace_url, reswap, retarget

from organizations.access import Access, admin_view
from organizations.forms import take_once
from providerkeys import badges
from providerkeys.forms.kinds import KINDS
from providerkeys.models import Direction, ProviderKey, VersionConflict, holders_with
from providerkeys.providers import registry
from providerkeys.providers.base import CredentialKind, Provider
from providerkeys.views import serving
from providerkeys.views.form_page import Conflict
from providerkeys.views.htmx import asked_by_htmx, leave, show
from providerkeys.views.key_list import back_to_list, list_context, list_url, query_of
from providerkeys.views.listing import KeyPage, KeyRow
from providerkeys.views.paging import Place
from providerkeys.views.replacement import UNKNOWN_KEY
from providerkeys.views.serving import Board, Consequence
from providerkeys.views.sheet import Sheet
from providerkeys.views.twins import linked

_asks_first = require_http_methods(["GET", "HEAD", "POST"])
SHEETS: Final[Mapping[str, Sheet]] = {
    "delete": Sheet(title="Delete", press="Delete", body="provider_key"),
    "disable": Sheet(title="Disable", press="Disable", body="provider_key", to="disabled"),
    "enable": Sheet(title="Enable", press="Enable", body="provider_key", to="enabled", takes_away=False),
}
_STATES: Final = {
    badges.FAILING: "It failed its last test.",
    badges.LIMITED: "Its last test found it limited.",
    badges.UNTESTED: "It is untested.",
}
_CHANGES: Final = {"delete": serving.deleted, "disable": serving.disabled, "enable": serving.enabled}


@_asks_first
@admin_view
def provider_key_delete(request: HttpRequest, access: Access, pk: str) -> HttpResponse:
    key = access.get(ProviderKey, pk)
    if request.method != "POST":
        return _confirm(request, access, key, "delete")
    told = _told_deleted(key, _held_elsewhere(access, key))
    try:
        key.delete_by(access, _version(request))
    except VersionConflict:
        return _confirm_again(request, access, key, "delete")
    messages.success(request, told)
    return back_to_list(request, access)


@_asks_first
@admin_view
def provider_key_activation(request: HttpRequest, access: Access, pk: str) -> HttpResponse:
    """Disable or enable a key (``to``). With ``?ask`` a key is enabled only if that changes nothing for anybody."""
    key = access.get(ProviderKey, pk)
    if request.method != "POST":
        return _confirm(request, access, key, "disable" if key.enabled else "enable")
    take_once(request.POST)
    to = request.POST.get("to")
    if to not in {"enabled", "disabled"}:
        raise BadRequest
    action = "enable" if to == "enabled" else "disable"
    if "ask" in request.GET:
        told = _consequences(access, key, action)
        if told:
            return reswap(retarget(_ask(request, access, key, action, {"told": told}), "#dialog"), "innerHTML")
    try:
        changed = (key.enable if action == "enable" else key.disable)(access, _version(request))
    except VersionConflict:
        return _confirm_again(request, access, key, action)
    messages.success(request, f"{key.name} {'was' if changed else 'is'} {to}{'.' if changed else ' already.'}")
    return back_to_list(request, access)


@require_POST
@admin_view
def provider_key_position(request: HttpRequest, access: Access, pk: str) -> HttpResponse:
    """Move a key up or down (``move``) in its tier, and show the table with it, on whichever page it stands by now."""
    key = access.get(ProviderKey, pk)
    take_once(request.POST)
    direction = request.POST.get("move")
    if direction not in {"up", "down"}:
        raise BadRequest
    stood = Place.of(key)
    moved = key.move(access, cast(Direction, direction))
    query = query_of(request, access).copy()
    page = KeyPage.asked_in(access, query)
    if key.pk not in {row.key.pk for row in page.rows}:
        # It has left the page over an end; the one beside it begins or ends where it stood.
        for cut in ("after", "before"):
            query.pop(cut, None)
        query["after" if direction == "down" else "before"] = str(stood)
        page = KeyPage.asked_in(access, query)
    if moved:
        row = next((row for row in page.rows if row.key.pk == key.pk), None)
        _tell_moved(request, key, direction, row)
    else:
        messages.success(request, f"{key.name} can’t move {direction} any further.")
    there = list_url(access) + page.address
    if not asked_by_htmx(request):
        return leave(request, there)
    response = show(request, "providerkeys/list.html", "table", {**list_context(access, page), "moved": True})
    return replace_url(response, there)


def _held_elsewhere(access: Access, key: ProviderKey) -> SafeString:
    """Which other keys hold what ``key`` does, each a link: whoever revokes it stops them, too."""
    return linked(access, holders_with(access, key))


def _told_deleted(key: ProviderKey, elsewhere: SafeString) -> SafeString:
    """Its provider knows nothing of it: whoever deletes a key that leaked is not done."""
    provider = registry.find(key.provider)
    if provider is None or key.reason == UNKNOWN_KEY:
        return format_html("{} was deleted.", key.name)
    which = (
        format_html(' <span class="whole">({})</span>', key.hint)
        if provider.credential is CredentialKind.API_KEY
        else ""
    )
    link = format_html(
        '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', provider.keys_url, _keys_at(provider)
    )
    what = "Some of them" if key.regions_count > 1 else "They"
    too = format_html(" {} are stored in {} too: replace them there first.", what, elsewhere) if elsewhere else ""
    return format_html(
        "{}{} was deleted. Its credentials are not revoked by that: that is done at {}.{}", key.name, which, link, too
    )


def _keys_at(provider: Provider) -> str:
    return KINDS[provider.credential].keys_at(provider)


def _tell_moved(request: HttpRequest, key: ProviderKey, direction: str, row: KeyRow | None) -> None:
    """Say where it went. That a key which fails is tried is no good news; by its id the page finds the row."""
    is_failing = row is not None and row.rank is not None and badges.FAILING in row.status_badges
    said = format_html('<span data-moved="{}">{} moved {}{}</span>', key.pk, key.name, direction, _told_of(row))
    messages.add_message(request, messages.WARNING if is_failing else messages.SUCCESS, said)


def _told_of(row: KeyRow | None) -> str:
    """Where a key stands by now, for whom, and what its last test makes of that."""
    if row is None or row.rank is None:
        return "."
    rank = row.rank
    place = rank.sentence if rank.number == 1 else f"tried {rank.sentence}"
    whom, billed = f"for {rank.whom} " if rank.whom else "", ", and billed" if rank.number == 1 else ""
    states = (_STATES[badge] for badge in row.status_badges if badge in _STATES)
    return " ".join((f": {whom}it is {place}{billed}.", *states))


def _consequences(access: Access, key: ProviderKey, action: str) -> list[Consequence]:
    return Board.load(access, key.provider).when(key.pk, _CHANGES[action])


def _confirm(
    request: HttpRequest, access: Access, key: ProviderKey, action: str, again: Mapping[str, object] | None = None
) -> HttpResponse:
    """Ask before ``action``, and say what it will change."""
    return _ask(request, access, key, action, {"told": _consequences(access, key, action), **(again or {})})


def _ask(
    request: HttpRequest, access: Access, key: ProviderKey, action: str, said: Mapping[str, object]
) -> HttpResponse:
    where = {"slug": access.organization.slug, "pk": key.pk}
    provider = registry.find(key.provider)
    context = {
        "key": key,
        "provider": provider,
        "keys_at": _keys_at(provider) if provider else "",
        "action": action,
        "action_url": reverse(f"provider_key_{'delete' if action == 'delete' else 'activation'}", kwargs=where),
        "activation_url": reverse("provider_key_activation", kwargs=where),
        "cancel_url": list_url(access),
        "elsewhere": _held_elsewhere(access, key) if action == "delete" else "",
        **said,
    }
    return SHEETS[action].show(request, context, HTTPStatus.CONFLICT if said.get("again") else HTTPStatus.OK)


def _confirm_again(request: HttpRequest, access: Access, key: ProviderKey, action: str) -> HttpResponse:
    """Somebody saved the key after the question was asked: nothing was done, and it is asked again as things are now."""
    key = access.get(ProviderKey, key.pk)
    conflict = Conflict.since(access, key, _version(request) or 0)
    return _confirm(request, access, key, action, {"again": True, "conflict": conflict})


def _version(request: HttpRequest) -> int | None:
    """The version that the question was about; ``None`` when nothing was asked."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
