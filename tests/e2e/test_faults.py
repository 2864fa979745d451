"""Processes are killed, frozen and locked out in mid-check: every answer comes soon, says what is true, and every check
ends with its provider's own word, once.
"""

import time
from concurrent.futures import Future

import pytest

from tests.e2e.console import words_in
from tests.e2e.storm import Storm
from tests.fakeproviders.fixtures import complaint
from tests.processes import eventually

pytestmark = pytest.mark.xdist_group("product")

SOON, MENDED = 3.0, 60.0
FAULTS = (
    *("worker killed", "worker terminated", "worker frozen"),
    *("broker killed with tasks queued", "broker frozen", "broker stopped"),
    *("beat killed", "web killed after the commit", "database locked"),
    *("provider: hang", "provider: dripbody", "provider: gzipbomb", "provider: resetbody"),
)


@pytest.fixture
def storm(storming: "Future[Storm]") -> Storm:
    """A storm that has passed. Its checks may still be on their way."""
    return storming.result()


@pytest.mark.parametrize("fault", FAULTS)
def test_the_answer_comes_soon_and_the_page_is_truthful_while_the_fault_lasts(storm: Storm, fault: str) -> None:
    pressed = storm.pressed[fault]
    assert pressed.check
    assert pressed.seconds < SOON
    for look in pressed.looks:
        assert (look.status, look.seconds < SOON) == (200, True)
        if look.state == "done":
            assert look.verdict == pressed.verdict
        else:
            assert (look.verdict, words_in(look.words)) == ("", set())


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_ends_in_time_with_its_providers_own_word(storm: Storm, fault: str) -> None:
    pressed = storm.pressed[fault]
    ended = storm.visitor.await_done(pressed.check, max(pressed.mended_at + MENDED - time.monotonic(), 1))
    assert ended.verdict == pressed.verdict, ended.words
    row, probes = storm.database.check(pressed.check), len(storm.fakes.requests(credential=pressed.key))
    assert row["candidate"] is None
    assert 1 <= probes <= row["attempt"] <= 2
    if pressed.spoilt:
        assert (probes, row["attempt"]) == (2, 2)
    assert storm.database.audited("credentials.tested", pressed.check) == 1


@pytest.mark.parametrize("what", ["a press into a lock", "a save into a lock"])
def test_a_locked_database_is_told_soon_in_plain_words(storm: Storm, what: str) -> None:
    answer = storm.answers[what]
    assert answer.status == 503
    assert answer.seconds < SOON
    assert "The console can’t reach its database. It is busy or away just now." in answer.words
    assert storm.database.one("SELECT count(*) FROM providerkeys_providerkey WHERE name = 'Never saved'") == 0


def test_a_mad_provider_does_not_fatten_the_worker(storm: Storm) -> None:
    storm.visitor.await_done(storm.pressed["provider: gzipbomb"].check, MENDED)
    assert storm.growth_kib < 50 * 1024


def test_a_worker_that_wakes_up_late_changes_nothing(storm: Storm) -> None:
    check = storm.pressed["worker frozen"].check
    storm.visitor.await_done(check, MENDED)
    before = storm.database.check(check)
    storm.thaw()
    eventually(lambda: f"check {check}: attempt 1 lost its lease" in storm.product.logs(), 15)
    assert storm.database.check(check) == before
    assert storm.visitor.poll(check).verdict == "valid"


def test_saved_credentials_are_what_they_were(storm: Storm) -> None:
    assert storm.stored_now == storm.stored


def test_everything_works_again_and_no_provider_was_asked_what_it_must_not_be(storm: Storm) -> None:
    eventually(lambda: storm.visitor.get("/readyz").text.endswith('"degraded": []}'), 30)
    assert complaint(storm.fakes.violations(), set()) == ""
