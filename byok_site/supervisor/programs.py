"""The product's own processes, as `docs/scaling.md` and the Procfile start them on many machines."""

import os
import sys
from collections.abc import Mapping

from django.conf import settings

from byok_site.supervisor.child import Program

# Chatter between workers is for fleets that watch each other; here rows and the heartbeat say all there is to say.
QUIET_WORKER = ("--without-gossip", "--without-mingle", "--without-heartbeat")
# Django's system checks load every page's code; `./dev check` runs them, a worker's start need not.
CELERY = (sys.executable, "-m", "celery", "--quiet", "--skip-checks", "-A", "byok_site")
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "web": (sys.executable, "-m", "byok_site.web"),
    "worker": (*CELERY, "worker", "-P", "threads", "-c", "64", *QUIET_WORKER),
    "beat": (*CELERY, "beat"),
}
# The first people exist before any of these processes starts: their passwords are nobody else's to keep.
FIRST_PASSWORDS = ("BYOK_ADMIN_PASSWORD", "BYOK_STAFF_PASSWORD")


def programs(more: Mapping[str, str]) -> list[Program]:
    return [Program(name, command, environment(more), settings.ROOT) for name, command in COMMANDS.items()]


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Our own environment, with `more` variables and the data folder of this process."""
    own = {name: value for name, value in os.environ.items() if name not in FIRST_PASSWORDS}
    return {**own, "BYOK_DATA_DIR": str(settings.DATA_DIR), **more}
