"""Waiting for `/readyz` to say that everything works."""

import http.client
import json
import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

ASKING_EVERY = 0.2
TELLING_EVERY = 30.0


def when_ready(host: str, port: int, act: Callable[[], None]) -> None:
    """Call `act` once, in a thread of its own, when the web process answers 200 and nothing is degraded."""
    threading.Thread(target=_wait, args=(host, port, act), name="readiness", daemon=True).start()


def _wait(host: str, port: int, act: Callable[[], None]) -> None:
    tell_at = time.monotonic() + TELLING_EVERY
    while (missing := missing_at(host, port)) != []:
        if time.monotonic() > tell_at:
            log.warning("Not ready yet: %s", "no answer from web" if missing is None else ", ".join(missing))
            tell_at += TELLING_EVERY
        time.sleep(ASKING_EVERY)
    act()


def missing_at(host: str, port: int) -> list[str] | None:
    """What `/readyz` says is failed or degraded; None without an answer."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        document = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return [*document.get("failed", ()), *document.get("degraded", ())]
