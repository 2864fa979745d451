"""What the page and dialog of a provider key show around its form."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Self

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from organizations.access import Access
from organizations.models import ApiKey, AuditEvent
from providerkeys.forms import CredentialsForm, ProviderKeyForm
from providerkeys.forms.regions import RegionsField, numbers_in
from providerkeys.models import ProviderKey
from providerkeys.resolver import resolve
from providerkeys.views.answers import resolvable_keys
from providerkeys.views.htmx import show, target_of

_TEMPLATE: Final = "providerkeys/form.html"


@dataclass(frozen=True)
class ApiKeyChoice:
    """One API key to assign to. ``now`` says what serves it at the chosen provider; empty when nothing does."""

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
    return show(request, _TEMPLATE, part, _context(access, form, conflict), status)


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
        "check_url": check_create_url(access, form.key),
        "test_refused": True,
    }
    return show(request, _TEMPLATE, "credentials", context, HTTPStatus.UNPROCESSABLE_ENTITY)


def _context(access: Access, form: ProviderKeyForm, conflict: Conflict | None) -> dict[str, Any]:
    slug, key = access.organization.slug, form.key
    return {
        "form": form,
        "key": key,
        "provider": form.chosen,
        "title": "Edit Provider Key" if key else "Add Provider Key",
        "api_keys": _choices(access, form),
        "conflict": conflict,
        "check": None,
        "check_url": check_create_url(access, key),
        "cancel_url": reverse("provider_key_list", kwargs={"slug": slug}),
    }


def check_create_url(access: Access, key: ProviderKey | None) -> str:
    """Where credentials of this form are tested."""
    slug = access.organization.slug
    if key is None:
        return reverse("check_create", kwargs={"slug": slug})
    return reverse("provider_key_check_create", kwargs={"slug": slug, "pk": key.pk})


def _choices(access: Access, form: ProviderKeyForm) -> list[ApiKeyChoice]:
    names = access.all(ApiKey).order_by("name", "pk").values_list("pk", "name")
    provider = form.chosen.slug if form.chosen else ""
    keys = resolvable_keys(access, provider) if provider else []
    chosen = form.chosen_ids
    return [ApiKeyChoice(pk, name, pk in chosen, _now(keys, pk, provider)) for pk, name in names]


def _now(keys: Sequence[ProviderKey], api_key_id: str, provider: str) -> str:
    resolution = resolve(keys, api_key_id, provider)
    return f"now {resolution.candidates[0].row.name}" if resolution else ""
