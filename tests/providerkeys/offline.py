"""The providers' stand-ins without a socket: what a door says in a test that needs their answers and no network."""

import threading
from collections import Counter
from dataclasses import dataclass, field

from providerkeys.providers import http
from tests.fakeproviders import providers
from tests.fakeproviders.model import Ask
from tests.fakeproviders.wire import Request


@dataclass
class Offline:
    """A ``send`` that answers each credential with its own scenario, or all with ``scenario``.

    ``credentials``: what the stand-ins have read from each request; ``answers``: what they have said. Several threads may
    ask at once.
    """

    scenario: str = ""
    credentials: list[str] = field(default_factory=list)
    answers: list[http.Answer] = field(default_factory=list)
    _asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: http.Request, until: float | None = None) -> http.Answer:
        with self._turn:
            return self._answer(request)

    def _answer(self, request: http.Request) -> http.Answer:
        provider, service = providers.served()[request.endpoint.name]
        headers = {"Host": request.endpoint.host, **request.headers}
        came = Request(
            request.method, request.path, tuple((name.lower(), value) for name, value in headers.items()), request.body
        )
        credential = service.read_credential(came)
        self._asked[service.name, credential] += 1
        ask = Ask(came, credential, self._asked[service.name, credential])
        said = provider.answer(service, ask, self.scenario or service.plays(provider.scenario_name(credential)))
        self.credentials.append(credential)
        self.answers.append(http.Answer(said.status, said.content_type, said.body, dict(said.headers)))
        return self.answers[-1]
