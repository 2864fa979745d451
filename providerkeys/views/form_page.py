"""What the page and dialog of a provider key show around its form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Self

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from organizations.access import Access
from organizations.models import AuditEvent
from providerkeys import badges
from providerkeys.consequences import Key
from providerkeys.forms import CredentialsForm, ProviderKeyForm
from providerkeys.forms.regions import RegionsField, numbers_in
from providerkeys.models import ProviderKey, holders_of
from providerkeys.resolver import Scope
from providerkeys.views.htmx import show, target_of
from providerkeys.views.replaced import recall
from providerkeys.views.serving import Board, Consequence
from providerkeys.views.stored import StoredVerdicts
from providerkeys.views.twins import linked

_TEMPLATE: Final = "providerkeys/form.html"
_NEW: Final = "new"


@dataclass(frozen=True)
class ApiKeyChoice:
    """One API key to assign to. ``now`` says what serves it at the chosen provider, or why nothing does at any."""

    id: str
    name: str
    checked: bool
    now: str


@dataclass(frozen=True)
class Conflict:
    """Who saved since a form was opened, when last, and the words for all that they changed."""

    who: str
    at: datetime
    fields: list[str]

    @classmethod
    def since(cls, access: Access, key: ProviderKey, version: int) -> Self | None:
        """Read it from the audit trail; ``None`` when that does not tell."""
        saves = access.all(AuditEvent).filter(target_id=key.pk, action="provider_key.updated")
        missed = list(saves.filter(details__version__gt=version).order_by("at", "pk"))
        if not missed:
            return None
        who = dict.fromkeys(author(access, event) for event in missed)
        fields = dict.fromkeys(word for event in missed for word in event.details.get("changed", []))
        return cls(" and ".join(who), missed[-1].at, list(fields))


def author(access: Access, event: AuditEvent) -> str:
    """Who did it, as somebody of the organization is told."""
    if event.actor_kind == "staff":
        return "Support"
    return "You, in another tab," if event.actor_id == access.user.pk else event.actor_label


def show_form(
    request: HttpRequest,
    access: Access,
    form: ProviderKeyForm,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    conflict: Conflict | None = None,
) -> HttpResponse:
    """Render the form: as a page, as the dialog's contents, or only what depends on the chosen provider, or a row more."""
    regions = form.fields.get("regions")
    if target_of(request) == "regions" and isinstance(regions, RegionsField):
        return _show_another_row(request, regions)
    part = "provider" if target_of(request) == "credentials" else "form"
    return show(request, _TEMPLATE, part, _context(request, access, form, conflict), status)


def rows_asked_for(request: HttpRequest) -> dict[str, int]:
    """How many rows of credentials an address asks for (``?rows=3``), where there are rows."""
    asked = request.GET.get("rows", "")
    return {"rows": int(asked)} if re.fullmatch(r"[0-9]{1,2}", asked, re.ASCII) else {}


def _show_another_row(request: HttpRequest, regions: RegionsField) -> HttpResponse:
    numbers = list(numbers_in(request.GET))
    context = {"row": regions.another(numbers), "number": len(numbers) + 1}
    return render(request, "providerkeys/credentials/region.html", context)


def show_credentials(request: HttpRequest, access: Access, form: CredentialsForm) -> HttpResponse:
    """Render what is wrong with credentials that were to be tested, in place of their fields."""
    context = {
        "form": form,
        "key": form.key,
        "provider": form.chosen,
        "stored": StoredVerdicts.of(form.key, form.stored),
        "check_url": check_create_url(access, form.key),
        "test_refused": True,
        **_replaced(request, access, form),
    }
    return show(request, _TEMPLATE, "credentials", context, HTTPStatus.UNPROCESSABLE_ENTITY)


def _context(request: HttpRequest, access: Access, form: ProviderKeyForm, conflict: Conflict | None) -> dict[str, Any]:
    slug, key, board = access.organization.slug, form.key, _board(access, form)
    return {
        "form": form,
        "key": key,
        "provider": form.chosen,
        "title": "Edit Provider Key" if key else "Add Provider Key",
        "api_keys": _choices(board, form),
        "outlook": _outlook(board, form),
        "outlook_url": reverse("provider_key_outlook", kwargs={"slug": slug, "pk": key.pk})
        if key
        else reverse("outlook", kwargs={"slug": slug}),
        "conflict": conflict,
        "stored": StoredVerdicts.of(key, form.stored),
        "check": None,
        "check_url": check_create_url(access, key),
        "cancel_url": reverse("provider_key_list", kwargs={"slug": slug}),
        **_replaced(request, access, form),
    }


def _replaced(request: HttpRequest, access: Access, form: CredentialsForm) -> Mapping[str, Any]:
    """What the same admin has replaced in this key within the hour, and who else holds it: a message is soon gone."""
    if form.key is None:
        return {}
    earlier = recall(request, form.key, {record.fingerprint for record in form.stored})
    regions = [record.hint for record in form.stored if record.label]
    hints = [hint for hint in dict.fromkeys(earlier.values()) if hint not in regions]
    # Of an access key that is asked where it is deleted: its form has no query to spare.
    others = [] if regions else holders_of(access, set(earlier), form.key)
    return {"replaced": hints, "replaced_in": linked(access, others)}


def check_create_url(access: Access, key: ProviderKey | None) -> str:
    """Where credentials of this form are tested."""
    slug = access.organization.slug
    if key is None:
        return reverse("check_create", kwargs={"slug": slug})
    return reverse("provider_key_check_create", kwargs={"slug": slug, "pk": key.pk})


def show_outlook(request: HttpRequest, access: Access, form: ProviderKeyForm) -> HttpResponse:
    """Render what saving the assignment that ``form`` shows would change."""
    board = _board(access, form)
    return render(request, "providerkeys/outlook.html", {"outlook": _outlook(board, form)})


def _board(access: Access, form: ProviderKeyForm) -> Board:
    return Board.load(access, form.chosen.slug if form.chosen else "")


def _outlook(board: Board, form: ProviderKeyForm) -> list[Consequence]:
    """What a save would change for API keys, by the resolver. A new key stands last, and is enabled."""
    if not form.chosen:
        return []
    pk = form.key.pk if form.key else _NEW
    new = Key(_NEW, "", board.provider, Scope.API_KEYS, True, 1 + max((row.position for row in board.keys), default=0))
    whole = bool(form["assign_to_organization"].value())
    scope = Scope.ORGANIZATION if whole else Scope.API_KEYS
    assigned = frozenset() if whole else _chosen_ids(board, form) & board.api_keys.keys()
    stored = next((row for row in board.keys if row.id == pk), new)
    others = [row for row in board.keys if row.id != pk]
    return board.with_keys(pk, [*others, replace(stored, scope=scope, assigned_ids=frozenset(assigned))])


def _choices(board: Board, form: ProviderKeyForm) -> list[ApiKeyChoice]:
    chosen = _chosen_ids(board, form)
    return [ApiKeyChoice(pk, name, pk in chosen, _now(board, pk)) for pk, name in board.names.items()]


def _chosen_ids(board: Board, form: ProviderKeyForm) -> frozenset[str]:
    """The ids of the API keys whose boxes are ticked. What is stored stands on the board already."""
    if form.is_bound or not (form.key and form.chosen):
        return form.chosen_ids
    return board.assigned_ids(form.key.pk)


def _now(board: Board, api_key_id: str) -> str:
    """Of one that can be used it is empty before a provider is chosen."""
    if stopped := board.api_keys[api_key_id].stopped:
        return stopped
    first = board.now.first(api_key_id)
    if not board.provider:
        return ""
    if not first:
        off = next((key.name for key in board.keys if api_key_id in key.assigned_ids and not key.enabled), "")
        return f"currently none: {off} is disabled" if off else "currently none"
    if badges.not_routed(board.provider):
        return f"{first.name}, once routed"
    state = " (failing)" if first.failing else " (limited)" if first.limited else ""
    return f"currently {first.name}{state}"
