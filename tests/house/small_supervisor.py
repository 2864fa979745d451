"""`python -m tests.house.small_supervisor FOLDER NAME=SHELL…`: the real supervisor over shell commands."""

import logging
import sys
from pathlib import Path

from byok_site.supervisor import lock
from byok_site.supervisor.child import Program
from byok_site.supervisor.loop import Supervisor


def main() -> None:
    logging.basicConfig(level="INFO")
    folder = Path(sys.argv[1])
    scratch = folder / "scratch"
    for name in ("run", "log", "scratch"):
        (folder / name).mkdir(exist_ok=True)
    try:
        with lock.held(folder / "run" / "supervisor.pid") as held, Supervisor(folder, held, scratch) as supervisor:
            for argument in sys.argv[2:]:
                name, _, command = argument.partition("=")
                supervisor.add(Program(name, ["/bin/sh", "-c", command], {"GIVEN": name}, folder))
            supervisor.run()
    except lock.Taken as taken:
        sys.exit(str(taken))


if __name__ == "__main__":
    main()
