"""A run's figures, for people."""

from collections.abc import Iterator, Sequence

from tests.gateway.load.run import Found


def lines(found: Found) -> Iterator[str]:
    """A line for each kind of request, and one for each look at the process."""
    seen = found.seen
    yield f"{seen.count:,} requests in {found.seconds:.0f} s: {seen.count / found.seconds:.0f} a second"
    yield f"{len(found.recorded):,} records; {len(seen.wrong)} answers were not as expected"
    yield ""
    yield f"{'kind':<20} {'requests':>9} {'p50 ms':>8} {'p99 ms':>8} {'most ms':>8}"
    everything = [time for times in seen.times.values() for time in times]
    for name, times in [*sorted(seen.times.items()), ("all", everything)]:
        figures = (percentile(times, 50), percentile(times, 99), max(times))
        yield f"{name:<20} {len(times):>9,} " + " ".join(f"{1000 * one:>8.1f}" for one in figures)
    yield ""
    yield f"{'after':>9} {'descriptors':>12} {'MiB':>6} {'CPU s':>7}"
    for look in [*found.looks, found.idle]:
        yield f"{look.requests:>9,} {look.descriptors:>12} {look.mebibytes:>6.0f} {look.cpu_seconds:>7.1f}"
    used = found.looks[-1].cpu_seconds - found.looks[0].cpu_seconds
    yield f"CPU of the gateway: {1000 * used / max(found.looks[-1].requests, 1):.2f} ms a request"


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many per cent of ``values`` do not exceed."""
    return sorted(values)[min(len(values) * percent // 100, len(values) - 1)]
