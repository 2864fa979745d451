"""Calling an ASGI application the way a server does."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from asgiref.typing import ASGI3Application, ASGIReceiveEvent, ASGISendEvent, Scope


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Call:
    """One request, its body in `chunks` as they arrive; a client that `leaves` hangs up after the last of them."""

    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Sequence[bytes] = (b"",)
    leaves: bool = False
    read: int = 0

    def scope(self) -> Scope:
        headers = {"host": "127.0.0.1:8000", **self.headers}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("192.0.2.7", 5000),
            "server": ("127.0.0.1", 8000),
            "state": {},
            "extensions": {},
        }
        return cast("Scope", scope)

    async def receive(self) -> ASGIReceiveEvent:
        if self.read == len(self.chunks):
            if not self.leaves:
                await asyncio.Event().wait()  # a client that waits for its answer
            return {"type": "http.disconnect"}
        self.read += 1
        more = self.leaves or self.read < len(self.chunks)
        return {"type": "http.request", "body": self.chunks[self.read - 1], "more_body": more}


def ask(app: ASGI3Application, call: Call) -> Answer:
    """The application's whole answer; status 0 when it gave none."""
    answer = Answer()

    async def send(event: ASGISendEvent) -> None:
        if event["type"] == "http.response.start":
            answer.status = event["status"]
            answer.headers = {name.decode(): value.decode() for name, value in event["headers"]}
        elif event["type"] == "http.response.body":
            answer.body += event["body"]

    async def run() -> None:
        async with asyncio.timeout(10):
            await app(call.scope(), call.receive, send)

    asyncio.run(run())
    return answer
