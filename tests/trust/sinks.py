"""Where a secret could end up: one function a sink of ``trust.md`` §4.2, numbered as there.

Each reads the real place of the running product and yields everything in it, piece by piece.
"""

import json
import os
import stat
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import parse_qs

from tests.fakeproviders import providers as stand_ins
from tests.product import ROOT
from tests.trust.walk.admin import pages
from tests.trust.walk.keys import half_a_form
from tests.trust.walk.scene import Scene
from tests.trust.walk.tap import messages


class Evidence(NamedTuple):
    """Something found at ``place`` of a sink."""

    place: str
    data: bytes


type Sink = Callable[[Scene], Iterator[Evidence]]


def database_files(scene: Scene) -> Iterator[Evidence]:
    """4: the file, its write-ahead log, a journal if there is one; deleted rows included, as the disk has them."""
    yield from _files(scene.product.data_dir.glob("db.sqlite3*"), scene.product.data_dir)


def broker(scene: Scene) -> Iterator[Evidence]:
    """5: append-only file, snapshot, and all that it was told meanwhile."""
    yield from _files((scene.product.data_dir / "broker").rglob("*"), scene.product.data_dir)
    yield Evidence("MONITOR", scene.tap.heard)


def broker_messages(scene: Scene) -> Iterator[Evidence]:
    """6: the messages of Celery, headers and body, decoded."""
    for number, message in enumerate(messages(scene.tap.heard)):
        yield Evidence(f"message {number}: body", b64decode(message["body"]))
        yield Evidence(f"message {number}: headers", json.dumps({**message, "body": ""}).encode())


def task_results(scene: Scene) -> Iterator[Evidence]:
    """7: none exist, neither in the broker nor in a table; what is called like one would be one."""
    with scene.broker() as client:
        for key in (*client.scan_iter("*result*"), *client.scan_iter("*task-meta*")):
            value = client.get(key)
            yield Evidence(os.fsdecode(key), value if isinstance(value, bytes) else b"")
    for (table,) in scene.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%taskresult%'"):
        yield Evidence(table, repr(scene.rows(f"SELECT * FROM {table}")).encode())


def worker_logs(scene: Scene) -> Iterator[Evidence]:
    """8: what the worker and beat have logged."""
    yield from _logs(scene, "worker", "beat")


def web_logs(scene: Scene) -> Iterator[Evidence]:
    """9: what the web process has logged, and those that look after it."""
    yield from _logs(scene, "web", "supervisor", "broker")


def answers(scene: Scene) -> Iterator[Evidence]:
    """10: every answer of the walk: status, headers, body."""
    for answer in scene.record.answers:
        yield Evidence(answer.place, answer.head + b"\n\n" + answer.body)


def browser(scene: Scene) -> Iterator[Evidence]:
    """11: document, fields, stores, caches and cookies after each step."""
    for snapshot in scene.snapshots:
        yield Evidence(snapshot.place, snapshot.data)


def django_admin(scene: Scene) -> Iterator[Evidence]:
    """13: what a superuser sees of every model: list, pages, history; and the record of what staff did."""
    for answer in pages(scene):
        yield Evidence(answer.place, answer.head + b"\n\n" + answer.body)
    yield Evidence("LogEntry", repr(scene.rows("SELECT * FROM django_admin_log")).encode())


def mails(scene: Scene) -> Iterator[Evidence]:
    """14: everything that was mailed."""
    yield from _files((scene.product.data_dir / "mail").iterdir(), scene.product.data_dir)


def processes(scene: Scene) -> Iterator[Evidence]:
    """16: command line and environment of each process, which others on the machine may read."""
    for pid in process_ids(scene):
        for name in ("cmdline", "environ"):
            with suppress(OSError):
                yield Evidence(f"{name} of {_name(scene, pid)}", Path(f"/proc/{pid}/{name}").read_bytes())


def temporary_files(scene: Scene) -> Iterator[Evidence]:
    """17: temporary files, those open and deleted too, core files, and whatever else the data folder holds.

    A form is half-way in meanwhile: what it was spooled to would be gone with its end.
    """
    with half_a_form(scene):
        yield from _files(scene.temporary.rglob("*"), scene.temporary)
        for pid in process_ids(scene):
            yield from _open_files(scene, pid)
    folder = scene.product.data_dir
    others = (file for file in folder.rglob("*") if _may_tell(file, file.relative_to(folder).parts[0], scene.started))
    yield from _files(others, folder)
    yield from _files(ROOT.glob("core*"), ROOT)


def command_outputs(scene: Scene) -> Iterator[Evidence]:
    """18: what commands print, those that dump above all."""
    for command, output in scene.outputs.items():
        yield Evidence(command, output)


def sessions(scene: Scene) -> Iterator[Evidence]:
    """20: every session's data. Django's cache lives in the memory of each process, so nothing of it is kept."""
    for key, data in scene.rows("SELECT session_key, session_data FROM django_session"):
        yield Evidence(f"session {key[:6]}", str(data).encode())


def error_pages(scene: Scene) -> Iterator[Evidence]:
    """21: the answers of all that broke."""
    for answer in scene.record.answers:
        if answer.status >= 500:
            yield Evidence(answer.place, answer.head + b"\n\n" + answer.body)


def repository(scene: Scene) -> Iterator[Evidence]:
    """22: the repository, and what this suite writes about itself; of files that are older than any canary the name alone."""
    for file in (*repository_files(), *(ROOT / ".pytest_cache").rglob("*")):
        with suppress(OSError):
            if file.is_file():
                is_new = file.stat().st_mtime > scene.started - _MARGIN
                yield Evidence(str(file.relative_to(ROOT)), file.read_bytes() if is_new else b"")


def providers(scene: Scene) -> Iterator[Evidence]:
    """23: what arrived at the providers: each one's own header or field of the body, where its own keys belong; the rest."""
    for request in scene.fakes.requests():
        _, service = stand_ins.served()[request.name]
        header = service.auth_header
        others = [(name, value) for name, value in request.headers if name != header]
        assert request.body is not None, "the fakes forget the oldest bodies"
        body = request.body.decode("latin-1")
        form = parse_qs(body) if service.credential_in_body else {}
        assertion = "".join(form.pop("assertion", []))
        rest = [request.method, request.path, request.query, others, form or body]
        yield Evidence(f"request {request.id} at {request.name}", json.dumps(rest).encode())
        if header:
            own = "\n".join(value for name, value in request.headers if name == header)
            yield Evidence(f"{header} of {request.name}", own.encode())
        if assertion:
            yield Evidence(f"assertion of {request.name}", assertion.encode())
    yield Evidence("violations", repr(scene.fakes.violations()).encode())


# The first canaries are older than the scene, and a file system may have a clock of its own.
_MARGIN: Final = 60.0
_MADE_HERE: Final = frozenset({"var", "__pycache__"})
# Each of these is a sink of its own.
_ELSEWHERE: Final = frozenset({"db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm", "broker", "log", "mail"})


def _may_tell(file: Path, top: str, started: float) -> bool:
    # Static files were copied from the repository before there was anything to tell.
    return top not in _ELSEWHERE and (top != "static" or file.stat().st_mtime > started)


SINKS: Final[Mapping[int, Sink]] = {
    4: database_files,
    5: broker,
    6: broker_messages,
    7: task_results,
    8: worker_logs,
    9: web_logs,
    10: answers,
    11: browser,
    13: django_admin,
    14: mails,
    16: processes,
    17: temporary_files,
    18: command_outputs,
    20: sessions,
    21: error_pages,
    22: repository,
    23: providers,
}


def repository_files() -> Iterator[Path]:
    """Every file that belongs to the repository: a developer's own ones and what tools make stay out."""
    for folder, names, files in ROOT.walk():
        names[:] = [name for name in names if name == ".ci" or not (name.startswith(".") or name in _MADE_HERE)]
        yield from (folder / name for name in files if name != ".env")


def process_ids(scene: Scene) -> list[int]:
    """The supervisor and all that came from it, and whatever else was told of this data folder."""
    parents: dict[int, int] = {}
    told = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if os.fsencode(scene.product.data_dir) in (folder / "environ").read_bytes():
                told.append(int(folder.name))
    family = {scene.product.pid("supervisor"), *told}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sorted(family)


def _name(scene: Scene, pid: int) -> str:
    names = {scene.product.pid(name): name for name in ("web", "worker", "beat", "broker", "supervisor")}
    return names.get(pid, "another process")


def _open_files(scene: Scene, pid: int) -> Iterator[Evidence]:
    """What an open descriptor leads to, even where the name is gone. The known files are read by their names."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            target, status = descriptor.readlink(), descriptor.stat()
            is_known = target.is_relative_to(scene.product.data_dir) or target.is_relative_to(ROOT)
            if stat.S_ISREG(status.st_mode) and not is_known:
                yield Evidence(f"open in {_name(scene, pid)}: {target.name}", descriptor.read_bytes())


def _logs(scene: Scene, *names: str) -> Iterator[Evidence]:
    folder = scene.product.data_dir / "log"
    yield from _files((file for name in names for file in folder.glob(f"{name}.log*")), folder)


def _files(files: Iterable[Path], folder: Path) -> Iterator[Evidence]:
    for file in files:
        with suppress(OSError):
            if file.is_file():
                yield Evidence(str(file.relative_to(folder)), file.read_bytes())
