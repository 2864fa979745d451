"""GWY-10, -11: which provider key serves, asked of the gateway and of the console alike; and that nothing ever spills."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

import pytest
from django.utils import timezone

from gateway import resolve as loading
from gateway.authenticate import Caller
from organizations.access import Access, access_for
from organizations.models import ApiKey, Organization, Role
from providerkeys import resolver
from providerkeys.models import ProviderKey
from providerkeys.providers import registry
from providerkeys.resolver import Judged, Resolution, Row, Why
from providerkeys.views import answers
from tests.cast import member_of
from tests.fakeproviders.fixtures import CheckedProviders
from tests.gateway.conftest import forget
from tests.trust.controls import Control, controls
from tests.trust.gwy import Gateway, code, db, keep, row, secret_of

pytestmark = pytest.mark.database

STATES: Final = ("absent", "enabled", "disabled", "unreadable")


@dataclass(frozen=True)
class Case:
    """The states of two keys assigned to the API key, and of one for the organization, in the order of position."""

    first: str
    second: str
    organization: str

    def __str__(self) -> str:
        return f"{self.first}-{self.second}-{self.organization}"

    @property
    def serving(self) -> str:
        """The name of the key that serves first, or why none does."""
        asked = {"first": self.first, "second": self.second}
        present = {name: state for name, state in asked.items() if state != "absent"}
        if not present:
            present = {} if self.organization == "absent" else {"organization": self.organization}
        enabled = [name for name, state in present.items() if state == "enabled"]
        if enabled:
            return enabled[0]
        if "unreadable" in present.values():
            return "503 unreadable"
        return "403 disabled" if present else "403 no_provider_key"


CASES: Final = tuple(Case(*states) for states in product(STATES, repeat=3))
TELLING: Final = (
    Case("enabled", "enabled", "enabled"),
    Case("disabled", "absent", "enabled"),
    Case("disabled", "enabled", "enabled"),
    Case("unreadable", "absent", "enabled"),
    Case("absent", "absent", "enabled"),
)
"""Those in which each rule shows."""
TABLES: Final = {"all": CASES, "telling": TELLING}


@pytest.fixture
def issued(alice_access: Access) -> tuple[ApiKey, str]:
    return ApiKey.issue(alice_access, "production")


def put(key: ProviderKey, state: str, access: Access) -> None:
    if state == "disabled":
        key.disable(access)
    elif state == "unreadable":
        row(ProviderKey, key.pk, unreadable_at=timezone.now())


def arrange(case: Case, api_key: ApiKey, access: Access) -> dict[str, ProviderKey]:
    wanted = {"organization": case.organization, "first": case.first, "second": case.second}
    found = {}
    # The organization-wide one comes first by position: a tier beats it all the same.
    for name, state in wanted.items():
        if state != "absent":
            found[name] = keep(access, name=name, api_keys=() if name == "organization" else (api_key,))
            put(found[name], state, access)
    return found


# GWY-11


@pytest.mark.long
@pytest.mark.parametrize("table", ["all"])
def test_gwy_11_gateway_and_console_say_the_same(table: str, gateway: Gateway, providers: CheckedProviders) -> None:
    """All cases beside each other, each in an organization of its own."""
    wrong = {str(case): told for case in TABLES[table] if (told := difference(gateway, providers, case))}
    assert not wrong, wrong


def difference(gateway: Gateway, providers: CheckedProviders, case: Case) -> str:
    """What is not as it should be; empty when gateway and console both say what the table says."""
    organization = Organization.objects.create(name=f"Case {case}")
    access = access_for(member_of(organization, "Alice", Role.ADMIN), organization.slug)
    api_key, plaintext = ApiKey.issue(access, "production")
    keys = arrange(case, api_key, access)
    asked = providers.total("openai")
    answer = gateway.post(plaintext)
    console = answers.Answer.of(registry.get("openai"), answers.resolvable_keys(access), api_key.pk)
    served = next((name for name, key in keys.items() if answer.headers.get("x-byok-provider-key") == key.pk), "")
    said = served if answer.ok else " ".join(map(str, code(answer)))
    shown = next((key.name for key in console.keys), "")
    sent = providers.total("openai") - asked
    expected = (case.serving, case.serving if case.serving in keys else "", int(case.serving in keys))
    return "" if (said, shown, sent) == expected else f"{(said, shown, sent)}, not {expected}"


# GWY-10


def test_gwy_10_a_disabled_specific_key_refuses(
    gateway: Gateway, providers: CheckedProviders, issued: tuple[ApiKey, str], alice_access: Access
) -> None:
    keep(alice_access)
    keep(alice_access, api_keys=(issued[0],)).disable(alice_access)
    assert code(gateway.post(issued[1])) == (403, "disabled")
    assert not providers.requests()


def test_gwy_10_an_unreadable_one_is_a_503(
    gateway: Gateway, providers: CheckedProviders, issued: tuple[ApiKey, str], alice_access: Access
) -> None:
    keep(alice_access)
    specific = keep(alice_access, api_keys=(issued[0],))
    row(ProviderKey, specific.pk, unreadable_at=timezone.now())
    assert code(gateway.post(issued[1])) == (503, "unreadable")
    assert not providers.requests()


def test_gwy_10_another_organizations_key_never_serves(
    gateway: Gateway, providers: CheckedProviders, issued: tuple[ApiKey, str], charlie_access: Access
) -> None:
    keep(charlie_access)
    assert code(gateway.post(issued[1])) == (403, "no_provider_key")
    assert not providers.requests()


def test_gwy_10_another_providers_key_never_serves(
    gateway: Gateway, providers: CheckedProviders, issued: tuple[ApiKey, str], alice_access: Access
) -> None:
    keep(alice_access, "mistral")
    assert code(gateway.post(issued[1])) == (403, "no_provider_key")
    assert not providers.requests()


def test_gwy_10_a_key_of_other_api_keys_never_serves(
    gateway: Gateway, providers: CheckedProviders, issued: tuple[ApiKey, str], alice_access: Access
) -> None:
    keep(alice_access, api_keys=(ApiKey.issue(alice_access, "staging")[0],))
    assert code(gateway.post(issued[1])) == (403, "no_provider_key")
    assert not providers.requests()


def test_gwy_10_the_operators_own_key_never_serves(
    gateway: Gateway, providers: CheckedProviders, issued: tuple[ApiKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment of the process holds."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "MISTRAL_API_KEY"):
        monkeypatch.setenv(name, "sk-FAKE-of-the-operator")
    assert code(gateway.post(issued[1])) == (403, "no_provider_key")
    assert not providers.requests()


@pytest.mark.parametrize("how", ["deleted", "assigned to others"])
def test_gwy_10_without_its_own_key_the_organizations_serves(
    how: str, gateway: Gateway, providers: CheckedProviders, issued: tuple[ApiKey, str], alice_access: Access
) -> None:
    whole, specific = keep(alice_access), keep(alice_access, api_keys=(issued[0],))
    assert gateway.post(issued[1]).headers["x-byok-provider-key"] == specific.pk
    if how == "deleted":
        specific.delete_by(alice_access)
    else:
        specific.assignments.all().delete()
    forget()
    assert gateway.post(issued[1]).headers["x-byok-provider-key"] == whole.pk
    assert [received.credential for received in providers.requests(name="openai")][-1] == secret_of(whole)


def test_gwy_10_only_keys_of_one_tier_take_over(
    gateway: Gateway, providers: CheckedProviders, issued: tuple[ApiKey, str], alice_access: Access
) -> None:
    """Where the specific one fails at its provider, the organization-wide one is not asked."""
    keep(alice_access)
    specific = keep(alice_access, scenario="error500", api_keys=(issued[0],))
    answer = gateway.post(issued[1])
    assert (answer.status_code, answer.headers["x-byok-provider-key"]) == (500, specific.pk)
    assert [received.credential for received in providers.requests(name="openai")] == [secret_of(specific)]


# Defects


def spilling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tier that can't serve leaves it to the next one."""
    honest = resolver.resolve

    def resolve[R: Row](rows: Iterable[R], api_key_id: str, provider: str) -> Resolution[R]:
        known = list(rows)
        return honest(known, api_key_id, provider) or honest(
            [one for one in known if one.scope == resolver.Scope.ORGANIZATION], api_key_id, provider
        )

    _everywhere(monkeypatch, resolve)
    _loading_all(monkeypatch)


def by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at positions: the second comes before the first."""
    honest = resolver.resolve

    def resolve[R: Row](rows: Iterable[R], api_key_id: str, provider: str) -> Resolution[R]:
        found = honest(rows, api_key_id, provider)
        return Resolution(tuple(reversed(found.candidates)), found.others)

    _everywhere(monkeypatch, resolve)


def a_console_of_another_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway is right, and the page shows something else."""
    honest = resolver.resolve

    def resolve[R: Row](rows: Iterable[R], api_key_id: str, provider: str) -> Resolution[R]:
        return honest([one for one in rows if one.enabled], api_key_id, provider)

    monkeypatch.setattr(answers, "resolve", resolve)


def calling_all_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = loading._candidate
    monkeypatch.setattr(loading, "_candidate", lambda *rest: replace(honest(*rest), readable=True))


def any_key_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's key is better than none."""

    def load(caller: Caller, provider: Any) -> Resolution[loading.Candidate]:
        rows = [loading._candidate(key, caller, set()) for key in ProviderKey.objects.filter(enabled=True)]
        return Resolution(tuple(Judged(one, Why.ASSIGNED) for one in rows), ())

    monkeypatch.setattr(loading, "_load", load)


def the_operators_key(monkeypatch: pytest.MonkeyPatch) -> None:
    honest, stored = loading._load, keep_one_aside()

    def load(caller: Caller, provider: Any) -> Resolution[loading.Candidate]:
        found = honest(caller, provider)
        return found or Resolution((Judged(loading._candidate(stored, caller, set()), Why.ORGANIZATION_WIDE),), ())

    monkeypatch.setattr(loading, "_load", load)


def keep_one_aside() -> ProviderKey:
    """A key of whoever runs the server."""
    organization = Organization.objects.create(name="Operator")
    return keep(access_for(member_of(organization, "Olga", Role.ADMIN), organization.slug))


def both_tiers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is assigned comes first, and then everything else."""
    honest = resolver.resolve

    def resolve[R: Row](rows: Iterable[R], api_key_id: str, provider: str) -> Resolution[R]:
        known = list(rows)
        whole = [one for one in known if one.scope == resolver.Scope.ORGANIZATION]
        specific, general = (honest(one, api_key_id, provider) for one in (known, whole))
        return Resolution((*specific.candidates, *general.candidates), specific.others)

    _everywhere(monkeypatch, resolve)
    _loading_all(monkeypatch)


def remembering_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading._resolutions, "clear", lambda: None)
    monkeypatch.setattr(loading._resolutions, "_seconds", lambda _: 60.0)


def _everywhere(monkeypatch: pytest.MonkeyPatch, resolve: Any) -> None:
    for module in (resolver, loading, answers):
        monkeypatch.setattr(module, "resolve", resolve)


def _loading_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """All keys of the organization, as a loader would that leaves it all to the resolver."""

    def load(caller: Caller, provider: Any) -> Resolution[loading.Candidate]:
        ours = ProviderKey.objects.filter(organization_id=caller.organization_id, provider=provider.slug)
        assigned = set(ours.filter(assignments__api_key_id=caller.id).values_list("pk", flat=True))
        rows = [loading._candidate(key, caller, assigned) for key in ours]
        return resolver.resolve(rows, caller.id, provider.slug)

    monkeypatch.setattr(loading, "_load", load)


@controls(
    [
        *(
            Control(test_gwy_11_gateway_and_console_say_the_same, plant, {"table": "telling"})
            for plant in (spilling, by_name, a_console_of_another_mind, calling_all_readable, any_key_at_all)
        ),
        Control(test_gwy_10_a_disabled_specific_key_refuses, spilling),
        Control(test_gwy_10_an_unreadable_one_is_a_503, calling_all_readable),
        Control(test_gwy_10_another_organizations_key_never_serves, any_key_at_all),
        Control(test_gwy_10_another_providers_key_never_serves, any_key_at_all),
        Control(test_gwy_10_a_key_of_other_api_keys_never_serves, any_key_at_all),
        Control(test_gwy_10_the_operators_own_key_never_serves, the_operators_key),
        Control(test_gwy_10_without_its_own_key_the_organizations_serves, remembering_for_long, {"how": "deleted"}),
        Control(test_gwy_10_only_keys_of_one_tier_take_over, both_tiers),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
    request.getfixturevalue("providers").reset()


__all__ = ["db"]
