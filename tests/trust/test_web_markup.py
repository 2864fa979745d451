"""WEB-12 to -15: what pages hold: secret fields that say nothing back, and names that are nothing but text."""

import ast
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import time_machine
from django.conf import settings as ours
from django.http import HttpRequest, HttpResponse
from django.template import base as template_base
from django.utils import html as django_html
from django.utils.safestring import mark_safe

from organizations.models import ApiKey, Organization, User
from providerkeys.models import ProviderKey
from providerkeys.providers import registry
from providerkeys.providers.base import CredentialKind
from tests.providerkeys.providers.service_account_inputs import GOOD
from tests.trust.controls import Control, controls
from tests.trust.holders import ACCOUNT, REGION
from tests.trust.inputs import access_keys
from tests.trust.web import CONSOLES, HTMX, ROUTES, SECRET, Markup, Route, Side, Site, each_side, markup, route

pytestmark = [pytest.mark.django_db, pytest.mark.database]

SECRET_NAMES: Final = re.compile(r"provider_key|.*secret_access_key|.*password\d?")
NEW: Final = "/orgs/acme/provider-keys/new/"
MAY_SAY: Final = frozenset({"name", "id", "type", "class", "required", "aria-invalid", "aria-describedby", "autofocus"})
HOW: Final = frozenset(
    {"autocomplete", "spellcheck", "rows", "cols", "placeholder", "aria-label", "maxlength", "autocapitalize"}
)


def pages(site: Site) -> Iterator[tuple[str, str, Any]]:
    """Each page as a whole and as htmx asks for it: its route, its address, the answer. A form for each provider, and for
    a stored key of each kind, is a page of its own.
    """
    others = [holder.stored(site.access).owner.pk for holder in (ACCOUNT, REGION)]
    for one in ROUTES:
        if "GET" in site.allowed(one):
            addresses = [site.address(one)]
            if one.name == "provider_key_new":
                addresses += [f"{NEW}?provider={provider.slug}" for provider in registry.all()]
            elif one.name == "provider_key_edit":
                addresses += [addresses[0].replace(site.values["pk"], pk) for pk in others]
            elif one.name in {"login", "password_reset"}:
                yield str(one), addresses[0], site.new_client().get(addresses[0])
            for address in addresses:
                yield str(one), address, site.client(one).get(address, follow=one.name == "password_reset_confirm")
                if not one.is_staffs:
                    yield str(one), f"{address} to htmx", site.client(one).get(address, headers=HTMX)


@pytest.mark.long
def test_web_12_a_secret_field_says_nothing_back(site: Site) -> None:
    found = Counter[str]()

    for name, address, answer in pages(site):
        for tag, given, form in markup(answer).tags:
            if tag not in {"input", "textarea"} or not SECRET_NAMES.fullmatch(given.get("name", "")):
                continue
            if given.get("type") == "hidden" or (name.startswith("admin:") and given.get("type") != "password"):
                continue
            found[f"{given['name']} {given.get('type', tag)}"] += 1
            assert set(given) <= MAY_SAY | HOW, (address, set(given) - MAY_SAY - HOW)
            assert given.get("type") == "password" or tag == "textarea", address
            is_ours = "password" not in given["name"]
            assert given.get("autocomplete") in (
                {"off", "new-password"} if is_ours else {"current-password", "new-password"}
            )
            assert not is_ours or given.get("spellcheck") == "false", address
            # Neither by an address nor to another site.
            if form is not None:
                assert form.get("method", "").lower() == "post", address
                assert form.get("action", "/").startswith("/"), address

    kinds = {
        "provider_key password",
        "provider_key textarea",
        "regions-0-secret_access_key password",
        "password password",
    }
    assert kinds <= set(found)


TYPED: Final[dict[CredentialKind, tuple[str, dict[str, Any]]]] = {
    CredentialKind.API_KEY: ("openai", {"provider_key": SECRET}),
    CredentialKind.SERVICE_ACCOUNT: ("google_vertex_ai", {"provider_key": GOOD}),
    CredentialKind.IAM_REGIONS: ("bedrock", access_keys.row()),
}


@pytest.mark.parametrize("kind", TYPED, ids=lambda kind: kind.name)
def test_web_13_after_a_refusal_of_another_field_secrets_are_typed_again(kind: CredentialKind, site: Site) -> None:
    provider, typed = TYPED[kind]
    secrets = {name: str(value) for name, value in typed.items() if SECRET_NAMES.fullmatch(name)}
    assert secrets
    for headers in ({}, HTMX):
        body = {"provider": provider, "name": "", "assign_to_organization": "on", **typed}
        answer = site.client(route("provider_key_new")).post(NEW, body, headers=headers)
        text = answer.content.decode()
        page = Markup(text)
        fields = {given["name"]: given for _, given, _ in page.tags if given.get("name") in secrets}
        assert answer.status_code == 422
        assert set(fields) == set(secrets)
        assert not [name for name, given in fields.items() if "value" in given]
        assert not [name for name, secret in secrets.items() if _random_part(secret) in text]
        assert "again" in " ".join(page.text)
        # What is no secret is kept.
        assert all(str(value) in text for name, value in typed.items() if name not in secrets)


def _random_part(secret: str) -> str:
    """Eight characters of a secret that stand nowhere else: of a service account's file, some of its private key."""
    inner = json.loads(secret)["private_key"][200:] if secret.startswith("{") else secret[-20:]
    return str(inner)[:8]


# Names.

HOSTILE: Final = (
    "<script>hits.push(1)</script>", "<img src=x onerror=hits.push(1)>", "<svg onload=hits.push(1)>", "</td></tr></table><h1>x", "</title><b>x",
    "</textarea><b>", "</script><script>hits.push(1)//", "\"><img src=x onerror='hits.push(1)'>", "' onmouseover='hits.push(1)", '" autofocus onfocus="hits.push(1)',
    "<b hx-get='/logout/' hx-trigger='load'>", "<i hx-on:click=hits.push(1)>", "<i data-hx-on-load=hits.push(1)>", "<a href=javascript:hits.push(1)>x</a>",
    "<iframe srcdoc='<script>1</script>'>", "<base href=//evil.example>", "<meta http-equiv=refresh content=0>", "<style>*{display:none}</style>",
    "<form action=//evil.example>", "<template shadowrootmode=open>", "{{7*7}}", "{% include 'base.html' %}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "%(name)s",
    "%s%s%n", "{0.__class__}", "&lt;b&gt;", "&#60;b&#62;", "&amp;", "\\u003cb\\u003e", "\u202egpj.exe", "\u2066x\u2069", "e\u0301\u0327\u0489" * 4, "\U0001f9d1\u200d\U0001f680 🧪",
    "مفتاح \u200f(1)", "--><!-- x", "]]><![CDATA[", "`${hits.push(1)}`", "=cmd|'/c'!A1", "javascript:hits.push(1)", "../../admin/", "\u0000x".replace("\u0000", "\ufffd"),
)  # fmt: skip


def name_everything(site: Site, named: list[str]) -> None:
    """Let everything that people name bear these names, as nobody can by a form."""
    Organization.objects.filter(pk=site.access.organization.pk).update(name=named[0])
    User.objects.exclude(name="Sam").update(name=named[1])
    ApiKey.objects.filter(pk=site.values["key"]).update(name=named[2])
    ProviderKey.objects.filter(pk=site.values["pk"]).update(name=named[3], hint=named[4][:30])
    ApiKey.objects.bulk_create(
        # The administration's page is that of the first id: it has to be the same key's each time.
        ApiKey(
            pk=f"key_{at:022}",
            organization=site.access.organization,
            name=name,
            hint="byok_…",
            lookup=f"l{at}",
            digest=f"{at:064x}",
        )
        for at, name in enumerate(named)
    )
    key = ProviderKey.objects.get(pk=site.values["pk"])
    for at, name in enumerate(named):
        key.pk, key.name, key.position = f"pk_{at:022}", name, 100 + at
        key._state.adding = True
        ProviderKey.objects.bulk_create([key])


def skeleton(page: Markup) -> Counter[str]:
    """Every tag with the names of its attributes, but for those of a row's own number."""
    return Counter(f"{tag} {' '.join(sorted(given))}" for tag, given, _ in page.tags)


HOME: Final = {"console": "provider_key_list", "administration": "admin:index"}


@pytest.mark.long
@each_side
def test_web_14_a_name_is_text_on_every_page(side: Side, site: Site) -> None:
    calm = [f"{number} harmless" for number in range(len(HOSTILE))]
    seen: list[dict[str, Markup]] = []
    now = datetime.now(UTC)
    for named in (calm, list(HOSTILE)):
        name_everything(site, named) if not seen else rename(site, named)
        addresses = [
            (one, site.address(one)) for one in side.routes if _names_somebody(one) and "GET" in site.allowed(one)
        ]
        # A page also tells what the one before it has left to be told.
        site.client(addresses[0][0]).get(site.address(route(HOME[side.id])))
        # A page says more of a check that nobody has taken up for five seconds.
        with time_machine.travel(now, tick=False):
            found = {str(one): markup(site.client(one).get(address)) for one, address in addresses}
            if side is CONSOLES:
                found |= {f"{one} to htmx": markup(site.client(one).get(to, headers=HTMX)) for one, to in addresses}
        seen.append(found)

    for address, page in seen[1].items():
        more = skeleton(page) - skeleton(seen[0][address])
        assert not more, (address, dict(more))
    shown = {address: " ".join(page.text) for address, page in seen[1].items()}
    lists = {"provider_key_list", "api_key_list", "admin:providerkeys_providerkey_changelist"} & set(shown)
    for address in lists:
        assert [name for name in HOSTILE if name.strip() not in shown[address]] == [], address


def _names_somebody(one: Route) -> bool:
    """Whether anything on the page is ours to name: of the administration's own tables nothing is."""
    return not one.name.startswith(("admin:axes", "admin:auth"))


def rename(site: Site, named: list[str]) -> None:
    for model in (ApiKey, ProviderKey):
        model._default_manager.filter(organization=site.access.organization).exclude(
            pk__in=[site.values["pk"], site.values["key"]]
        ).delete()
    name_everything(site, named)


# Sources.

ROOMS: Final = ("organizations", "providerkeys", "gateway", "byok_site")
_UNESCAPED: Final = re.compile(r"\|\s*safe(seq)?\b|autoescape\s+off|hx-vals|hx-vars|hx-on|hx-headers")


def unsafe_templates(files: dict[str, str]) -> set[str]:
    """The templates that let text through unescaped, or build values for htmx by hand."""
    return {name for name, text in files.items() if _UNESCAPED.search(text)}


def unsafe_calls(source: str) -> list[str]:
    """Where text is called safe, or markup is built from anything but a literal with placeholders."""
    found = []
    for node in (one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.Call)):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in {"mark_safe", "SafeString", "SafeText", "html_safe"}:
            found.append(f"{node.lineno}: {name}")
        if name in {"format_html", "format_html_join"} and not all(
            isinstance(one, ast.Constant) for one in node.args[:1]
        ):
            found.append(f"{node.lineno}: markup that is put together")
    return found


def own_templates() -> dict[str, str]:
    files = Path(ours.ROOT, "templates").rglob("*.*")
    return {str(file): file.read_text() for file in files if file.suffix == ".html"}


def own_sources() -> dict[str, str]:
    return {str(file): file.read_text() for room in ROOMS for file in Path(ours.ROOT, room).rglob("*.py")}


def test_web_15_nothing_is_called_safe() -> None:
    assert unsafe_templates(own_templates()) == set()
    assert {file: found for file, text in own_sources().items() if (found := unsafe_calls(text))} == {}


# Defects.


def a_field_that_shows_what_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(
        monkeypatch, lambda page, typed: page.replace('name="provider_key"', f'name="provider_key" value="{typed}"')
    )


def a_field_with_more_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch, lambda page, _: page.replace('name="provider_key"', 'name="provider_key" data-was="sk-…"'))


def djangos_own_textarea(monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch, lambda page, typed: page.replace("></textarea>", f">{typed}</textarea>"))


def _answering(monkeypatch: pytest.MonkeyPatch, edit: Callable[[str, str], str]) -> None:
    honest = route("provider_key_new").pattern.callback

    def view(request: HttpRequest, **given: Any) -> HttpResponse:
        answer: HttpResponse = honest(request, **given)
        answer.content = edit(answer.content.decode(), request.POST.get("provider_key", "")).encode()
        return answer

    monkeypatch.setattr(route("provider_key_new").pattern, "callback", view)


def escaping_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_base, "conditional_escape", mark_safe)


def escaping_no_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = django_html.conditional_escape
    monkeypatch.setattr(
        template_base, "conditional_escape", lambda value: mark_safe(honest(value).replace("&quot;", '"'))
    )  # fmt: skip


def a_template_that_lets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = own_templates()
    monkeypatch.setattr(f"{__name__}.own_templates", lambda: {**honest, "new.html": "<p>{{ key.name|safe }}</p>"})


def markup_from_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = own_sources()
    monkeypatch.setattr(f"{__name__}.own_sources", lambda: {**honest, "new.py": "format_html(f'<b>{name}</b>')"})


@pytest.mark.long
@controls(
    [
        Control(test_web_12_a_secret_field_says_nothing_back, a_field_with_more_to_say),
        Control(test_web_13_after_a_refusal_of_another_field_secrets_are_typed_again, djangos_own_textarea, {"kind": CredentialKind.SERVICE_ACCOUNT}),
        Control(test_web_13_after_a_refusal_of_another_field_secrets_are_typed_again, a_field_that_shows_what_was_typed, {"kind": CredentialKind.API_KEY}),
        Control(test_web_14_a_name_is_text_on_every_page, escaping_nothing, {"side": CONSOLES}),
        Control(test_web_14_a_name_is_text_on_every_page, escaping_no_quotes, {"side": CONSOLES}),
        Control(test_web_15_nothing_is_called_safe, a_template_that_lets_through),
        Control(test_web_15_nothing_is_called_safe, markup_from_a_name),
    ]
)  # fmt: skip
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
