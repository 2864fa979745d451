"""What must be true before the first process starts: a current schema, static files, somebody who can log in."""

import hashlib
import socket
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from byok_site import health
from byok_site.supervisor.lock import Taken
from providerkeys.models import Heartbeat

STAMP = ".collected"


def check_port(host: str, port: int) -> None:
    """Raise Taken unless a server could listen there now."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise Taken(f"Port {port} on {host} cannot be used ({error.strerror}); choose another with PORT.") from None


def prepare_database(said: TextIO | None = None) -> None:
    """Migrate, and create the first people; what is to be told of them goes to ``said``, else to the terminal."""
    if not health.is_migrated():
        call_command("migrate", interactive=False, verbosity=0)
    # A stamp of the last run would call a worker ready that has not started yet.
    Heartbeat.objects.all().delete()
    call_command("bootstrap", stdout=said)


def collect_static_files() -> None:
    """Hash and compress the static files, unless those collected are of the same sources."""
    stamp = settings.STATIC_ROOT / STAMP
    current = _fingerprint()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == current:
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(current, encoding="utf-8")


def _fingerprint() -> str:
    digest = hashlib.sha256(f"{version('django')} {version('whitenoise')}".encode())
    for name, file in sorted(_sources()):
        status = file.stat()
        digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _sources() -> Iterator[tuple[str, Path]]:
    for finder in get_finders():
        for name, storage in finder.list([]):
            yield name, Path(storage.path(name))
