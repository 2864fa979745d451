"""Addresses of what the product stands on: database, broker, mail server, and the way out to providers."""

import ipaddress
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

from byok_site import pool
from byok_site.datafolder import DATABASE
from byok_site.environment import Environment, Refused

POSTGRESQL = ("postgres", "postgresql", "pgsql")
SMTP = ("smtp", "smtp+tls", "smtp+ssl")
REDIS = ("redis", "rediss", "redis+socket", "unix")

# WAL lets readers go on beside a writer; IMMEDIATE takes the write lock at BEGIN, so a transaction never fails half-way
# through for want of it; FULL survives a power cut. Two seconds is what a person may wait for the lock.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 2,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}
# A server that vanishes without a word, as in a failover, is noticed in seconds. By default what it doesn't acknowledge is
# sent again for a quarter of an hour (tcp(7), tcp_retries2), in which a thread hangs: measured, over 40 s against 3.4 s.
POSTGRESQL_OPTIONS = {
    "connect_timeout": 2,
    "tcp_user_timeout": 3000,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
}
# The worker's 64 threads may each hold a connection; everybody else stays far below. Nobody waits for one longer than two
# seconds, and no attempt at making one goes on for longer: it would pause ever longer between its tries, and whoever
# comes after an outage of a minute would wait out that pause.
POSTGRESQL_POOL = {
    "min_size": 1,
    "max_size": 68,
    "timeout": 2,
    "reconnect_timeout": 2,
    "max_idle": 60,
    "check": pool.alive,
}


def uses_postgresql(env: Environment) -> bool:
    return urlsplit(env.text("DATABASE_URL")).scheme in POSTGRESQL


def database(env: Environment, folder: Path) -> dict[str, Any]:
    """Django's settings for DATABASE_URL (postgresql:// or sqlite://), or for the data folder's own file."""
    url = env.text("DATABASE_URL")
    if not url:
        return _sqlite(str(folder / DATABASE))
    scheme = urlsplit(url).scheme
    if scheme not in {*POSTGRESQL, "sqlite"}:
        raise Refused("DATABASE_URL", "must begin with postgresql:// or sqlite://")
    try:
        parsed = environ.Env.db_url_config(url)
    except ValueError:
        raise Refused("DATABASE_URL", "is not a URL") from None
    if parsed["NAME"] in {"", ":memory:"}:
        raise Refused("DATABASE_URL", "names no database")
    if scheme == "sqlite":
        return _sqlite(parsed["NAME"])
    options = {**POSTGRESQL_OPTIONS, **parsed.get("OPTIONS", {}), "pool": POSTGRESQL_POOL}
    # A kept connection under ASGI belongs to a thread that never comes back; the pool keeps them instead, and tests
    # each one it hands out, so that a restarted server costs nobody an error.
    return {**parsed, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}


def _sqlite(file: str) -> dict[str, Any]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": file, "OPTIONS": SQLITE_OPTIONS}


def broker(env: Environment, folder: Path) -> str:
    """Celery's broker URL: REDIS_URL, else the embedded broker's, which the supervisor writes at each start."""
    url = env.text("REDIS_URL")
    if url:
        if urlsplit(url).scheme not in REDIS:
            raise Refused("REDIS_URL", "must begin with redis://, rediss:// or redis+socket://")
        return f"redis+socket{url.removeprefix('unix')}" if url.startswith("unix:") else url
    try:
        return (folder / "run" / "broker.url").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        # Nothing listens there: publishing fails at once, and the sweep sends what was queued.
        return f"redis+socket://{folder / 'run' / 'no-broker.sock'}"


def mailer(env: Environment, folder: Path) -> dict[str, Any]:
    """Django's default mailer for EMAIL_URL; without one, mails are files in the data folder."""
    url = env.text("EMAIL_URL")
    if not url:
        return {
            "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "OPTIONS": {"file_path": folder / "mail"},
        }
    scheme = urlsplit(url).scheme
    if scheme == "consolemail":
        return {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if scheme not in SMTP:
        raise Refused("EMAIL_URL", f"must begin with {', '.join(f'{one}://' for one in SMTP)} or consolemail://")
    try:
        parsed = environ.Env.email_url_config(url)
    except ValueError:
        raise Refused("EMAIL_URL", "is not a URL") from None
    options = {
        "host": parsed["EMAIL_HOST"] or "localhost",
        "port": parsed["EMAIL_PORT"] or 25,
        "username": parsed["EMAIL_HOST_USER"] or "",
        "password": parsed["EMAIL_HOST_PASSWORD"] or "",
        "use_tls": scheme == "smtp+tls",
        "use_ssl": scheme == "smtp+ssl",
        "timeout": 10,
    }
    return {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}


def outbound_proxy(env: Environment) -> str:
    """The proxy every request to a provider takes, or empty. It may hold a password, so refusals do not quote it."""
    url = env.text("OUTBOUND_PROXY")
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in {"http", "https"} and parts.hostname and parts.path in {"", "/"} and (parts.port or True)
        )
    except ValueError:
        usable = False
    if url and not usable:
        raise Refused("OUTBOUND_PROXY", "must be an http or https URL of a proxy, without a path")
    return url


def outbound_ca_file(env: Environment) -> str:
    """A file of PEM certificates trusted beside the usual ones for provider connections, or empty."""
    file = env.text("OUTBOUND_CA_FILE")
    if file:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
        except OSError:  # ssl.SSLError is one of these
            raise Refused("OUTBOUND_CA_FILE", "names no readable file of PEM certificates") from None
    return file


def trusted_proxies(env: Environment) -> list[str]:
    """Addresses and networks whose X-Forwarded-For is believed."""
    given = env.items("TRUSTED_PROXIES")
    for item in given:
        try:
            ipaddress.ip_network(item, strict=False)
        except ValueError:
            raise Refused("TRUSTED_PROXIES", f"must list IP addresses or networks, not {item!r}") from None
    return given
