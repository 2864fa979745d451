"""CAN-00: a canary in every disguise, planted in each sink of a running product as it could really get there."""

import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from organizations.ids import new_id
from tests.processes import eventually
from tests.product import ROOT
from tests.trust.canary import Canary
from tests.trust.disguises import DISGUISES, as_text
from tests.trust.faults.middleware import PATH
from tests.trust.walk.browser import PLACES
from tests.trust.walk.scene import Scene

type Planted = Mapping[str, bytes]
"""What is planted in one sink, by the name of its disguise."""


@dataclass(frozen=True)
class Plants:
    """A canary of its own for each sink and disguise."""

    canaries: dict[tuple[int, str], Canary] = field(default_factory=dict)

    def make(self, sink: int) -> Planted:
        """Everything to plant in ``sink``."""
        return {disguise: wrap(self.canary(sink, disguise).value) for disguise, wrap in DISGUISES.items()}

    def canary(self, sink: int, where: str) -> Canary:
        return self.canaries.setdefault((sink, where), Canary.password(f"planted in sink {sink}: {where}"))

    def in_browser(self) -> dict[str, str | list[str]]:
        """A plain canary for each place of the browser, and every disguise for its local storage."""
        plain: dict[str, str | list[str]] = {place: self.canary(11, place).value for place in PLACES}
        return {**plain, "localStorage": [self.canary(11, "localStorage").value, *map(as_text, self.make(11).values())]}


@contextmanager
def plant(scene: Scene, plants: Plants) -> Iterator[None]:
    """Plant in every sink but the browser, which has to be planted while it is open."""
    with ExitStack() as stack:
        for sink, how in _HOW.items():
            how(scene, plants.make(sink), stack)
        yield


def _lines(planted: Planted) -> bytes:
    return b"\n".join(planted.values()) + b"\n"


def _in_database(scene: Scene, planted: Planted, _: ExitStack) -> None:
    database = scene.database()
    database.execute("CREATE TABLE planted (disguise TEXT, data BLOB)")
    database.executemany("INSERT INTO planted VALUES (?, ?)", planted.items())
    database.commit()
    database.close()


def _in_broker(scene: Scene, planted: Planted, _: ExitStack) -> None:
    """As values; then the broker writes its snapshot, in which repeated text is compressed."""
    with scene.broker() as client:
        for disguise, data in planted.items():
            client.set(f"planted {disguise}", data * 2)
        client.bgrewriteaof()
        eventually(lambda: not client.info("persistence")["aof_rewrite_in_progress"], 20)


def _in_messages(scene: Scene, planted: Planted, _: ExitStack) -> None:
    with scene.broker() as client:
        for data in planted.values():
            client.lpush("planted", f'{{"body": "{b64encode(data).decode()}", "headers": {{}}}}')
    eventually(lambda: scene.tap.heard.count(b'"LPUSH" "planted"') == len(planted), 15)


def _as_results(scene: Scene, planted: Planted, _: ExitStack) -> None:
    with scene.broker() as client:
        client.set("celery-task-meta-planted", _lines(planted))


def _in_log(name: str) -> Callable[[Scene, Planted, ExitStack], None]:
    def append(scene: Scene, planted: Planted, _: ExitStack) -> None:
        with (scene.product.data_dir / "log" / f"{name}.log").open("ab") as log:
            log.write(_lines(planted))

    return append


def _in_answer(scene: Scene, planted: Planted, _: ExitStack) -> None:
    # What is no form is refused before anything could answer with it.
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    scene.visitor("planter").send("POST", PATH, _lines(planted), form)


def _in_audit_event(scene: Scene, planted: Planted, _: ExitStack) -> None:
    """As the name of something: shown by Django admin, printed by ``dumpdata``."""
    sql = (
        "INSERT INTO organizations_auditevent"
        " (id, organization_id, actor_id, actor_label, actor_kind, ip, action, target_id, target_label, details, result, at)"
        " VALUES (?, '', '', '', 'system', '', 'planted', '', ?, '{}', 'ok', '2100-01-01 00:00:00')"
    )
    database = scene.database()
    database.executemany(sql, [(new_id("evt"), as_text(data)) for data in planted.values()])
    database.commit()
    database.close()


def _in_session(scene: Scene, planted: Planted, _: ExitStack) -> None:
    database = scene.database()
    rows = [(f"planted{number}", as_text(data)) for number, data in enumerate(planted.values())]
    database.executemany("INSERT INTO django_session VALUES (?, ?, '2100-01-01')", rows)
    database.commit()
    database.close()


def _in_reports(_: Scene, planted: Planted, stack: ExitStack) -> None:
    folder = ROOT / ".pytest_cache"
    folder.mkdir(exist_ok=True)
    report = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix="planted-"))) / "report"
    report.write_bytes(_lines(planted))


def _in_mail(scene: Scene, planted: Planted, _: ExitStack) -> None:
    (scene.product.data_dir / "mail" / "planted").write_bytes(_lines(planted))


def _in_process(scene: Scene, planted: Planted, stack: ExitStack) -> None:
    """In the arguments of a process of the product, and in its environment."""
    words = [as_text(data) for data in planted.values()]
    told = {"BYOK_DATA_DIR": str(scene.product.data_dir), **{f"PLANTED_{n}": word for n, word in enumerate(words[::2])}}
    _wait_beside(stack, words[1::2], told)


def _in_temporary_file(scene: Scene, planted: Planted, stack: ExitStack) -> None:
    """In a file that is there, and in one that is only open."""
    half = len(planted) // 2
    (scene.temporary / "planted").write_bytes(b"\n".join(list(planted.values())[:half]))
    with tempfile.TemporaryFile(dir=scene.temporary) as deleted:
        deleted.write(b"\n".join(list(planted.values())[half:]))
        deleted.flush()
        _wait_beside(stack, [], {"BYOK_DATA_DIR": str(scene.product.data_dir)}, deleted.fileno())


def _wait_beside(stack: ExitStack, words: list[str], environment: Mapping[str, str], *descriptors: int) -> None:
    """A process that waits for the end of the stack."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", "read -r _", "sh", *words], stdin=subprocess.PIPE, env=environment, pass_fds=descriptors
    )
    stack.enter_context(process)


def _at_provider(scene: Scene, planted: Planted, _: ExitStack) -> None:
    """In a header that is not the provider's own, in a query and in a body, in turn."""
    connection = HTTPConnection(urlsplit(scene.fakes.base_urls["openai"]).netloc)
    for number, data in enumerate(planted.values()):
        text = b64encode(data).decode()
        header, query, body = (text if number % 3 == place else "" for place in range(3))
        connection.request("POST", f"/v1/models?x={quote(query)}", body, {"x-planted": header})
        connection.getresponse().read()
    connection.close()


_HOW: Final[Mapping[int, Callable[[Scene, Planted, ExitStack], None]]] = {
    4: _in_database,
    5: _in_broker,
    6: _in_messages,
    7: _as_results,
    8: _in_log("beat"),
    9: _in_log("web"),
    10: _in_answer,
    13: _in_audit_event,
    14: _in_mail,
    16: _in_process,
    17: _in_temporary_file,
    18: _in_audit_event,
    20: _in_session,
    21: _in_answer,
    22: _in_reports,
    23: _at_provider,
}
