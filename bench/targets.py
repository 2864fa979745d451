"""What is measured: each way from the client to the fake provider, how it is started, and how it is asked."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import IO, Final

from bench import messages
from bench.messages import Stream
from bench.processes import HOST, ROOT, Cores, Group, await_answer, environment, free_port, running

_HEALTH: Final = f"GET /healthz HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
_DEBIANS_NGINX: Final = "/usr/sbin"
_PORTKEYS_PACKAGE: Final = ("", "node_modules/@portkey-ai/gateway", "@portkey-ai/gateway")
_NGINX: Final = Template("""
daemon off; worker_processes 1; pid $folder/pid; error_log $folder/error.log;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path $folder/body; proxy_temp_path $folder/proxy; fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi; scgi_temp_path $folder/scgi;
    keepalive_requests 100000000;
    upstream provider { server $host:$provider; keepalive 128; keepalive_requests 100000000; }
    server {
        listen $host:$port;
        location / {
            proxy_pass http://provider; proxy_http_version 1.1; proxy_buffering off;
            proxy_set_header Connection ""; proxy_set_header Authorization "Bearer $key";
        }
    }
}
""")


@dataclass(frozen=True)
class Target:
    """A way to the provider. ``group`` is who goes between; nobody on the direct way."""

    name: str
    port: int
    headers: Mapping[str, str] = field(repr=False)
    prefix: str = ""
    group: Group | None = None
    version: str = ""

    def request(self, stream: Stream = messages.ANSWER, **more: str) -> bytes:
        """The bytes of a request that asks for ``stream``, with ``more`` headers in the place of its own."""
        body = messages.question(stream, self.prefix)
        headers = {
            "Host": f"{HOST}:{self.port}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **self.headers,
            **more,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {messages.PATH} HTTP/1.1\r\n{lines}\r\n".encode() + body


@dataclass(frozen=True)
class Place:
    """Where a run happens: a folder of its own, a log for what its processes say, the cores, the provider's port."""

    folder: Path
    log: IO[str]
    cores: Cores
    provider: int = 0


@contextmanager
def provider(place: Place) -> Iterator[int]:
    """The fake provider, on the client's core. Yields its port."""
    command = [sys.executable, "-m", "bench.provider"]
    with running(command, place.cores.load, environment(), place.log, subprocess.PIPE) as group:
        assert group.process.stdout  # noqa: S101 -- a pipe was asked for.
        yield int(group.process.stdout.readline())


def direct(place: Place) -> Target:
    return Target("direct", place.provider, _bearer(messages.PROVIDER_KEY))


@contextmanager
def nginx(place: Place) -> Iterator[Target | None]:
    """One worker of nginx, which sets a static header and keeps its connections; ``None`` where there is no nginx."""
    program = shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", ""), _DEBIANS_NGINX)))
    if not program:
        yield None
        return
    folder, port = place.folder / "nginx", free_port()
    folder.mkdir()
    text = _NGINX.substitute(folder=folder, host=HOST, port=port, provider=place.provider, key=messages.PROVIDER_KEY)
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    with running(command, place.cores.measured, environment(), place.log) as group:
        await_answer(group, port)
        yield Target("nginx", port, {}, group=group, version=_said([program, "-v"]).rpartition("/")[2].split()[0])


@contextmanager
def portkey(place: Place) -> Iterator[Target | None]:
    """Portkey's gateway as BENCH_PORTKEY names it: its package, a folder it is installed in, or its program."""
    named = os.environ.get("BENCH_PORTKEY", "")
    if not named:
        yield None
        return
    program, port = _portkeys_program(Path(named)), free_port()
    command = [shutil.which("node") or "node", str(program), f"--port={port}", "--headless"]
    with running(command, place.cores.measured, environment(NODE_ENV="production"), place.log) as group:
        await_answer(group, port)
        custom = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"http://{HOST}:{place.provider}/v1"}
        version = json.loads((program.parents[1] / "package.json").read_text(encoding="utf-8"))["version"]
        yield Target("Portkey", port, {**_bearer(messages.PROVIDER_KEY), **custom}, group=group, version=version)


def _portkeys_program(named: Path) -> Path:
    found = [named / package / "build/start-server.js" for package in _PORTKEYS_PACKAGE]
    program = next((file for file in (named, *found) if file.is_file()), None)
    if not program:
        raise FileNotFoundError("BENCH_PORTKEY names no installed @portkey-ai/gateway")
    return program.resolve()


@dataclass(frozen=True)
class Gateway:
    """Our gateway before it starts: a data folder with an organization, its provider key and its API keys."""

    place: Place
    environment: Mapping[str, str]
    api_keys: tuple[str, ...] = field(repr=False)

    @classmethod
    def prepare(cls, place: Place, api_keys: int) -> "Gateway":
        """Make the data folder, as small as production's first day."""
        port = free_port()
        seen = environment(
            BYOK_DATA_DIR=str(place.folder / "data"),
            PORT=str(port),
            PROVIDER_BASE_URLS=json.dumps({"openai": f"http://{HOST}:{place.provider}"}),
        )
        said = _run("bench.seed", str(api_keys), environment=seen)
        return cls(place, seen, tuple(said.split()))

    @contextmanager
    def start(self) -> Iterator[tuple[Target, float]]:
        """The web process as in production, and the seconds until it answered."""
        port, started = int(self.environment["PORT"]), time.perf_counter()
        command = [sys.executable, "-m", "byok_site.web"]
        with running(command, self.place.cores.measured, self.environment, self.place.log) as group:
            await_answer(group, port, _HEALTH)
            cold = time.perf_counter() - started
            yield Target("gateway", port, _bearer(self.api_keys[0]), "openai/", group), cold

    def resolution_cost(self, turns: int) -> dict[str, float]:
        """Microseconds of CPU that a warm key resolution takes, by step: see ``bench.resolution``."""
        core, key = self.place.cores.measured, self.api_keys[0]
        said = _run("bench.resolution", str(turns), environment=self.environment, text=key, core=core)
        found: dict[str, float] = json.loads(said)
        return found


def _run(module: str, *arguments: str, environment: Mapping[str, str], text: str = "", core: int | None = None) -> str:
    """What ``module`` prints. Raises ``CalledProcessError``."""
    pinned = ["taskset", "-c", str(core)] if core is not None and shutil.which("taskset") else []
    command = [*pinned, sys.executable, "-m", module, *arguments]
    return subprocess.run(  # noqa: S603 -- our own modules.
        command, cwd=ROOT, env=dict(environment), input=text, stdout=subprocess.PIPE, text=True, check=True, timeout=60
    ).stdout


def _said(command: list[str]) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout  # noqa: S603 -- our own.


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@contextmanager
def all_of(place: Place, gateway: Gateway) -> Iterator[tuple[list[Target], float]]:
    """Everything there is to measure, running, and the seconds that our gateway took to start."""
    with ExitStack() as stack:
        floor = stack.enter_context(nginx(place))
        ours, cold = stack.enter_context(gateway.start())
        other = stack.enter_context(portkey(place))
        yield [direct(place), *(target for target in (floor, ours, other) if target)], cold
