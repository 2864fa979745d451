"""GWY-05…08: who is let in, what the others are told, and that nothing but the key decides it."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Final

import pytest
import requests
from django.apps import apps
from django.utils import timezone

from gateway import app, authenticate, headers, refusals, resolve
from gateway.authenticate import Caller
from gateway.refusals import Refusal
from organizations import tokens
from organizations.access import Access
from organizations.actors import Actor
from organizations.models import ApiKey
from providerkeys.models import ProviderKey
from tests.fakeproviders.fixtures import CheckedProviders
from tests.gateway.conftest import forget
from tests.trust.controls import Control, controls
from tests.trust.gwy import (
    BODY,
    ROUTES,
    Gateway,
    api_key,
    ask,
    code,
    counting_queries,
    db,
    keep,
    secret_of,
    windows,
)

NAMES: Final = ("Authorization", "x-api-key")
CHAT: Final = "/v1/chat/completions"


def carrying(name: str, key: str) -> dict[str, str]:
    return {name: f"Bearer {key}" if name == "Authorization" else key}


# GWY-05

HOSTILE: Final = {
    "nothing": "",
    "sql": "' OR '1'='1' --",
    "sql, stacked": "byok_'; DROP TABLE organizations_apikey; --",
    "sql, of a key's length": "byok_" + "'||(SELECT+digest+FROM+organizations_apikey)||'" + "0" * 3,
    "ldap": "*)(uid=*))(|(uid=*",
    "a path": "../../../../etc/passwd",
    "a template": "{{7*7}}${7*7}#{7*7}",
    "a percent-encoded NUL": "byok_%00" + "0" * 47,
    "unicode": "byok_\u00e9\u2603".encode().decode("latin-1"),
    "unicode that looks like digits": ("byok_" + "\u0663" * 50).encode().decode("latin-1"),
    "a wildcard": "byok_" + "%" * 50,
    "a pattern": "byok_" + "_" * 50,
    "the prefix alone": "byok_",
    "much": "byok_" + "a" * 8000,
    "a provider's key": "sk-proj-" + "FAKE" * 20,
}


@pytest.mark.parametrize("name", NAMES)
def test_gwy_05_what_is_no_key_is_a_401_and_costs_nothing(gateway: Gateway, name: str) -> None:
    with counting_queries() as sent:
        for what, value in HOSTILE.items():
            for scheme in ("Bearer ", "") if name == "Authorization" else ("",):
                assert code(ask(gateway, {name: scheme + value}))[0] == 401, what
    assert sent == []


@pytest.mark.parametrize("name", NAMES)
def test_gwy_05_what_could_be_one_costs_the_same_query_whatever_it_is(gateway: Gateway, name: str) -> None:
    counts = list[int]()
    for _ in range(5):
        with counting_queries() as sent:
            assert code(ask(gateway, carrying(name, tokens.mint("byok_").plaintext)))[0] == 401
        counts.append(len(sent))
    assert counts == [1] * 5


# GWY-06

SOFTWARE: Final = (
    *(
        "django",
        "uvicorn",
        "httptools",
        "uvloop",
        "asgi",
        "python",
        "aiohttp",
        "psycopg",
        "postgres",
        "sqlite",
        "celery",
    ),
    *(
        "redis",
        "valkey",
        "fernet",
        "traceback",
        "exception",
        "/work",
        "site-packages",
        "select ",
        "localhost",
        "127.0.0.1",
    ),
)


def refused(gateway: Gateway, access: Access, key: str) -> Iterable[requests.Response]:
    """A refusal of each kind that the gateway knows."""
    mine = {"x-api-key": key}
    yield ask(gateway, {})
    yield ask(gateway, {"x-api-key": key[:-1] + "!"})
    yield ask(gateway, {"x-api-key": tokens.mint("byok_").plaintext})
    yield ask(gateway, mine)
    yield ask(gateway, mine, model="gpt-4o")
    yield ask(gateway, mine, model=f"nobody/{key}")
    yield ask(gateway, mine, model="")
    yield ask(gateway, mine, "/v1/messages", model="openai/gpt-4o")
    yield ask(gateway, mine, "/v1/models/openai/gpt-4o")
    yield gateway.send("POST", CHAT, mine, data=b"{" + key.encode())
    yield gateway.send("POST", CHAT, {**mine, "content-length": "99999999"}, data=b"")
    yield gateway.send("GET", CHAT, mine)
    yield gateway.send("POST", "/v1/files", mine, json=BODY)
    for scenario in ("close", "redirect302"):
        provider_key = keep(access, scenario=scenario)
        forget()
        yield ask(gateway, mine)
        provider_key.disable(access)
        forget()
        yield ask(gateway, mine)
        provider_key.delete_by(access)
    ApiKey.objects.get().disable(access)
    forget()
    yield ask(gateway, mine)


def test_gwy_06_no_refusal_tells_anything(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    """Neither of the key nor of its digest, of no table, and of no software."""
    tables = [model._meta.db_table for model in apps.get_models()]
    parts = windows(api_key[17:]) | windows(tokens.digest(api_key))
    statuses = set[int]()
    for answer in refused(gateway, alice_access, api_key):
        statuses.add(answer.status_code)
        said = "\n".join([answer.text, *(f"{name}: {value}" for name, value in answer.headers.items())])
        assert not [part for part in parts if part in said], answer.status_code
        told = said.lower()
        assert not [word for word in (*SOFTWARE, *tables) if word in told], said
        assert answer.headers["content-type"] == "application/json"
    assert statuses == {400, 401, 403, 404, 405, 413, 502}


# GWY-07


def restrictions(access: Access) -> dict[str, tuple[str, Callable[[], object]]]:
    """An API key for each way in which one is restricted, and what restricts it."""
    made = {name: ApiKey.issue(access, name) for name in ("good", "disabled", "expired", "deleted")}
    past = timezone.now() - timedelta(seconds=1)
    return {
        "good": (made["good"][1], lambda: None),
        "disabled": (made["disabled"][1], lambda: made["disabled"][0].disable(access)),
        "expired": (made["expired"][1], lambda: ApiKey.objects.filter(name="expired").update(expires_at=past)),
        "deleted": (made["deleted"][1], lambda: made["deleted"][0].delete_by(access)),
    }


def test_gwy_07_both_headers_have_the_same_restrictions_at_every_route(gateway: Gateway, alice_access: Access) -> None:
    keys = restrictions(alice_access)
    for _, restrict in keys.values():
        restrict()
    forget()
    expected = {"good": {200, 400, 403, 404}, "disabled": {401}, "expired": {401}, "deleted": {401}}
    for what, (key, _) in keys.items():
        for _, path in ROUTES:
            one, other = (code(ask(gateway, carrying(name, key), path)) for name in NAMES)
            assert one == other, (what, path)
            assert one[0] in expected[what], (what, path)
    alice_access.organization.suspend(Actor.system("test"))
    forget()
    for _, path in ROUTES:
        found = {ask(gateway, carrying(name, keys["good"][0]), path).status_code for name in NAMES}
        assert found == {403}, path


def test_gwy_07_a_key_stands_nowhere_else(gateway: Gateway, api_key: str) -> None:
    """Not in another header or the address; and a key of another kind is none."""
    elsewhere: list[tuple[dict[str, str], str]] = [
        ({"x-goog-api-key": api_key}, ""),
        ({"api-key": api_key}, ""),
        ({"Proxy-Authorization": f"Bearer {api_key}"}, ""),
        ({"Cookie": f"x-api-key={api_key}; authorization={api_key}"}, ""),
        ({}, f"?key={api_key}&api_key={api_key}&access_token={api_key}"),
        ({"Authorization": f"Basic {api_key}"}, ""),
        ({"x-api-key": api_key.replace("byok_", "byokc_")}, ""),
        ({"x-api-key": f"{api_key},{api_key}"}, ""),
        ({"x-api-key": api_key.swapcase()}, ""),
    ]
    for given, query in elsewhere:
        assert code(ask(gateway, given, CHAT + query))[0] == 401, given


def test_gwy_07_two_keys_are_none_and_the_same_twice_is_one(
    gateway: Gateway, api_key: str, alice_access: Access
) -> None:
    other = ApiKey.issue(alice_access, "other")[1]
    assert code(ask(gateway, {"Authorization": f"Bearer {api_key}", "x-api-key": other})) == (401, "missing_api_key")
    assert code(ask(gateway, {"Authorization": f"Bearer {api_key}", "x-api-key": api_key})) == (403, "no_provider_key")


# GWY-08

FORGED: Final = {
    "x-byok-provider": "anthropic",
    "x-byok-attempts": "7",
    "x-forwarded-host": "evil.example",
    "x-forwarded-for": "10.0.0.1",
    "forwarded": "host=evil.example",
    "host": "evil.example",
    "x-request-id": "req_forged",
    "openai-organization": "org-fake",
    "openai-project": "proj_fake",
    "api-key": "sk-fake",
    "x-amz-security-token": "fake",
    "x-goog-user-project": "fake",
    "x-user-id": "1",
    "x-admin": "true",
    "x-http-method-override": "DELETE",
    "connection": "keep-alive, x-api-key",
    "cookie": "session=forged",
}


def test_gwy_08_a_forged_header_changes_nothing(
    gateway: Gateway, providers: CheckedProviders, api_key: str, alice_access: Access, charlie_access: Access
) -> None:
    own, foreign = keep(alice_access), keep(charlie_access)
    forged = {
        **FORGED,
        "x-byok-provider-key": foreign.pk,
        "x-byok-organization": foreign.organization_id,
        "x-byok-api-key": foreign.pk,
    }
    answer = ask(gateway, {**forged, "x-api-key": api_key})
    assert (answer.status_code, answer.headers["x-byok-provider-key"]) == (200, own.pk)
    assert (answer.headers["x-byok-provider"], answer.headers["x-byok-attempts"]) == ("openai", "1")
    assert answer.headers["x-request-id"] != "req_forged"
    (received,) = providers.requests(name="openai")
    assert received.credential == secret_of(own)
    sent = {name: value for name, value in received.headers if name in forged}
    assert set(sent) <= {"host", "connection"}
    assert "evil" not in str(sent)


# Defects


def letting_odd_keys_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if what no key looks like were looked up all the same."""
    monkeypatch.setattr(tokens, "lookup_of", lambda _, plaintext: plaintext[5:17] or "x")


def a_query_for_each_character(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = ApiKey.find

    def find(plaintext: str) -> ApiKey | None:
        if plaintext[5] in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef":
            ApiKey.objects.filter(lookup=plaintext[5:17]).exists()
        ApiKey.objects.filter(lookup=plaintext[5:17]).exists()
        return honest(plaintext)

    monkeypatch.setattr(ApiKey, "find", find)


def saying(text: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Every refusal says more than it should."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        honest = Refusal.body
        monkeypatch.setattr(
            refusals.Refusal, "body", lambda self, *rest: honest(self, *rest)[:-1] + f', "debug": "{text}"}}'.encode()
        )

    plant.__name__ = f"saying {text[:12]}"
    return plant


def the_key_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = authenticate._key_in

    def key_in(given: list[tuple[bytes, bytes]]) -> str:
        key = honest(given)
        monkeypatch.setattr(resolve, "_refusal", lambda *_: Refusal(403, "no_provider_key", f"No key for {key}."))
        return key

    monkeypatch.setattr(authenticate, "_key_in", key_in)


def one_header_unrestricted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes by ``x-api-key`` is not asked whether the key may still be used."""
    honest = authenticate.authenticate

    async def lenient(given: list[tuple[bytes, bytes]]) -> Caller:
        caller = await honest(given)
        if not any(name == b"authorization" for name, _ in given):
            fields = {name: getattr(caller, name) for name in ("id", "name", "hint", "organization_id")}
            return Caller(**fields, enabled=True, expires_at=None, suspended=False)
        return caller

    monkeypatch.setattr(app, "authenticate", lenient)


def any_header_that_holds_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def key_in(given: list[tuple[bytes, bytes]]) -> str:
        values = [value.decode("latin-1").removeprefix("Bearer ") for _, value in given]
        return next((value for value in values if tokens.lookup_of("byok_", value)), "")

    monkeypatch.setattr(authenticate, "_key_in", key_in)


def the_first_of_two_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = authenticate._key_in
    monkeypatch.setattr(
        authenticate, "_key_in", lambda given: honest([pair for pair in given if pair[0] != b"authorization"])
    )


def believing_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider key is the one that the caller names."""
    honest = resolve._load

    def load(caller: Caller, provider: Any) -> Any:
        foreign = ProviderKey.objects.exclude(organization_id=caller.organization_id).first()
        other = caller if foreign is None else _of(caller, foreign.organization_id)
        return honest(other, provider)

    monkeypatch.setattr(resolve, "_load", load)


def _of(caller: Caller, organization_id: str) -> Caller:
    return Caller(caller.id, caller.name, caller.hint, organization_id, enabled=True, expires_at=None, suspended=False)


def passing_all_headers_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "_TO_PROVIDER", {name.encode() for name in FORGED} - {b"host", b"connection"})


@controls(
    [
        *(
            Control(test_gwy_05_what_is_no_key_is_a_401_and_costs_nothing, letting_odd_keys_through, {"name": name})
            for name in NAMES
        ),
        Control(
            test_gwy_05_what_could_be_one_costs_the_same_query_whatever_it_is,
            a_query_for_each_character,
            {"name": "x-api-key"},
        ),
        *(
            Control(test_gwy_06_no_refusal_tells_anything, plant)
            for plant in (
                saying("organizations_apikey has no such row"),
                saying("uvicorn 0.54"),
                the_key_in_the_message,
            )
        ),
        Control(test_gwy_07_both_headers_have_the_same_restrictions_at_every_route, one_header_unrestricted),
        Control(test_gwy_07_a_key_stands_nowhere_else, any_header_that_holds_a_key),
        Control(test_gwy_07_two_keys_are_none_and_the_same_twice_is_one, the_first_of_two_keys),
        Control(test_gwy_08_a_forged_header_changes_nothing, believing_a_header),
        Control(test_gwy_08_a_forged_header_changes_nothing, passing_all_headers_on),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
    # What was sent in vain was noted, as it must be.
    request.getfixturevalue("providers").reset()


__all__ = ["api_key", "db"]
