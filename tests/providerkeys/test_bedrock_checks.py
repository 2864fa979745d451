"""Checks of several regions: all at once, each written when it is there, one question to STS, nothing spoiled by a bad one."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.db import connections
from pytest_django.fixtures import Settings

from organizations.access import Access
from providerkeys.models import BedrockRegion, CredentialCheck, check_run
from providerkeys.providers import http
from providerkeys.providers.aws_regions import REGIONS
from tests.fakeproviders import samples
from tests.fakeproviders.access_keys import halves
from tests.fakeproviders.fixtures import CheckedProviders
from tests.providerkeys import regions
from tests.providerkeys.conftest import Console, text
from tests.providerkeys.form import NEW, toasts
from tests.providerkeys.regions import BAD, THREE, posted, rows, said, stored, verdicts
from tests.providerkeys.sample import again, letterbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _outside(monkeypatch: pytest.MonkeyPatch, settings: Settings, providers: CheckedProviders) -> None:
    letterbox(monkeypatch)
    settings.PROVIDER_BASE_URLS = providers.base_urls


def calls(providers: CheckedProviders, name: str, key: str = regions.GOOD) -> int:
    return len(providers.requests(name=name, credential=halves(key)[0]))


def test_three_regions_of_which_one_is_bad_have_three_verdicts(alice_access: Access) -> None:
    check = regions.pressed(alice_access, *rows(*THREE))
    check_run.run(check.pk)
    assert said(check) == {"us-east-1": "valid", "eu-central-1": "valid", BAD: "forbidden"}
    assert again(check).state == "done"
    assert again(check).candidate is None


def test_sts_is_asked_once_about_one_key(alice_access: Access, providers: CheckedProviders) -> None:
    check_run.run(regions.pressed(alice_access, *rows(*THREE)).pk)
    assert (calls(providers, "aws_sts"), calls(providers, "bedrock")) == (1, 3)


def test_sts_is_asked_about_each_key(alice_access: Access, providers: CheckedProviders) -> None:
    other = samples.fresh_key("bedrock", "good")
    check = regions.pressed(alice_access, *rows("us-east-1"), *rows("us-west-2", "eu-west-1", key=other))
    check_run.run(check.pk)
    assert set(said(check).values()) == {"valid"}
    assert (calls(providers, "aws_sts"), calls(providers, "aws_sts", other)) == (1, 1)


def test_a_wrong_secret_spoils_its_own_rows_alone(alice_access: Access) -> None:
    check = regions.pressed(
        alice_access, *rows("us-east-1"), *rows("us-west-2", key=samples.key("bedrock", "mistyped"))
    )
    check_run.run(check.pk)
    assert said(check) == {"us-east-1": "valid", "us-west-2": "invalid"}


def test_an_unknown_key_costs_one_question(alice_access: Access, providers: CheckedProviders) -> None:
    wrong = samples.fresh_key("bedrock", "wrong")
    check = regions.pressed(alice_access, *rows(*THREE, key=wrong))
    check_run.run(check.pk)
    assert set(said(check).values()) == {"invalid"}
    assert (calls(providers, "aws_sts", wrong), calls(providers, "bedrock", wrong)) == (1, 0)


def test_a_finished_row_is_written_while_another_is_still_asked(
    alice_access: Access, providers: CheckedProviders
) -> None:
    waiting = samples.fresh_key("bedrock", "thengate")
    check = regions.pressed(alice_access, *rows("us-east-1"), *rows("us-west-2", key=waiting))
    with ThreadPoolExecutor(1) as worker:
        running = worker.submit(_run_in_a_thread, check.pk)
        providers.wait_for(halves(waiting)[0], name="bedrock")
        _until(lambda: said(check)["us-east-1"] == "valid")
        assert (again(check).state, said(check)["us-west-2"]) == ("running", "")
        providers.release(halves(waiting)[0])
        running.result(timeout=10)
    assert said(check) == {"us-east-1": "valid", "us-west-2": "valid"}


def test_no_more_than_eight_rows_are_asked_at_once(alice_access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    busy, most, lock, send = [0], [0], threading.Lock(), http.send
    full = threading.Barrier(8)

    def counted(request: http.Request, until: float) -> http.Answer:
        if request.endpoint.name == "aws_sts":
            return send(request, until)
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        try:
            full.wait(timeout=10)
            return send(request, until)
        finally:
            with lock:
                busy[0] -= 1

    monkeypatch.setattr(http, "send", counted)
    check = regions.pressed(alice_access, *rows(*REGIONS[:16]))
    check_run.run(check.pk)
    assert most == [8]
    assert "" not in said(check).values()


def test_a_bad_row_is_saved_and_shown(alice_access: Access) -> None:
    key = stored(alice_access)
    check = CredentialCheck.follow_save(alice_access, key)
    assert check
    check_run.run(check.pk)
    assert verdicts(key) == {"us-east-1": "valid", "eu-central-1": "valid", BAD: "forbidden"}
    assert [badge.word for badge in again(key).status_badges] == ["Active", "1 of 3 regions failing"]


def test_a_save_takes_over_what_was_tested_just_before(alice_access: Access, providers: CheckedProviders) -> None:
    check_run.run(regions.pressed(alice_access, *rows(*THREE)).pk)
    providers.reset()
    key = stored(alice_access)
    assert CredentialCheck.follow_save(alice_access, key) is None
    assert verdicts(key) == {"us-east-1": "valid", "eu-central-1": "valid", BAD: "forbidden"}
    assert [badge.word for badge in again(key).status_badges] == ["Active", "1 of 3 regions failing"]
    assert providers.requests() == []


def test_a_save_of_what_was_tested_says_which_regions_fail(alices: Console, alice_access: Access) -> None:
    check_run.run(regions.pressed(alice_access, *rows(*THREE)).pk)
    given = {name: value for number, one in enumerate(THREE) for name, value in posted(number, one).items()}
    form = {"provider": "bedrock", "name": "Bedrock shared", "assign_to_organization": "on", **given}
    assert alices.post(NEW, form).status_code == 302
    assert toasts(alices)[0] == (
        f"Bedrock shared was created. 1 of 3 regions failing: {BAD}. Forbidden. Your AWS account hasn’t opted in to this region."
        " Next: enable it under AWS Account → Regions, or remove this row."
    )


def test_a_save_of_what_was_tested_says_which_verdict_is_whose(alices: Console, alice_access: Access) -> None:
    limited = samples.key("bedrock", "nolist")
    check_run.run(regions.pressed(alice_access, *rows("us-east-1"), *rows("us-west-2", key=limited)).pk)
    given = {**posted(0, "us-east-1"), **posted(1, "us-west-2", limited)}
    form = {"provider": "bedrock", "name": "Bedrock shared", "assign_to_organization": "on", **given}
    assert alices.post(NEW, form).status_code == 302
    assert "These credentials were tested just now: Valid in us-east-1; Limited in us-west-2." in toasts(alices)[0]


def test_only_rows_with_other_bytes_are_tested_after_a_save(alice_access: Access) -> None:
    check_run.run(regions.pressed(alice_access, *rows("us-east-1", "eu-central-1")).pk)
    check = CredentialCheck.follow_save(alice_access, stored(alice_access))
    assert check
    assert list(said(check)) == [BAD]


def test_a_row_that_moved_on_meanwhile_drops_its_result(alice_access: Access) -> None:
    key = stored(alice_access)
    check = CredentialCheck.press(alice_access, "bedrock", key.stored_rows(), key)
    regions.changed(alice_access, key, *regions.kept(*THREE[:2]), *rows(BAD, key=samples.key("bedrock", "wrong")))
    check_run.run(check.pk)
    assert list(check.results.filter(label=BAD).values_list("verdict", "reason")) == [("unreachable", "changed")]
    assert verdicts(key) == {"us-east-1": "valid", "eu-central-1": "valid", BAD: ""}


def test_one_unreadable_row_leaves_the_others_to_be_tested(alice_access: Access) -> None:
    key = stored(alice_access)
    moved = BedrockRegion.objects.get(provider_key=key, region="us-east-1").credentials
    BedrockRegion.objects.filter(provider_key=key, region=BAD).update(credentials=moved)
    check = CredentialCheck.press(alice_access, "bedrock", key.stored_rows(), key)
    check_run.run(check.pk)
    assert said(check) == {"us-east-1": "valid", "eu-central-1": "valid", BAD: "unreachable"}
    assert not regions.region(key, BAD).readable


def test_a_lost_lease_ends_all_rows(alice_access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CredentialCheck, "renew", lambda _: False)
    check = regions.pressed(alice_access, *rows(*REGIONS))
    check_run.run(check.pk)
    assert set(said(check).values()) == {""}
    assert again(check).state == "running"


def test_a_clock_that_is_wrong_judges_nothing(alice_access: Access) -> None:
    check = regions.pressed(alice_access, *rows("us-east-1"))
    with time_machine.travel(check.created_at.timestamp() - 600, tick=True):
        check_run.run(check.pk)
    assert list(check.results.values_list("verdict", "reason")) == [("unreachable", "clock")]


def test_a_global_row_is_tested_in_its_region_and_says_so(alice_access: Access, settings: Settings) -> None:
    settings.BEDROCK_GLOBAL_REGION = "eu-west-1"
    check = regions.pressed(alice_access, *rows("global"))
    check_run.run(check.pk)
    [shown] = again(check).results_now
    assert (shown.label, shown.verdict) == ("global", "valid")
    assert shown.sentence.endswith("Tested in eu-west-1.")


def _run_in_a_thread(check_id: str) -> None:
    try:
        check_run.run(check_id)
    finally:
        connections.close_all()


def _until(reached: Callable[[], bool]) -> None:
    """Ask the database again and again, for 10 s at most: there is no event to wait for."""
    waiting = threading.Event()
    for _ in range(500):
        if reached():
            return
        waiting.wait(0.02)
    raise TimeoutError


def test_what_a_save_would_give_up_is_named_in_the_order_of_its_rows(alices: Console, alice_access: Access) -> None:
    key = stored(alice_access)
    key.regions.filter(region__in=THREE[:2]).update(verdict="valid", reason="accepted")
    wrong = samples.key("bedrock", "wrong")
    fields = {name: value for number, one in enumerate(THREE) for name, value in posted(number, one, wrong).items()}
    changed = {"provider": "bedrock", "name": key.name, "assign_to_organization": "on", "version": key.version}
    alices.post(f"provider-keys/{key.pk}/checks/", {**changed, **fields}, into="test-result")
    check = CredentialCheck.objects.get()
    check_run.run(check.pk)
    panel = text(alices.get(f"provider-keys/checks/{check.pk}/", into="check"))
    assert "The stored credentials of us-east-1 and eu-central-1 were accepted at their last test." in panel
