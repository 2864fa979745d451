"""NET-01 to -19: wherever a pasted file would have a request go, it is refused by rule, before any look-up or packet."""

import json
from collections.abc import Iterator
from contextlib import suppress
from inspect import signature

import pytest
import requests
from pytest_django.fixtures import Settings

from organizations.access import Access
from providerkeys.models import CredentialCheck, check_run
from providerkeys.providers import google_vertex_ai, service_account
from providerkeys.providers.base import Credential
from providerkeys.providers.service_account import ServiceAccount
from tests.cast import client_for
from tests.fakeproviders.fixtures import CheckedProviders
from tests.providerkeys import sample
from tests.providerkeys.conftest import Console
from tests.providerkeys.providers.service_account_inputs import ADDRESSES, changed
from tests.trust.controls import Control, controls
from tests.trust.inp import Desk, is_refused, sitting_at
from tests.trust.inputs.service_accounts import PROVIDER, addressed_to
from tests.trust.inputs.table import Refused
from tests.trust.net import Guard, Server, ask_with

pytestmark = pytest.mark.django_db

EVERY_ADDRESS = pytest.mark.parametrize("address", ADDRESSES)


@pytest.fixture
def desk(alice_access: Access, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with sitting_at(alice_access, monkeypatch) as desk:
        yield desk


@EVERY_ADDRESS
def test_net_01_an_address_in_a_paste_is_refused(address: str, desk: Desk) -> None:
    given = addressed_to(address)
    assert isinstance(given.outcome, Refused)
    is_refused(desk, given, given.outcome)


@EVERY_ADDRESS
def test_net_01_a_stored_address_is_never_asked(address: str) -> None:
    """As if the file had been saved before the rule was there, or past it."""
    with Guard.closed() as guard:
        assert ask_with(PROVIDER, Credential(changed(token_uri=address))) == "unreadable"
    assert guard.packets == []


@pytest.mark.parametrize("universe", ["evil.example", "googleapis.com.evil.example"])
def test_net_01_another_universe_can_not_fake_a_success(universe: str) -> None:
    """google-auth would make a token by itself, and call it a success without asking anybody."""
    with Guard.closed() as guard:
        assert ask_with(PROVIDER, Credential(changed(universe_domain=universe))) == "unreadable"
    assert guard.packets == []


@pytest.mark.parametrize("form", ["http://127.0.0.1:{port}/token", "https://localhost:{port}/token"])
def test_net_01_a_hostile_listener_is_never_reached(
    form: str, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even by a worker that is handed the file past every form."""
    sample.letterbox(monkeypatch)
    console = Console(client_for(alice_access.user))
    with Server(lambda _: None) as listener:
        paste = changed(token_uri=form.format(port=listener.port))
        data = {"provider": PROVIDER, "name": "Trap", "provider_key": paste, "assign_to_organization": "on"}
        for path in ("provider-keys/new/", "provider-keys/checks/"):
            assert console.post(path, data).status_code == 422
        check = CredentialCheck.press(alice_access, PROVIDER, [sample.typed(alice_access, paste)])
        check_run.run(check.pk)
        assert sample.verdicts(check) == [("unreachable", "unreadable")]
    assert listener.connections == 0


def test_net_01_no_other_address_in_a_file_is_asked(providers: CheckedProviders, settings: Settings) -> None:
    settings.PROVIDER_BASE_URLS = providers.base_urls
    trap = providers.trap_url
    key = changed(auth_uri=trap, client_x509_cert_url=f"{trap}/x509", auth_provider_x509_cert_url=f"{trap}/certs")
    assert ask_with(PROVIDER, Credential(service_account.parse(key).document)) == "accepted"
    assert {one.name for one in providers.requests()} == {"google_oauth", PROVIDER}
    assert providers.complaint() == ""


# Defects


def looking_at_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_account, "_refuse_other_addresses", lambda _: None)


def asking_whom_the_file_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """What google-auth does with a file that nobody has looked at."""
    honest = google_vertex_ai._account_in

    def trusting(credential: Credential) -> ServiceAccount | None:
        with suppress(requests.RequestException):
            requests.post(json.loads(credential.secret)["token_uri"], timeout=1)
        return honest(credential)

    monkeypatch.setattr(google_vertex_ai, "_account_in", trusting)


def fetching_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a program does that wants to know whether the account is real."""
    honest = service_account.parse

    def curious(pasted: str) -> ServiceAccount:
        for name, value in json.loads(pasted).items():
            if name.endswith("cert_url"):
                requests.get(value, timeout=1)
        return honest(pasted)

    monkeypatch.setattr(service_account, "parse", curious)


@controls(
    [
        Control(
            test_net_01_another_universe_can_not_fake_a_success, looking_at_no_address, {"universe": "evil.example"}
        ),
        *(
            Control(test_net_01_an_address_in_a_paste_is_refused, looking_at_no_address, {"address": one})
            for one in ADDRESSES[:3]
        ),
        *(
            Control(test_net_01_a_stored_address_is_never_asked, looking_at_no_address, {"address": one})
            for one in ADDRESSES[:3]
        ),
        Control(test_net_01_a_stored_address_is_never_asked, asking_whom_the_file_names, {"address": ADDRESSES[0]}),
        Control(
            test_net_01_a_hostile_listener_is_never_reached,
            asking_whom_the_file_names,
            {"form": "http://127.0.0.1:{port}/token"},
        ),
        Control(test_net_01_no_other_address_in_a_file_is_asked, fetching_certificates),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
    if "providers" in signature(control.case).parameters:
        # The trap has noted it, as it must.
        request.getfixturevalue("providers").reset()
