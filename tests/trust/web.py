"""What the cases of the family WEB share: every address of the site, what a browser would send there, and all that a
request has changed in the database.

Addresses come from the URL configuration. What is typed into a form is ``TYPED``: a route that takes a POST and has no
row there fails ``test_web_00``.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final

import pytest
from django.apps import apps
from django.contrib.admin.utils import quote
from django.contrib.auth.tokens import default_token_generator
from django.db import connection, models
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from organizations.access import Access
from organizations.models import User
from tests.cast import PASSWORD
from tests.fakeproviders import samples
from tests.providerkeys import sample

SECRET: Final = samples.fresh_key("openai", "good")
HTMX: Final = {"HX-Request": "true"}
_PLACE: Final = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
_UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# Of a session and of a failed login nothing is promised here; the rest of these only migrations write.
_ASIDE: Final = frozenset(
    {"django_session", "django_migrations", "django_content_type", "auth_permission", "axes_accessattempt"}
)

type Fields = dict[str, Any]
type Rows = Mapping[tuple[str, str], Mapping[str, Any]]


@dataclass(frozen=True)
class Route:
    """One row of the URL configuration, by its full name, such as ``admin:index``."""

    name: str
    path: str
    pattern: URLPattern

    def __str__(self) -> str:
        return self.name or self.path

    @property
    def is_staffs(self) -> bool:
        return self.path.startswith("/admin/")


def _routes(patterns: list[Any], path: str = "/", space: str = "") -> Iterator[Route]:
    for one in patterns:
        if isinstance(one, URLPattern):
            yield Route(f"{space}{one.name or ''}", f"{path}{one.pattern}", one)
        elif isinstance(one, URLResolver):
            yield from _routes(
                one.url_patterns, f"{path}{one.pattern}", f"{space}{one.namespace}:" if one.namespace else space
            )


ROUTES: Final = tuple(_routes(get_resolver().url_patterns))
CONSOLE: Final = tuple(route for route in ROUTES if not route.is_staffs)
STAFFS: Final = tuple(route for route in ROUTES if route.is_staffs)


@dataclass(frozen=True)
class Side:
    id: str
    routes: tuple[Route, ...]


CONSOLES: Final = Side("console", CONSOLE)
STAFF_PAGES: Final = Side("administration", STAFFS)
each_side = pytest.mark.parametrize("side", [CONSOLES, STAFF_PAGES], ids=lambda side: side.id)


def route(name: str) -> Route:
    [found] = [one for one in ROUTES if one.name == name]
    return found


@dataclass
class Site:
    """Alice's organization with one of everything, and the browsers of who works there."""

    alice: User
    access: Access
    sam: User
    values: dict[str, str] = field(default_factory=dict)
    _allowed: dict[str, str] = field(default_factory=dict)
    _clients: dict[tuple[bool, bool], Client] = field(default_factory=dict)

    @classmethod
    def of(cls, access: Access, dana: User, sam: User) -> "Site":
        """Fill the organization. Needs a letterbox in the place of the broker. Dana has a link for a new password."""
        key, api_key = sample.stored(access), sample.api_key(access)
        check, alice = sample.pressed(access), access.user
        token = default_token_generator.make_token(dana)
        values = {"slug": access.organization.slug, "pk": key.pk, "key": api_key.pk, "chk": check.pk, "token": token}
        return cls(alice, access, sam, {**values, "uidb64": urlsafe_base64_encode(force_bytes(dana.pk))})

    def address(self, of: Route) -> str:
        """The route's address with the ids of this organization's objects in it. Fails where an id is not known."""
        return _PLACE.sub(lambda found: self._value(of, found[1] or found[2]), of.path).replace("^", "").rstrip("$")

    def form_address(self, client: Client, of: Route) -> str:
        """Where the form of the route is: a link's token goes from its address into the session before anybody types."""
        address = self.address(of)
        return client.get(address).headers["Location"] if of.name == "password_reset_confirm" else address

    def _value(self, of: Route, place: str) -> str:
        if place == "object_id":
            return self._object_id(of)
        if place in {"content_type_id", "app_label", "url"}:
            return {"content_type_id": "1", "app_label": "organizations", "url": "nowhere/"}[place]
        assert place in self.values, f"{of}: no value for <{place}>; give Site.of one"
        return self.values[place]

    def _object_id(self, of: Route) -> str:
        """A row of the admin page's model; its first one, the user Sam's own aside."""
        found = re.match(r"/admin/(\w+)/(\w+)/", of.path)
        model = apps.get_model(found[1], found[2]) if found and found[1] != "r" else User
        found_ids = model._default_manager.order_by("pk").values_list("pk", flat=True)[:5]
        # Django admin takes "_4A" in an address for "J", and so in an id that was not quoted.
        return quote(str(next((pk for pk in found_ids if pk != self.sam.pk), "nobody")))

    def client(self, of: Route, *, careful: bool = False) -> Client:
        """The browser of who may use the route: Sam at the administration, else Alice. A ``careful`` one needs tokens."""
        whose = of.is_staffs, careful
        if whose not in self._clients:
            self._clients[whose] = self.new_client(self.sam if of.is_staffs else self.alice, careful=careful)
        return self._clients[whose]

    @staticmethod
    def new_client(user: User | None = None, *, careful: bool = False) -> Client:
        """A browser of its own, to which an error of the server is an answer like any other."""
        client = Client(enforce_csrf_checks=careful, raise_request_exception=False)
        if user:
            client.force_login(user, backend="organizations.backends.MemberBackend")
        return client

    def allowed(self, of: Route) -> str:
        """The methods that the route says it takes. Django admin doesn't say: it takes both everywhere."""
        if of.is_staffs:
            return "GET, POST"
        if of.name not in self._allowed:
            self._allowed[of.name] = self.client(of).options(self.address(of)).headers.get("Allow", "GET, POST")
        return self._allowed[of.name]

    def takes_post(self, of: Route) -> bool:
        return "POST" in self.allowed(of)

    def body(self, of: Route) -> Fields:
        """What a browser sends: the form at this address as it came, and what somebody types into it."""
        if of.is_staffs:
            return _in_form(self.client(of).get(self.address(of)))
        assert of.name in TYPED, f"{of}: no row; say in TYPED what somebody sends there"
        typed = TYPED[of.name]
        page = self.address(route(typed.form) if typed.form else of)
        opened = _in_form(self.new_client().get(page) if typed.anonymous else self.client(of).get(page))
        return {**opened, **typed.fields}


@dataclass(frozen=True)
class Typed:
    """``fields`` are typed into the form at the route's own address, or into that of the route ``form``."""

    fields: Fields = field(default_factory=dict)
    form: str = ""
    anonymous: bool = False


_NEW_KEY: Final = {"provider": "openai", "name": "Production", "provider_key": SECRET, "assign_to_organization": "on"}
TYPED: Final[Mapping[str, Typed]] = {
    "login": Typed({"username": "alice@acme.example", "password": PASSWORD}, anonymous=True),
    "logout": Typed(),
    "password_reset": Typed({"email": "alice@acme.example"}, anonymous=True),
    "password_reset_confirm": Typed(
        {"new_password1": "another long password", "new_password2": "another long password"}
    ),
    "provider_key_new": Typed(_NEW_KEY),
    "check_create": Typed(_NEW_KEY, form="provider_key_new"),
    "provider_key_edit": Typed({"name": "Renamed", "assign_to_organization": "on"}),
    "provider_key_delete": Typed(),
    "provider_key_check_create": Typed(form="provider_key_edit"),
    "outlook": Typed({"provider": "openai", "assign_to_organization": "on"}, form="provider_key_new"),
    "provider_key_outlook": Typed({"assign_to_organization": "on"}, form="provider_key_edit"),
    "provider_key_activation": Typed({"to": "disabled"}),
    "provider_key_position": Typed({"move": "up"}, form="provider_key_delete"),
    "replaced_is_revoked": Typed({"key": "pk_none", "until": "1"}, form="provider_key_delete"),
    "api_key_new": Typed({"name": "staging", "expiration": "30"}),
    "api_key_edit": Typed({"name": "Renamed"}),
    "api_key_rotation": Typed({"old_ends": "now"}),
    "api_key_former": Typed(form="api_key_delete"),
    "api_key_activation": Typed({"to": "disabled"}),
    "api_key_delete": Typed({"confirmation": "production"}),
}
"""What is sent to each route of the console that takes a POST. One with a button alone needs ``Typed()``."""


class Markup(HTMLParser):
    """A page's tags, each with its attributes and the form that it stands in; and the page's text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str], dict[str, str] | None]] = []
        self.text: list[str] = []
        self._form: dict[str, str] | None = None
        self._select = self._textarea = ""
        self.chosen: dict[str, list[str]] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = given
        self.tags.append((tag, given, self._form))
        if tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and "selected" in given and self._select:
            self.chosen.setdefault(self._select, []).append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def markup(answer: Any) -> Markup:
    return Markup(answer.content.decode() if isinstance(answer, HttpResponse) else "")


def _in_form(answer: Any) -> Fields:
    """The fields of a page's own form (the one that is posted and is not for logging out) as they came."""
    page = markup(answer)
    ours = [form for tag, form, _ in page.tags if tag == "form" and form.get("method") == "post"]
    ours = [form for form in ours if "logout" not in form.get("action", "")]
    sent: Fields = {}
    for tag, given, form in page.tags:
        if form in ours and tag == "input" and given.get("name") and not _is_unsent(given):
            sent[given["name"]] = given.get("value", "on" if given.get("type") == "checkbox" else "")
        if form in ours and tag == "textarea" and given.get("name"):
            sent[given["name"]] = ""
    return {**sent, **page.chosen}


def _is_unsent(given: Mapping[str, str]) -> bool:
    kind = given.get("type", "text")
    return kind in {"submit", "file", "search"} or (kind in {"checkbox", "radio"} and "checked" not in given)


# What a request has changed.


def rows() -> Rows:
    """Every row of the database that a person's act could change, by its table and primary key."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            if table not in _ASIDE:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                names = [column[0] for column in cursor.description]
                for values in cursor.fetchall():
                    row = dict(zip(names, values, strict=True))
                    # Each test logs somebody in.
                    row.pop("last_login", None)
                    found[table, str(row[model._meta.pk.column])] = row
    return found


def change(before: Rows, after: Rows) -> dict[tuple[str, str], Any]:
    """The rows that came, went (as ``None``) or are other ones now, and what they are now."""
    return {key: after.get(key) for key in {*before, *after} if before.get(key) != after.get(key)}


def instead(name: str, view: Callable[..., HttpResponse]) -> Callable[[Any], None]:
    """A plant that puts ``view`` in the place of the one that a route leads to."""

    def plant(monkeypatch: Any) -> None:
        monkeypatch.setattr(route(name).pattern, "callback", view)

    return plant


def field_names() -> set[str]:
    """Every name that a column of any model of the site goes by."""
    return {
        name
        for model in apps.get_models(include_auto_created=True)
        for one in model._meta.get_fields()
        if isinstance(one, models.Field)
        for name in (one.name, one.attname)
    }


__all__ = [
    "CONSOLE",
    "CONSOLES",
    "HTMX",
    "ROUTES",
    "SECRET",
    "STAFFS",
    "STAFF_PAGES",
    "TYPED",
    "Fields",
    "Markup",
    "Route",
    "Rows",
    "Side",
    "Site",
    "Typed",
    "change",
    "each_side",
    "field_names",
    "instead",
    "markup",
    "route",
    "rows",
]  # fmt: skip
