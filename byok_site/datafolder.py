"""The data folder: database, broker, logs, mails, process files and generated secrets of one machine."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import environ
from cryptography.fernet import Fernet


def locate(value: str, root: Path) -> Path:
    folder = Path(value).expanduser() if value else root / "var"
    return folder if folder.is_absolute() else Path.cwd() / folder


def variables(folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("run", "log", "mail", "broker"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    file = folder / "secrets.env"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(f"SECRET_KEY={secrets.token_urlsafe(48)}\nCREDENTIAL_KEYS={Fernet.generate_key().decode()}\n")
    stored = dict(line.split("=", 1) for line in file.read_text().splitlines())
    return {**stored, **given}


def database(url: str, folder: Path) -> dict[str, Any]:
    if url.startswith(("postgres:", "postgresql:", "pgsql:")):
        return {**environ.Env.db_url_config(url), "CONN_MAX_AGE": 0, "OPTIONS": {"pool": True}}
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": folder / "db.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 2,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }


def broker_url(redis_url: str, folder: Path) -> str:
    if redis_url:
        return redis_url
    file = folder / "run" / "broker.url"
    return file.read_text().strip() if file.exists() else f"redis+socket://{folder}/run/no-broker.sock"
