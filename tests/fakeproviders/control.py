"""The control port: JSON over HTTP, one path an operation, its arguments the fields of the posted object."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Final, get_args

from tests.fakeproviders.fakes import Fakes
from tests.fakeproviders.port import Mode, Port
from tests.fakeproviders.wire import Answer, BadRequest, Request, json_answer, read_request

Operation = Callable[..., Awaitable[Any]]
_MODES: Final = get_args(Mode)


class Control:
    """What tests ask of the fakes and tell them. ``GET /violations`` by hand works as well as a POST."""

    def __init__(self, fakes: Fakes) -> None:
        self._fakes = fakes
        self.port = Port(self._serve)
        self._operations: dict[str, Operation] = {
            "/requests": self._requests,
            "/total": self._total,
            "/wait": self._wait,
            "/violations": self._violations,
            "/release": self._release,
            "/set": self._set,
            "/reset": self._reset,
        }

    async def _requests(self, **wanted: Any) -> list[dict[str, Any]]:
        return self._fakes.journal.as_dicts(wanted)

    async def _total(self, name: str = "", credential: str = "") -> int:
        return self._fakes.journal.total(name, credential)

    async def _wait(self, count: int, seconds: float, **wanted: Any) -> dict[str, Any]:
        """Wait until ``count`` requests are as ``wanted``: ``{"reached": …, "requests": […]}``."""
        journal = self._fakes.journal
        reached = await journal.wait(lambda: len(journal.find(wanted)) >= count, seconds)
        return {"reached": reached, "requests": journal.as_dicts(wanted)}

    async def _violations(self) -> list[dict[str, Any]]:
        return [asdict(violation) for violation in self._fakes.journal.violations]

    async def _release(self, credential: str, scenario: str = "good") -> None:
        self._fakes.gates.open(credential, scenario)

    async def _set(self, name: str, mode: Mode) -> None:
        if mode not in _MODES:
            raise ValueError(mode)
        await self._fakes.set(name, mode)

    async def _reset(self) -> None:
        await self._fakes.reset()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, BadRequest):
            while request := await read_request(reader, writer):
                writer.write((await self._answer(request)).wire)
                await writer.drain()
                if not request.keeps_alive:
                    break

    async def _answer(self, request: Request) -> Answer:
        operation = self._operations.get(request.path)
        if operation is None:
            return json_answer(404, {"error": "no such operation", "operations": sorted(self._operations)})
        try:
            return json_answer(200, await operation(**json.loads(request.body or b"{}")))
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            return json_answer(400, {"error": f"{type(error).__name__}: {error}"})
