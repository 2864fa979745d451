"""The gateway as processes of their own, each with no broker anywhere."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
from django.db import connection

from tests.processes import eventually

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Process:
    """One process that serves the gateway alone, with no broker anywhere."""

    url: str
    running: subprocess.Popen[bytes]

    def ask(self, api_key: str, model: str = "openai/gpt-4o") -> tuple[int, str]:
        """Status, and the provider key that served."""
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
        headers = {"x-api-key": api_key}
        answer = requests.post(f"{self.url}/v1/chat/completions", json=body, headers=headers, timeout=20)
        return answer.status_code, answer.headers.get("x-byok-provider-key", "")

    @property
    def resident_mib(self) -> float:
        lines = Path(f"/proc/{self.running.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    @property
    def descriptors(self) -> tuple[str, ...]:
        """How many it may open, and how many it could have asked for."""
        lines = Path(f"/proc/{self.running.pid}/limits").read_text().splitlines()
        return tuple(next(line.split()[3:5] for line in lines if line.startswith("Max open files")))


@contextmanager
def processes(base_urls: Mapping[str, str], count: int = 1, *, database: str = "") -> Iterator[list[Process]]:
    """So many of them, in front of these providers and of the ``database`` with this URL, or of that which this test sees."""
    ports = [free_port() for _ in range(count)]
    with ExitStack() as stack:
        running = [stack.enter_context(_started(port, base_urls, database or database_url())) for port in ports]
        try:
            for port in ports:
                eventually(lambda port=port: _is_up(port), 20)  # type: ignore[misc]
            yield [Process(f"http://127.0.0.1:{port}", one) for port, one in zip(ports, running, strict=True)]
        finally:
            for one in running:
                one.kill()


def _started(port: int, base_urls: Mapping[str, str], database: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PORT": str(port),
        "DATABASE_URL": database,
        "PROVIDER_BASE_URLS": json.dumps(dict(base_urls)),
        "DJANGO_SETTINGS_MODULE": "byok_site.settings",
    }
    return subprocess.Popen([sys.executable, "-m", "byok_site.web", "gateway"], cwd=ROOT, env=environment)


def free_port() -> int:
    """One on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_up(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=1).ok
    except requests.RequestException:
        return False


def database_url() -> str:
    """That of the database which this test sees."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    return f"postgresql://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT'] or 5432}/{given['NAME']}"
