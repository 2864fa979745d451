"""``python -m tests.fakeproviders --write PATH``: runs the fakes until SIGTERM, or until whoever started them is gone."""

import argparse
import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from tests.fakeproviders.control import Control
from tests.fakeproviders.fakes import Fakes

_PARENT_POLL_SECONDS = 1.0


class _EndOfPipe(asyncio.Protocol):
    """Calls ``then`` when the other end of a pipe is closed, which the kernel does for a killed process too."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then

    def eof_received(self) -> None:
        self._then()

    def connection_lost(self, exc: Exception | None) -> None:
        self._then()


async def _until_parent_is_gone() -> None:
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 -- the kernel sends no event that every platform has
        await asyncio.sleep(_PARENT_POLL_SECONDS)


async def _watch_stdin(then: Callable[[], None]) -> None:
    """A terminal or /dev/null as stdin says nothing about who started us; a pipe does."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        await asyncio.get_running_loop().connect_read_pipe(lambda: _EndOfPipe(then), sys.stdin)


def _announce(path: str, fakes: Fakes, control: Control) -> None:
    """Write where everything is, in one piece: whoever sees the file sees all of it. ``-`` is stdout."""
    text = json.dumps(
        {"PROVIDER_BASE_URLS": fakes.base_urls, "control": control.port.url, "trap": fakes.trap_url}, indent=2
    )
    if path == "-":
        print(text.replace("\n", ""), flush=True)  # noqa: T201 -- this is the program's output
        return
    target = Path(path)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.write_text(text + "\n")
    draft.replace(target)


async def run(path: str) -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    fakes = Fakes()
    control = Control(fakes)
    await fakes.start()
    await control.port.set("up")
    await _watch_stdin(stop.set)
    _announce(path, fakes, control)
    ends = {asyncio.ensure_future(_until_parent_is_gone()), asyncio.ensure_future(stop.wait())}
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    await fakes.stop()
    await control.port.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.fakeproviders", description=__doc__)
    parser.add_argument("--write", metavar="PATH", default="-", help="where to write the addresses, - for stdout")
    asyncio.run(run(parser.parse_args().write))


if __name__ == "__main__":
    main()
