"""Scenarios of inference that every provider has: any error status in its own envelope, and limits of any length."""

import re
from collections.abc import Callable

from tests.fakeproviders.inference.routes import Dialect
from tests.fakeproviders.model import Ask, Reply, Scenario
from tests.fakeproviders.wire import Answer


def family(dialect: Dialect) -> Callable[[str], Scenario | None]:
    """``fails<code>``: that status, in the provider's envelope; ``rate<seconds>``: 429 with that ``retry-after``.

    Neither touches what is not inference: the key passes every check.
    """

    def named(name: str) -> Scenario | None:
        failing = re.fullmatch(r"fails([45]\d\d)", name)
        if failing:
            reply = dialect.complain(int(failing[1]), "This key fails on purpose.")
            return Scenario(name, "valid", f"{failing[1]} for inference alone", inference=reply)
        limited = re.fullmatch(r"rate(\d+)", name)
        if limited:
            reply = _limited(dialect, limited[1])
            return Scenario(name, "valid", f"rate limited for {limited[1]} s, inference alone", inference=reply)
        return None

    return named


def _limited(dialect: Dialect, seconds: str) -> Reply:
    def reply(ask: Ask) -> Answer:
        answer = dialect.complain(429, "Rate limit reached on purpose.")(ask)
        return answer.with_headers((("retry-after", seconds),))

    return reply
