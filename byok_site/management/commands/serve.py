"""`manage.py serve`: the whole product on one machine, in the foreground, under one supervisor."""

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from byok_site import startup
from byok_site.supervisor import broker, lock, preparation, programs, readiness
from byok_site.supervisor.loop import Supervisor


class Command(BaseCommand):
    help = (
        "Prepare the data folder, then run broker, web, worker and beat until told to stop. Prints `ready <BASE_URL>`."
    )
    # They are for whoever changes the code (`./dev check`) and would cost every start half a second.
    requires_system_checks: tuple[str, ...] = ()

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            with lock.held(settings.DATA_DIR / "run" / "supervisor.pid") as descriptor:
                preparation.check_port(settings.HOST, settings.PORT)
                self.prepare()
                self.supervise(descriptor)
        except lock.Taken as taken:
            raise CommandError(str(taken)) from None

    def prepare(self) -> None:
        _log_to_file()
        self.prepare_database()
        preparation.collect_static_files()
        refusal = startup.refusal()
        if refusal:
            raise CommandError(refusal)

    def prepare_database(self) -> None:
        preparation.prepare_database()

    def supervise(self, descriptor: int) -> None:
        with ExitStack() as stack:
            sockets = stack.enter_context(broker.socket_folder(settings.DATA_DIR)) if settings.EMBEDDED_BROKER else None
            supervisor = stack.enter_context(Supervisor(settings.DATA_DIR, descriptor, sockets))
            if sockets:
                broker.start(supervisor.add, sockets, settings.DATA_DIR)
            surroundings = self.surroundings(supervisor)
            for program in programs.programs(surroundings):
                supervisor.add(program)
            readiness.when_ready(settings.HOST, settings.PORT, partial(self.say_ready, surroundings))
            supervisor.run()

    def surroundings(self, supervisor: Supervisor) -> Mapping[str, str]:
        """What the processes need beside them, started by now: more variables for their environment."""
        return {}

    def say_ready(self, surroundings: Mapping[str, str]) -> None:
        self.stdout.write(f"ready {settings.BASE_URL}")
        self.stdout.flush()


def _log_to_file() -> None:
    """The supervisor's own lines stand beside its children's as well as on the terminal."""
    root = logging.getLogger()
    file = logging.FileHandler(settings.DATA_DIR / "log" / "supervisor.log")
    file.setFormatter(root.handlers[0].formatter if root.handlers else None)
    logging.getLogger("byok_site.supervisor").addHandler(file)
