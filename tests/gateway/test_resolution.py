"""Which provider key serves: GWY-10 and -11. One table, asked of the gateway and of the console alike."""

from dataclasses import dataclass
from itertools import product
from typing import Final

import pytest
from django.utils import timezone

from organizations.access import Access, access_for
from organizations.models import ApiKey, Organization, Role
from providerkeys.models import ProviderKey
from providerkeys.providers import registry
from providerkeys.views.answers import Answer, resolvable_keys
from tests.cast import member_of
from tests.fakeproviders.fixtures import CheckedProviders
from tests.gateway.conftest import Gateway, forget, keep

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


CASES: Final = [Case(*states) for states in product(STATES, repeat=3)]


@pytest.fixture
def issued(alice_access: Access) -> tuple[ApiKey, str]:
    return ApiKey.issue(alice_access, "production")


def put(key: ProviderKey, state: str, access: Access) -> None:
    if state == "disabled":
        key.disable(access)
    elif state == "unreadable":
        ProviderKey.objects.filter(pk=key.pk).update(unreadable_at=timezone.now())


def arrange(case: Case, api_key: ApiKey, access: Access) -> dict[str, ProviderKey]:
    wanted = {"organization": case.organization, "first": case.first, "second": case.second}
    found = {}
    # The organization-wide one comes first by position: a tier beats it all the same.
    for name, state in wanted.items():
        if state != "absent":
            found[name] = keep(access, name=name, api_keys=() if name == "organization" else (api_key,))
            put(found[name], state, access)
    return found


def test_gateway_and_console_say_the_same(gateway: Gateway, providers: CheckedProviders) -> None:
    """All cases beside each other, each in an organization of its own."""
    wrong = {str(case): told for case in CASES if (told := difference(gateway, providers, case))}
    assert not wrong, wrong


def difference(gateway: Gateway, providers: CheckedProviders, case: Case) -> str:
    """What is not as it should be; empty when gateway and console both say what the table says."""
    organization = Organization.objects.create(name=f"Case {case}")
    access = access_for(member_of(organization, "Alice", Role.ADMIN), organization.slug)
    api_key, plaintext = ApiKey.issue(access, "production")
    keys = arrange(case, api_key, access)
    asked = len(providers.requests(name="openai"))
    answer = gateway.post(plaintext)
    console = Answer.of(registry.get("openai"), resolvable_keys(access), api_key.pk)
    served = next((name for name, key in keys.items() if answer.headers.get("x-byok-provider-key") == key.pk), "")
    said = served if answer.ok else f"{answer.status_code} {answer.json()['error']['code']}"
    shown = next((key.name for key in console.keys), "")
    sent = len(providers.requests(name="openai")) - asked
    expected = (case.serving, case.serving if case.serving in keys else "", int(case.serving in keys))
    return "" if (said, shown, sent) == expected else f"{(said, shown, sent)}, not {expected}"


def test_another_organizations_key_never_serves(
    gateway: Gateway, issued: tuple[ApiKey, str], charlie_access: Access
) -> None:
    keep(charlie_access)
    assert gateway.post(issued[1]).status_code == 403


def test_another_providers_key_never_serves(
    gateway: Gateway, issued: tuple[ApiKey, str], alice_access: Access, providers: CheckedProviders
) -> None:
    keep(alice_access, "mistral")
    assert gateway.post(issued[1]).json()["error"]["code"] == "no_provider_key"
    assert not providers.requests()


def test_a_key_of_other_api_keys_never_serves(
    gateway: Gateway, issued: tuple[ApiKey, str], alice_access: Access
) -> None:
    keep(alice_access, api_keys=(ApiKey.issue(alice_access, "staging")[0],))
    assert gateway.post(issued[1]).status_code == 403


def test_un_assigning_hands_back_to_the_organization(
    gateway: Gateway, issued: tuple[ApiKey, str], alice_access: Access
) -> None:
    whole, specific = keep(alice_access), keep(alice_access, api_keys=(issued[0],))
    assert gateway.post(issued[1]).headers["x-byok-provider-key"] == specific.pk
    specific.delete_by(alice_access)
    forget()
    assert gateway.post(issued[1]).headers["x-byok-provider-key"] == whole.pk


def test_what_cannot_be_opened_is_stamped_and_never_sent(
    gateway: Gateway, providers: CheckedProviders, issued: tuple[ApiKey, str], alice_access: Access
) -> None:
    key = keep(alice_access)
    # A destination that was edited in the database: the envelope no longer fits.
    ProviderKey.objects.filter(pk=key.pk).update(destination={"location": "eu"})
    answer = gateway.post(issued[1])
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unreadable")
    key.refresh_from_db()
    assert key.unreadable_at
    assert not providers.requests()


def test_one_that_cannot_be_opened_leaves_the_request_to_the_next(
    gateway: Gateway, issued: tuple[ApiKey, str], alice_access: Access
) -> None:
    broken, good = keep(alice_access), keep(alice_access)
    ProviderKey.objects.filter(pk=broken.pk).update(destination={"location": "eu"})
    answer = gateway.post(issued[1])
    assert (answer.status_code, answer.headers["x-byok-provider-key"]) == (200, good.pk)
    assert answer.headers["x-byok-attempts"] == "2"
