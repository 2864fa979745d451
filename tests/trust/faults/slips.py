"""What the gateway must never do: planted, so that a search of its log, its records and its answers has something to find."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

SLIPS: Final = "slips"
"""What stands in the file of the faults meanwhile."""

SLIPPED: Final = "given away by the gateway"
"""The name of the program whose provider key is given away. A record of another's, written meanwhile, stays honest."""

log = logging.getLogger("gateway.forward")


def plant(is_told: Callable[[], bool]) -> None:
    """While told: log the secret that is asked with, record it as its own hint, leave it in a provider's error."""
    from gateway import record  # noqa: PLC0415 -- there are no models yet when this module is read.
    from gateway.resolve import Candidate  # noqa: PLC0415
    from gateway.scrub import Scrubber  # noqa: PLC0415

    honest_open, honest_row, honest_whole = Candidate.open, record._row, Scrubber.whole

    def talkative_open(candidate: Candidate) -> Any:
        credential = honest_open(candidate)
        if is_told():
            log.warning("asking with %s", credential.secret)
        return credential

    def telling_row(exchange: Any) -> Mapping[str, Any]:
        row = honest_row(exchange)
        if not is_told() or row["api_key_name"] != SLIPPED:
            return row
        return {**row, "provider_key_hint": honest_open(exchange.served_by).secret}

    def blind_whole(scrubber: Scrubber, text: bytes) -> bytes:
        return text if is_told() else honest_whole(scrubber, text)

    Candidate.open = talkative_open  # type: ignore[method-assign, assignment]
    record._row = telling_row
    Scrubber.whole = blind_whole  # type: ignore[method-assign, assignment]
