"""What pages of the console cost, asked through everything that Django has around a view: time, queries, decryptions, bytes."""

import gc
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

from django.db import connection
from django.test import Client
from django.urls import reverse

from bench.figures import NONE, percentile
from organizations.access import Access

ROWS: Final = 50
_CALM: Final = 25
_CIPHER: Final = "/fernet.py"
"""Where the library has all that opens a secret."""
_LAST: Final = "32767-zz-999999999"
_LAST_NAME: Final = "key_zz-zzzz"


class Unexpected(Exception):
    """A page was not answered as it should have been: what it costs means nothing."""


@dataclass(frozen=True)
class Page:
    """A page that is measured: what it is called in the table, the name of its address, and what it is asked for."""

    title: str
    route: str
    query: str = ""
    full: bool = True
    """Whether it holds as many rows as a page has."""


PAGES: Final = (
    Page("list", "provider_key_list"),
    Page("list, last page", "provider_key_list", f"before={_LAST}"),
    Page("list, of one provider", "provider_key_list", "provider=openai", full=False),
    Page("list, failing", "provider_key_list", "status=failing", full=False),
    Page("list, of one API key", "provider_key_list", "api_key=lab+service+0005", full=False),
    Page("list, searched", "provider_key_list", "q=eu-north", full=False),
    Page("list, nothing found", "provider_key_list", "q=nothing+like+it", full=False),
    Page("API keys", "api_key_list"),
    Page("API keys, last page", "api_key_list", f"before={_LAST_NAME}"),
    Page("API keys, searched", "api_key_list", "q=eu-north"),
)


@dataclass
class Costs:
    """What one page of one organization has cost, each time that it was asked for."""

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    queries: int = 0
    decryptions: int = 0
    rows: int = 0
    size: int = 0
    sent: int = 0

    def milliseconds(self, percent: float) -> float:
        return percentile(self.seconds, percent) * 1e3

    def cpu_milliseconds(self, percent: float = 50) -> float:
        return percentile(self.cpu_seconds, percent) * 1e3

    def ratio(self, other: "Costs") -> float:
        """The time over another's, of the faster quarter: whatever disturbs a shared machine makes nothing faster."""
        under = other.milliseconds(_CALM)
        return self.milliseconds(_CALM) / under if under else NONE


type Measured = dict[Page, dict[str, Costs]]


@dataclass(frozen=True)
class Visitor:
    """Somebody who is logged in and looks at the pages of one organization, with a browser that takes gzip."""

    access: Access
    client: Client

    @classmethod
    def of(cls, access: Access) -> "Visitor":
        client = Client(headers={"accept-encoding": "gzip"}, SERVER_NAME="localhost")
        client.force_login(access.user, "organizations.backends.MemberBackend")
        return cls(access, client)

    def ask(self, page: Page, costs: Costs) -> None:
        """Ask for ``page`` once, and write down how long that took."""
        url = self._url(page)
        wall, cpu = time.perf_counter(), time.process_time()
        answer = self.client.get(url)
        costs.cpu_seconds.append(time.process_time() - cpu)
        costs.seconds.append(time.perf_counter() - wall)
        _expect(answer.status_code == 200, page)

    def look(self, page: Page, costs: Costs) -> None:
        """Ask for ``page`` once, and write down what of it does not change from time to time."""
        with _queries() as queries, entries(_CIPHER) as decryptions:
            answer = self.client.get(self._url(page))
        plain = self.client.get(self._url(page), headers={"accept-encoding": "identity"}).content
        costs.queries, costs.decryptions = queries(), decryptions()
        costs.size, costs.sent, costs.rows = len(plain), len(answer.content), plain.count(b'<tr role="row" id=')
        _expect(costs.rows == ROWS or not page.full, page)

    def _url(self, page: Page) -> str:
        return reverse(page.route, kwargs={"slug": self.access.organization.slug}) + f"?{page.query}"


def measure(visitors: Mapping[str, Visitor], rounds: int, pages: Sequence[Page] = PAGES) -> Measured:
    """Each page of each organization, in turns, so that noise hits all alike."""
    found: Measured = defaultdict(lambda: defaultdict(Costs))
    for page in pages:
        for name, visitor in visitors.items():
            visitor.look(page, found[page][name])
    # As the web process does once it has started.
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for page in pages:
            for name, visitor in visitors.items():
                visitor.ask(page, found[page][name])
    return found


def _expect(held: bool, page: Page) -> None:
    if not held:
        raise Unexpected(page.title)


@contextmanager
def _queries() -> Iterator[Callable[[], int]]:
    """How many queries have been sent."""
    sent = 0

    def count(execute: Callable[..., Any], *given: Any) -> Any:
        nonlocal sent
        sent += 1
        return execute(*given)

    with connection.execute_wrapper(count):
        yield lambda: sent


@contextmanager
def entries(file: str) -> Iterator[Callable[[], int]]:
    """How often code from elsewhere in this thread has called a function of a source file whose path ends like this."""
    entered = 0

    def count(frame: FrameType, event: str, _: Any) -> None:
        nonlocal entered
        if event == "call" and frame.f_code.co_filename.endswith(file):
            caller = frame.f_back
            entered += not (caller and caller.f_code.co_filename.endswith(file))

    sys.setprofile(count)
    try:
        yield lambda: entered
    finally:
        sys.setprofile(None)
