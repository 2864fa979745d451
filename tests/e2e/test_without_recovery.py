"""Everything is gone and nothing comes back: at its deadline a check is done all the same, and says what is true."""

import time
from concurrent.futures import Future

import pytest

from tests.e2e.abandoned import DEADLINE_SECONDS, STORED, Abandoned
from tests.e2e.console import words_in

pytestmark = pytest.mark.xdist_group("product")


def test_a_check_that_nothing_can_finish_ends_at_its_deadline(abandoned: "Future[Abandoned]") -> None:
    scene = abandoned.result()
    visitor, database = scene.visitor, scene.database
    pressed = (scene.running, scene.queued, scene.of_stored)
    assert [answer.status for answer in pressed] == [200, 200, 200]
    assert max(answer.seconds for answer in pressed) < 3
    assert [(look.state, look.verdict, words_in(look.words)) for look in scene.looks] == [
        ("running", "", set()),
        ("queued", "", set()),
    ]

    for answer in pressed:
        # A second for the look itself; the last of them was pressed last.
        ended = visitor.await_done(answer.check, max(scene.deadline - time.monotonic(), 0) + 1)
        assert ended.verdict == "unreachable"
        assert "Unreachable The test did not finish in its time. The key was not judged." in ended.words
        assert database.check(answer.check)["candidate"] is None
        assert database.check(answer.check)["state"] == "done"
        assert database.lasted(answer.check) >= DEADLINE_SECONDS

    # The stored key is what it was: its bytes, and what its provider said of them.
    now = database.key(STORED, visitor.home.slug)
    changed = {name for name in now if now[name] != scene.stored[name]}
    assert changed == {"last_check_verdict", "last_check_reason", "last_check_at"}
    assert (now["verdict"], now["last_check_verdict"]) == ("valid", "unreachable")
