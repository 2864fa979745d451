"""One name of PROVIDER_BASE_URLS: reads requests, writes them down, has them judged, and answers."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.fakeproviders import hostile, rules, turns
from tests.fakeproviders.gates import Gates
from tests.fakeproviders.hostile.act import Stage
from tests.fakeproviders.hostile.redirects import TARGET_PATH
from tests.fakeproviders.journal import Journal, Received, Violation
from tests.fakeproviders.model import Ask, Provider, Route, Service
from tests.fakeproviders.port import Port, Reader
from tests.fakeproviders.sending import send
from tests.fakeproviders.wire import Answer, BadRequest, Request, json_answer, read_request

# Whoever follows a redirect gets what a careless client would call proof.
_BAIT = json_answer(200, {"object": "list", "data": []})


@dataclass
class Shared:
    """What all places have in common; ``targets`` says where redirects from a name lead, by kind."""

    journal: Journal = field(default_factory=Journal)
    gates: Gates = field(default_factory=Gates)
    targets: Callable[[str], dict[str, str]] = field(default=lambda _name: {})
    connections: "count[int]" = field(default_factory=lambda: count(1))


class Place:
    """A service of a provider on its port."""

    def __init__(self, provider: Provider, service: Service, shared: Shared) -> None:
        self._provider = provider
        self._service = service
        self._shared = shared
        self.port = Port(self._serve)

    async def _serve(self, reader: Reader, writer: asyncio.StreamWriter) -> None:
        connection, nth = next(self._shared.connections), 0
        with contextlib.suppress(ConnectionError):
            try:
                while request := await read_request(reader, writer):
                    nth += 1
                    route = self._service.route(request)
                    received = self._receive(request, route, connection, nth)
                    if not await self._exchange(request, received, route, reader, writer):
                        break
            except BadRequest:
                self._shared.journal.violations.append(Violation("bad_request", self._service.name, "not HTTP/1.1"))

    def _receive(self, request: Request, route: Route | None, connection: int, nth: int) -> Received:
        credential, journal = self._service.read_credential(request), self._shared.journal
        received = journal.add(
            request,
            inference=route is not None and route.inference,
            name=self._service.name,
            credential=credential,
            scenario=self._service.plays(self._provider.scenario_name(credential)),
            connection=connection,
            nth_on_connection=nth,
            followed_redirect=request.path.startswith(TARGET_PATH),
        )
        journal.violations += rules.judge(rules.Case(request, received, self._provider, self._service, route, journal))
        if credential and not received.followed_redirect:
            journal.seen.setdefault(credential, self._provider.slug)
        return received

    async def _exchange(
        self, request: Request, received: Received, route: Route | None, reader: Reader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request; whether the connection goes on."""
        # Kept in a name: after a reset there is another journal, which knows nothing of this exchange.
        journal = self._shared.journal
        inference = route is not None and route.inference
        nth = journal.count(received.name, received.credential, inference=inference)
        ask = Ask(request, received.credential, nth, received.id if inference else 0)
        scenario = self._turn(received.scenario, nth, inference=inference)
        act = None if received.followed_redirect else hostile.find(scenario)
        outcome = "left"
        try:
            if not self.port.thawed.is_set() and not await _unless_client_leaves(reader, self.port.wait_for_thaw()):
                return False
            if act:
                finished = await _unless_client_leaves(reader, act(self._stage(ask, writer)))
                outcome = "answered" if finished else "left"
                return False
            answer = _BAIT if received.followed_redirect else self._answer(ask, scenario)
            sending = send(writer, answer if request.keeps_alive else answer.closing())
            if answer.takes_time:
                finished = await _unless_client_leaves(reader, sending)
            else:
                # The common case, without the price of watching the connection meanwhile.
                await sending
                finished = True
            outcome = "answered" if finished else "left"
            return finished and request.keeps_alive
        finally:
            journal.close(received, outcome)

    def _turn(self, name: str, nth: int, *, inference: bool) -> str:
        """The scenario to play: a name that the provider itself knows means that and nothing else."""
        return name if self._provider.knows(name) else turns.scenario(name, nth, inference=inference)

    def _answer(self, ask: Ask, scenario: str) -> Answer:
        return self._provider.answer(self._service, ask, scenario)

    def _stage(self, ask: Ask, writer: asyncio.StreamWriter) -> Stage:
        return Stage(
            ask=ask,
            writer=writer,
            answer=lambda scenario: self._answer(ask, scenario),
            gate=lambda: self._shared.gates.wait(ask.credential),
            targets=self._shared.targets(self._service.name),
            redirected=lambda: self._shared.journal.redirected.add(ask.credential),
        )


async def _unless_client_leaves(reader: Reader, work: Coroutine[Any, Any, Any]) -> bool:
    """Whether ``work`` came to its end before the client hung up."""
    doing, leaving = asyncio.ensure_future(work), asyncio.ensure_future(reader.left.wait())
    try:
        await asyncio.wait((doing, leaving), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
        return doing.done()
    finally:
        for task in (doing, leaving):
            task.cancel()
        await asyncio.gather(doing, leaving, return_exceptions=True)
