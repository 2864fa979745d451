"""A product in which everything that could finish a check is gone for good, and the console alone is left."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from tests.e2e.database import Database
from tests.e2e.homes import Home
from tests.e2e.visitor import Answer, Visitor
from tests.fakeproviders import samples
from tests.fakeproviders.client import FakeProviders
from tests.product import Product

STORED: Final = "Stored"
DEADLINE_SECONDS: Final = 60.0
WAITING: Final = "No worker has taken this test yet. It waits up to 60 s."


@dataclass(frozen=True)
class Abandoned:
    """What was pressed there, and how things stood. ``running``: its worker was killed; ``queued``: never sent;
    ``of_stored``: a test of the stored key, never sent either.
    """

    product: Product
    visitor: Visitor
    database: Database
    stored: dict[str, Any]
    running: Answer
    queued: Answer
    of_stored: Answer
    looks: tuple[Answer, ...]
    """The page's word on the running one, and on the queued one when somebody had waited for it."""
    deadline: float
    """When the last of them must be done, by ``time.monotonic``."""

    @classmethod
    @contextmanager
    def start(cls, folder: Path, home: Home) -> Iterator[Self]:
        """Run it on a data ``folder`` that has a ``home``; and with fakes of its own: whoever resets the shared ones
        would end what runs here.
        """
        with FakeProviders.start() as fakes, Product.start_in(folder, fakes) as product:
            yield cls._abandon(product, fakes, home)

    @classmethod
    def _abandon(cls, product: Product, fakes: FakeProviders, home: Home) -> Self:
        visitor, database = Visitor.alice(product, home), Database(product)
        key, gated = samples.fresh_key("openai", "good"), samples.fresh_key("openai", "gate")
        visitor.await_done(visitor.press(key).check, 15)
        visitor.save(STORED, key)
        stored = database.key(STORED, home.slug)
        running = visitor.press(gated)
        fakes.wait_for(gated)
        product.hold("worker", "beat", "broker")
        for name in ("worker", "beat", "broker"):
            product.kill(name)
        queued = visitor.press(samples.fresh_key("openai", "good"))
        of_stored, deadline = visitor.press_stored(stored["id"]), time.monotonic() + DEADLINE_SECONDS
        looks = visitor.poll(running.check), visitor.await_words(queued.check, WAITING, 20)
        return cls(product, visitor, database, stored, running, queued, of_stored, looks, deadline)
