"""`python -m bench`: measures, prints the table and the goals, and leaves nothing running. Only loopback is used."""

import argparse
import asyncio
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import uvloop

from bench import messages, report, targets
from bench.figures import typical
from bench.measure import FULL, QUICK, SMOKE, Measured, Plan, measure, storm
from bench.processes import Cores, NotReady
from bench.report import Findings
from bench.targets import Gateway, Place, Target

_LONGEST_SECONDS: Final = 270
_STOPPED: Final = 130


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less than a minute, and less to be relied on")
    parser.add_argument("--smoke", action="store_true", help="a handful of requests: does it run at all?")
    parser.add_argument("--rounds", type=int, help="how many rounds; noise needs more of them")
    chosen = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("bench: it reads what processes cost from Linux, and this is none.")
    plan = SMOKE if chosen.smoke else QUICK if chosen.quick else FULL
    plan = replace(plan, rounds=chosen.rounds or plan.rounds)
    # Whoever stops us leaves no process behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_STOPPED))
    try:
        _run(plan)
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(_STOPPED)
    except TimeoutError:
        sys.exit(f"bench: not done in {_LONGEST_SECONDS} s; given up.")
    except NotReady as error:
        sys.exit(f"bench: {error}")


def _run(plan: Plan) -> None:
    started, load, cores = time.monotonic(), os.getloadavg()[0], Cores.here()
    os.sched_setaffinity(0, {cores.load})
    with tempfile.TemporaryDirectory(prefix="byok-bench-") as folder:
        log = Path(folder) / "log"
        try:
            with log.open("w", encoding="utf-8") as output:
                found, versions = _findings(Place(Path(folder), output, cores), plan)
        except Exception:
            sys.stderr.write(log.read_text(encoding="utf-8")[-4000:])
            raise
    for line in _told(found, versions, cores, plan):
        _say(line)
    _say(f"{time.monotonic() - started:.0f} s; load of the machine {load:.2f} before, {os.getloadavg()[0]:.2f} after")


def _findings(place: Place, plan: Plan) -> tuple[Findings, list[str]]:
    with targets.provider(place) as port:
        place = replace(place, provider=port)
        _progress("making a data folder; starting everything")
        gateway = Gateway.prepare(place, 1 + plan.storm)
        cold = [_cold_start(gateway) for _ in range(plan.starts - 1)]
        resolution = gateway.resolution_cost(plan.resolutions)
        with targets.all_of(place, gateway) as (running, last):
            measured, missed = uvloop.run(_within_time(running, gateway.api_keys[1:], plan))
            resident = {one.name: one.group.resident_megabytes() for one in running if one.group}
            return Findings(measured, resident, typical([*cold, last]), resolution, missed), _versions(running)


async def _within_time(running: list[Target], api_keys: Sequence[str], plan: Plan) -> tuple[Measured, tuple[int, int]]:
    """What was measured, and how many requests the storm of misses had and lost. Raises ``TimeoutError``."""
    task = asyncio.current_task()
    assert task  # noqa: S101 -- this is a coroutine.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with asyncio.timeout(_LONGEST_SECONDS):
        measured = await measure(running, plan, _progress)
        ours = next(target for target in running if target.name == report.GATEWAY)
        stormed = await storm(ours, api_keys)
    return measured, (len(api_keys), len(api_keys) - stormed.answered)


def _cold_start(gateway: Gateway) -> float:
    with gateway.start() as (_, seconds):
        return seconds


def _versions(running: Sequence[Target]) -> list[str]:
    return [f"Python {platform.python_version()}", *(f"{one.name} {one.version}" for one in running if one.version)]


def _told(found: Findings, versions: list[str], cores: Cores, plan: Plan) -> Iterator[str]:
    asked, answered = len(messages.question(messages.ANSWER)), len(messages.completion())
    yield f"{', '.join(versions)}; gateways on core {cores.measured}, client and provider on core {cores.load};"
    yield f"medians of {plan.rounds} interleaved rounds; bodies of {asked} and {answered} bytes."
    yield ""
    yield from report.table(found)
    yield ""
    yield from map(str, report.goals(found))
    steps = ", ".join(f"{name} {value:.1f}" for name, value in found.resolution.items())
    yield f"Key resolution, µs of CPU: {steps}."
    if any(found.measured.failed.values()):
        failures = ", ".join(f"{name} {count}" for name, count in found.measured.failed.items() if count)
        yield f"FAILED requests or incomplete streams: {failures}. The figures above are not to be believed."


def _progress(line: str) -> None:
    sys.stderr.write(f"bench: {line}\n")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
