"""What a run of the load complains of: anything lost, grown, or not as it must be."""

from dataclasses import replace

import pytest

from tests.gateway.load.client import Seen
from tests.gateway.load.report import lines
from tests.gateway.load.run import SECONDS, Found
from tests.gateway.load.watch import Look

WARM = Look(0, descriptors=40, mebibytes=100, cpu_seconds=1)
LAST = Look(1000, descriptors=90, mebibytes=105, cpu_seconds=2)
IDLE = Look(1000, descriptors=41, mebibytes=105, cpu_seconds=2)


def good() -> Found:
    statuses = {f"req_{number}": 200 for number in range(1000)}
    seen = Seen(statuses, times={"success": [0.01] * 1000})
    return Found(seen, 10.0, [WARM, LAST], IDLE, dict(statuses))


def test_a_good_run_has_nothing_to_complain_of_and_tells_its_figures() -> None:
    assert list(good().complaints()) == []
    told = list(lines(good()))
    assert told[0] == "1,000 requests in 10 s: 100 a second"
    assert any(line.split() == ["success", "1,000", "10.0", "10.0", "10.0"] for line in told)


@pytest.mark.parametrize(
    ("recorded", "complaint"),
    [
        ({f"req_{number}": 200 for number in range(999)}, "1 are missing, 0 nobody saw"),
        ({f"req_{number}": 200 for number in range(1001)}, "0 are missing, 1 nobody saw"),
        ({f"req_{number}": 200 if number else 500 for number in range(1000)}, "the records differ"),
    ],
)
def test_records_that_differ(recorded: dict[str, int], complaint: str) -> None:
    (said,) = replace(good(), recorded=recorded).complaints()
    assert complaint in said


def test_everything_else_that_can_be_wrong() -> None:
    found = good()
    seen = replace(found.seen, wrong=["success: 502"])
    assert "success: 502" in next(replace(found, seen=seen).complaints())
    assert "descriptors grew from 40 to 60" in next(replace(found, idle=replace(IDLE, descriptors=60)).complaints())
    grown = [WARM, replace(LAST, mebibytes=150)]
    assert "memory grew from 100 to 150 MiB" in next(replace(found, looks=grown).complaints())
    assert "it took" in next(replace(found, seconds=SECONDS + 1).complaints())
