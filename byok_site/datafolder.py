"""The data folder: database, broker, logs, mails, process files and generated secrets of one machine.

Everything in it belongs to the user who runs the product: the folder is 0700, its secrets 0600.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from byok_site import secret_keys
from byok_site.environment import Refused

SUBFOLDERS = ("broker", "log", "mail", "run", "static")
SECRETS = "secrets.env"
DATABASE = "db.sqlite3"


def locate(value: str, root: Path) -> Path:
    """The folder BYOK_DATA_DIR names, or var/ beside the code; always absolute, so that every process means the same."""
    return Path(value).expanduser().absolute() if value.strip() else root / "var"


def prepare(folder: Path) -> None:
    """Make the folder private and complete. Raises Refused when it cannot be written."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
        for name in SUBFOLDERS:
            (folder / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Refused("BYOK_DATA_DIR", f"names a folder that cannot be made or used ({error.strerror})") from None


def with_secrets(folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    """`given`, completed by the secrets of this folder, which are generated once.

    Raises Refused when they are missing beside a database: new keys could not read what it holds.
    """
    names = secret_keys.generate()
    # A variable set to nothing is not missing: it is a mistake, and its reader refuses it.
    missing = [name for name in names if name not in given and f"{name}_FILE" not in given]
    if not missing:
        return dict(given)
    file = folder / SECRETS
    if not file.exists():
        if (folder / DATABASE).exists():
            raise Refused(
                SECRETS, f"is missing beside an existing database: restore it, or set {' and '.join(missing)}"
            )
        _create(file, "".join(f"{name}={value}\n" for name, value in names.items()))
    stored = _read(file)
    return {**given, **{name: stored[name] for name in missing if name in stored}}


def _create(file: Path, content: str) -> None:
    """Write `file` whole or not at all. Of two processes starting at once the first wins, and both read its file."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(file).hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        Path(temporary).unlink()


def _read(file: Path) -> dict[str, str]:
    try:
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise Refused(SECRETS, "in the data folder cannot be read") from None
    pairs = (line.partition("=") for line in lines if line.strip() and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}
