"""What is asked about an API key before something is done to it: a dialog over a page, or a page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Self

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from organizations.access import Access
from organizations.models import ApiKey, AuditEvent
from organizations.models.api_key import ApiKeyChanged
from providerkeys.forms import ApiKeyEditForm, DeletionForm, StopForm
from providerkeys.models import ProviderKey
from providerkeys.resolver import Scope
from providerkeys.views.api_key_addresses import origin_url
from providerkeys.views.api_key_listing import ApiKeyRow
from providerkeys.views.form_page import author
from providerkeys.views.htmx import leave
from providerkeys.views.sheet import Sheet

ROTATED: Final = "api_key.rotated"
_NAMED: Final = 12

type DialogForm = ApiKeyEditForm | DeletionForm | StopForm
type Act = Callable[[Mapping[str, Any]], str]
"""Does what was asked about with the form's cleaned data, and returns what is said of it."""


@dataclass(frozen=True, kw_only=True)
class Question(Sheet):
    """One about an API key: the view that answers it, and the form that does, if any."""

    view: str
    form: type[DialogForm] | None = None
    nothing: str = "Nothing was saved."
    """What has become of a form that was refused."""
    about_former: bool = False
    """Whether the old secret is what is asked about, and not the one that took its place."""


QUESTIONS: Final[Mapping[str, Question]] = {
    "edit": Question(
        title="Edit",
        press="Save",
        body="api_key_edit",
        takes_away=False,
        asks=False,
        view="api_key_edit",
        form=ApiKeyEditForm,
    ),
    "enable": Question(
        title="Enable",
        press="Enable",
        body="api_key_confirm",
        to="enabled",
        takes_away=False,
        view="api_key_activation",
    ),
    "disable": Question(
        title="Disable", press="Disable", body="api_key_confirm", to="disabled", view="api_key_activation"
    ),
    "stop": Question(
        title="Stop the old key of",
        press="Stop the old key",
        body="api_key_stop",
        view="api_key_former",
        form=StopForm,
        nothing="Nothing was stopped.",
        about_former=True,
    ),
    "delete": Question(
        title="Delete",
        press="Delete",
        body="api_key_confirm",
        view="api_key_delete",
        form=DeletionForm,
        nothing="Nothing was deleted.",
    ),
}


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
        known = access.all(AuditEvent).filter(target_id=api_key.pk, action__in=(ROTATED, "api_key.updated"))
        events = list(known.filter(details__version__gt=version).order_by("at", "pk"))
        who = dict.fromkeys(author(access, event) for event in events)
        acts = dict.fromkeys(act for event in events for act in _acts(event))
        return cls(" and ".join(who), events[-1].at if events else None, list(acts), events)


def _acts(event: AuditEvent) -> list[str]:
    return ["rotated it"] if event.action == ROTATED else [f"changed its {one}" for one in event.details["changed"]]


@dataclass(frozen=True)
class Dialog:
    """One question about ``api_key``, and what becomes of the answer."""

    request: HttpRequest
    access: Access
    api_key: ApiKey
    action: str

    @property
    def question(self) -> Question:
        return QUESTIONS[self.action]

    def answer(self, act: Act, then: str) -> HttpResponse:
        """Ask; once it is answered, ``act`` and go on to the address ``then``."""
        assert self.question.form  # noqa: S101 -- what has no form is pressed, see ``api_key_activation``.
        if self.request.method != "POST":
            return self.show(self.question.form(self.api_key))
        form = self.question.form(self.api_key, self.request.POST)
        if not form.is_valid():
            return self.show(form, HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            said = act(form.cleaned_data)
        except ApiKeyChanged:
            return self._show_again(self.question.form, form.cleaned_data["version"])
        except ApiKey.DoesNotExist:
            raise Http404 from None
        messages.success(self.request, said)
        return leave(self.request, then)

    def show(self, form: DialogForm | None = None, status: HTTPStatus = HTTPStatus.OK, **more: Any) -> HttpResponse:
        """Ask, or ask again with what is wrong with the answer."""
        where = {"slug": self.access.organization.slug, "key": self.api_key.pk}
        context = {
            "api_key": ApiKeyRow(self.api_key),
            "form": form,
            "action": self.action,
            "action_url": reverse(self.question.view, kwargs=where),
            "cancel_url": origin_url(self.request, self.access, self.api_key.pk),
            "alone": _alone(self.access, self.api_key) if self.question.body == "api_key_confirm" else None,
            **more,
        }
        return self.question.show(self.request, context, status)

    def _show_again(self, form: type[DialogForm], version: int) -> HttpResponse:
        """Nothing was done: say who was first, keep what was typed, and let who was told so go on."""
        data = self.request.POST.copy()
        data["version"] = str(self.api_key.version)
        missed = Missed.since(self.access, self.api_key, version)
        return self.show(form(self.api_key, data), HTTPStatus.CONFLICT, missed=missed, conflict=True)


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
