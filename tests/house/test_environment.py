"""Each variable that can be wrong: the sentence that refuses it, and a twin that is accepted."""

import json
import os
import runpy
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from byok_site import provider_urls
from byok_site.environment import Environment, Refused
from gateway import db
from providerkeys.providers.aws_regions import REGIONS

SETTINGS = Path(provider_urls.__file__).with_name("settings.py")
KEY, OTHER_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
TYPED_KEY = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="  # 32 × "a": the right shape, and no randomness
SECRET = "kept-by-the-operator-0123456789-abcdef"
POSTGRESQL = {"DATABASE_URL": "postgresql://byok:db-password@127.0.0.1/byok"}
KEYS = {"SECRET_KEY": SECRET, "CREDENTIAL_KEYS": KEY}

type Load = Callable[..., dict[str, Any]]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Run the settings module as a fresh process would see it, with exactly these variables."""

    def load_with(**variables: str) -> dict[str, Any]:
        for name in list(os.environ):
            monkeypatch.delenv(name)
        for name, value in {"BYOK_DATA_DIR": str(tmp_path / "data"), **variables}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS))

    return load_with


def provider(**origins: object) -> dict[str, str]:
    return {"PROVIDER_BASE_URLS": json.dumps(origins)}


REFUSALS: list[tuple[dict[str, str], str]] = [
    ({"PORT": "eighty"}, "PORT must be a whole number from 1 to 65535, not 'eighty'."),
    ({"PORT": "70000"}, "PORT must be a whole number from 1 to 65535, not '70000'."),
    ({"CHECKS_PER_MINUTE": "0"}, "CHECKS_PER_MINUTE must be a whole number from 1 to 1000000, not '0'."),
    ({"CHECKS_UNFINISHED": "-3"}, "CHECKS_UNFINISHED must be a whole number from 1 to 1000000, not '-3'."),
    ({"LOGIN_FAILURES": "٣"}, "LOGIN_FAILURES must be a whole number from 1 to 1000000, not '٣'."),
    ({"DEBUG": "perhaps"}, "DEBUG must be true or false, not 'perhaps'."),
    ({"REQUIRE_TOTP": "true"}, "REQUIRE_TOTP cannot be true yet: this version has no second factor."),
    ({"LOG_LEVEL": "loud"}, "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, not 'loud'."),
    ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be one of text, json, not 'xml'."),
    ({"BASE_URL": "byok.example.com"}, "BASE_URL must be an http or https URL with a host."),
    ({"BASE_URL": "ftp://byok.example.com"}, "BASE_URL must be an http or https URL with a host."),
    ({"BASE_URL": "https://[::1"}, "BASE_URL is not a URL."),
    (
        {"BASE_URL": "https://byok.example.com/console"},
        "BASE_URL must hold only scheme, host and port: no user, path, query or fragment.",
    ),
    (
        {"GATEWAY_URL": "https://u:hunter22@gw.example.com"},
        "GATEWAY_URL must hold only scheme, host and port: no user, path, query or fragment.",
    ),
    ({"DATABASE_URL": "mysql://127.0.0.1/byok"}, "DATABASE_URL must begin with postgresql:// or sqlite://."),
    ({"DATABASE_URL": "sqlite://:memory:"}, "DATABASE_URL names no database."),
    ({**KEYS, "DATABASE_URL": "postgresql://127.0.0.1"}, "DATABASE_URL names no database."),
    ({**KEYS, "DATABASE_URL": "postgresql://127.0.0.1:port/byok"}, "DATABASE_URL is not a URL."),
    (
        {"REDIS_URL": "http://:redis-password@127.0.0.1"},
        "REDIS_URL must begin with redis://, rediss:// or redis+socket://.",
    ),
    (
        {"EMAIL_URL": "imap://u:mail-password@mail.example.com"},
        "EMAIL_URL must begin with smtp://, smtp+tls://, smtp+ssl:// or consolemail://.",
    ),
    ({"EMAIL_URL": "smtp://mail.example.com:port"}, "EMAIL_URL is not a URL."),
    ({"TRUSTED_PROXIES": "10.0.0.0/8,lb"}, "TRUSTED_PROXIES must list IP addresses or networks, not 'lb'."),
    (
        {"OUTBOUND_PROXY": "socks5://u:proxy-password@p"},
        "OUTBOUND_PROXY must be an http or https URL of a proxy, without a path.",
    ),
    ({"OUTBOUND_CA_FILE": "/nowhere.pem"}, "OUTBOUND_CA_FILE names no readable file of PEM certificates."),
    (
        {"BEDROCK_GLOBAL_REGION": "evil.example/#"},
        f"BEDROCK_GLOBAL_REGION must be one of {', '.join(REGIONS)}, not 'evil.example/#'.",
    ),
    ({"BEDROCK_GLOBAL_REGION": "global"}, f"BEDROCK_GLOBAL_REGION must be one of {', '.join(REGIONS)}, not 'global'."),
    ({"OUTBOUND_CA_FILE": __file__}, "OUTBOUND_CA_FILE names no readable file of PEM certificates."),
    (
        {"BYOK_DATA_DIR": f"{__file__}/data"},
        "BYOK_DATA_DIR names a folder that cannot be made or used (Not a directory).",
    ),
    (
        {"CREDENTIAL_KEYS": ""},
        "CREDENTIAL_KEYS is missing or empty: set it, or CREDENTIAL_KEYS_FILE (`python -m byok_site.secret_keys` prints one).",
    ),
    (
        {"CREDENTIAL_KEYS": f"{KEY},{SECRET}"},
        "CREDENTIAL_KEYS holds no Fernet key (32 bytes in URL-safe base64) at place 2.",
    ),
    ({"CREDENTIAL_KEYS": KEY[:20]}, "CREDENTIAL_KEYS holds no Fernet key (32 bytes in URL-safe base64) at place 1."),
    ({"CREDENTIAL_KEYS": "schlüssel"}, "CREDENTIAL_KEYS holds no Fernet key (32 bytes in URL-safe base64) at place 1."),
    ({"CREDENTIAL_KEYS": "changeme"}, "CREDENTIAL_KEYS holds no Fernet key (32 bytes in URL-safe base64) at place 1."),
    (
        {"CREDENTIAL_KEYS": TYPED_KEY},
        "CREDENTIAL_KEYS holds a placeholder at place 1, not a random key (`python -m byok_site.secret_keys` prints one).",
    ),
    ({"CREDENTIAL_KEYS": f"{KEY},{OTHER_KEY},{KEY}"}, "CREDENTIAL_KEYS lists the same key twice."),
    ({"SECRET_KEY": "short"}, "SECRET_KEY is too short: at least 32 characters."),
    (
        {"SECRET_KEY": "x" * 60},
        "SECRET_KEY is a placeholder, not a random value (`python -m byok_site.secret_keys` prints one).",
    ),
    (
        {**POSTGRESQL, "CREDENTIAL_KEYS": KEY},
        "SECRET_KEY is missing or empty: set it, or SECRET_KEY_FILE (`python -m byok_site.secret_keys` prints one).",
    ),
    (
        {**POSTGRESQL, "SECRET_KEY": SECRET},
        "CREDENTIAL_KEYS is missing or empty: set it, or CREDENTIAL_KEYS_FILE (`python -m byok_site.secret_keys` prints one).",
    ),
    ({"SECRET_KEY_FILE": "/nowhere"}, "SECRET_KEY_FILE names a file that cannot be read (No such file or directory)."),
    ({"SECRET_KEY": SECRET, "SECRET_KEY_FILE": __file__}, "SECRET_KEY and SECRET_KEY_FILE are both set; keep one."),
    ({"PROVIDER_BASE_URLS": "{"}, "PROVIDER_BASE_URLS is not JSON."),
    ({"PROVIDER_BASE_URLS": "[]"}, "PROVIDER_BASE_URLS must be a JSON object of names and URLs."),
    (
        provider(opanai="https://127.0.0.1:1"),
        f"PROVIDER_BASE_URLS names 'opanai'; known are {', '.join(provider_urls.NAMES)}.",
    ),
    (provider(openai=7), "PROVIDER_BASE_URLS['openai'] must be a string."),
    (
        provider(openai="http://127.0.0.1:9000/v1"),
        "PROVIDER_BASE_URLS['openai'] must hold only scheme, host and port: no user, path, query or fragment.",
    ),
    (
        provider(openai="https://proxy.example.com?to="),
        "PROVIDER_BASE_URLS['openai'] must hold only scheme, host and port: no user, path, query or fragment.",
    ),
    (
        provider(openai="http://localhost.example.com"),
        "PROVIDER_BASE_URLS['openai'] must be https: plain http is for this machine only.",
    ),
    (
        provider(anthropic="http://10.0.0.7"),
        "PROVIDER_BASE_URLS['anthropic'] must be https: plain http is for this machine only.",
    ),
]


@pytest.mark.parametrize(("variables", "sentence"), REFUSALS)
def test_a_bad_value_is_one_sentence(load: Load, variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        load(**variables)

    assert str(refused.value) == sentence


def test_no_refusal_quotes_a_secret() -> None:
    secrets = ["password", "hunter22", SECRET, KEY, KEY[:20], TYPED_KEY, "schlüssel", "changeme", "x" * 60]

    assert [sentence for _, sentence in REFUSALS if any(secret in sentence for secret in secrets)] == []


ACCEPTED: list[tuple[dict[str, str], str, object]] = [
    ({"PORT": " 8080 "}, "PORT", 8080),
    ({"PORT": "8080"}, "BASE_URL", "http://127.0.0.1:8080"),
    ({"PORT": ""}, "PORT", 8000),
    ({"DEBUG": "on"}, "DEBUG", True),
    ({}, "DEBUG", False),
    ({"REQUIRE_TOTP": "false"}, "REQUIRE_TOTP", False),
    ({"BASE_URL": "https://BYOK.example.com/"}, "BASE_URL", "https://byok.example.com"),
    ({"BASE_URL": "http://[::1]:8000"}, "BASE_URL", "http://[::1]:8000"),
    ({"BASE_URL": "https://byok.example.com"}, "GATEWAY_URL", "https://byok.example.com"),
    ({"BASE_URL": "https://byok.example.com"}, "EMAIL_FROM", "byok@byok.example.com"),
    ({"TRUSTED_PROXIES": "10.0.0.0/8, ::1"}, "TRUSTED_PROXIES", ["10.0.0.0/8", "::1"]),
    ({"OUTBOUND_PROXY": "http://u:p@proxy:3128"}, "OUTBOUND_PROXY", "http://u:p@proxy:3128"),
    ({"CREDENTIAL_KEYS": f"{OTHER_KEY}, {KEY}"}, "CREDENTIAL_KEYS", [OTHER_KEY, KEY]),
    ({"SECRET_KEY": SECRET}, "SECRET_KEY", SECRET),
    ({"REDIS_URL": "redis://:p@127.0.0.1:6379/3"}, "CELERY_BROKER_URL", "redis://:p@127.0.0.1:6379/3"),
    ({"REDIS_URL": "unix:///run/redis.sock"}, "CELERY_BROKER_URL", "redis+socket:///run/redis.sock"),
    ({"PROVIDER_BASE_URLS": ""}, "PROVIDER_BASE_URLS", {}),
    (
        provider(openai="http://127.0.0.1:9000", xai="http://[::1]:9001", azure="https://proxy.example.com/"),
        "PROVIDER_BASE_URLS",
        {"openai": "http://127.0.0.1:9000", "xai": "http://[::1]:9001", "azure": "https://proxy.example.com"},
    ),
]


@pytest.mark.parametrize(("variables", "name", "value"), ACCEPTED)
def test_a_good_value_is_taken(load: Load, variables: dict[str, str], name: str, value: object) -> None:
    assert load(**variables)[name] == value


def test_a_secret_can_come_from_a_file(load: Load, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{KEY}\n")

    settings = load(**POSTGRESQL, SECRET_KEY=SECRET, CREDENTIAL_KEYS_FILE=str(tmp_path / "keys"))

    assert settings["CREDENTIAL_KEYS"] == [KEY]


def test_postgresql_is_pooled_and_generates_nothing(load: Load, tmp_path: Path) -> None:
    database = load(**POSTGRESQL, **KEYS)["DATABASES"]["default"]

    assert (database["ENGINE"], database["NAME"]) == ("django.db.backends.postgresql", "byok")
    assert database["CONN_MAX_AGE"] == 0
    assert database["OPTIONS"]["pool"]
    assert not (tmp_path / "data" / "secrets.env").exists()


def test_a_postgresql_that_is_gone_without_a_word_is_noticed_in_seconds_unless_its_url_says_otherwise(
    load: Load,
) -> None:
    usual = load(**POSTGRESQL, **KEYS)["DATABASES"]["default"]["OPTIONS"]
    told = {"DATABASE_URL": f"{POSTGRESQL['DATABASE_URL']}?tcp_user_timeout=9000"}
    other = load(**told, **KEYS)["DATABASES"]["default"]["OPTIONS"]

    # Milliseconds for what was sent and not acknowledged; seconds before the first question of one that waits.
    assert usual["tcp_user_timeout"] + 1000 * usual["connect_timeout"] <= 1000 * db.SECONDS
    assert usual["keepalives_idle"] <= 10
    assert int(other["tcp_user_timeout"]) == 9000
    assert other["connect_timeout"] == usual["connect_timeout"]


def test_the_data_folder_makes_its_secrets_once_and_keeps_them_private(load: Load, tmp_path: Path) -> None:
    first, second = load(), load()

    assert first["CREDENTIAL_KEYS"] == second["CREDENTIAL_KEYS"]
    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "secrets.env").stat().st_mode) == 0o600


def test_a_restored_folder_is_made_private_again(load: Load, tmp_path: Path) -> None:
    load()
    (tmp_path / "data").chmod(0o755)
    (tmp_path / "data" / "secrets.env").chmod(0o644)

    load()

    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "secrets.env").stat().st_mode) == 0o600


def test_lost_secrets_beside_a_database_are_not_replaced(load: Load, tmp_path: Path) -> None:
    load()
    (tmp_path / "data" / "secrets.env").unlink()
    (tmp_path / "data" / "db.sqlite3").touch()

    with pytest.raises(Refused, match="missing beside an existing database"):
        load()

    assert load(**KEYS)["CREDENTIAL_KEYS"] == [KEY]
    assert not (tmp_path / "data" / "secrets.env").exists()


def test_sqlite_waits_two_seconds_and_never_for_a_lock_it_could_have_taken_first(load: Load, tmp_path: Path) -> None:
    database = load()["DATABASES"]["default"]

    assert database["NAME"] == str(tmp_path / "data" / "db.sqlite3")
    assert database["OPTIONS"]["timeout"] == 2
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]
    assert "synchronous=FULL" in database["OPTIONS"]["init_command"]


@pytest.mark.parametrize(
    ("base_url", "prefix", "secure"), [("http://byok.lan", "", False), ("https://byok.lan", "__Host-", True)]
)
def test_the_scheme_alone_decides_how_cookies_are_kept(load: Load, base_url: str, prefix: str, secure: bool) -> None:
    settings = load(BASE_URL=base_url)

    for cookie in ("SESSION", "CSRF"):
        assert settings[f"{cookie}_COOKIE_NAME"].startswith("__Host-") == secure
        assert settings[f"{cookie}_COOKIE_NAME"].startswith(prefix)
        assert settings[f"{cookie}_COOKIE_SECURE"] == secure
        assert settings[f"{cookie}_COOKIE_HTTPONLY"]
        assert settings[f"{cookie}_COOKIE_SAMESITE"] == "Lax"
    assert (settings["SECURE_HSTS_SECONDS"] >= 31_536_000) == secure
    assert "byok.lan" in settings["ALLOWED_HOSTS"]
    assert settings["CSRF_TRUSTED_ORIGINS"] == [base_url]


def test_mail_goes_to_files_until_a_server_is_named(load: Load, tmp_path: Path) -> None:
    assert load()["MAILERS"]["default"]["OPTIONS"] == {"file_path": tmp_path / "data" / "mail"}

    options = load(EMAIL_URL="smtp+tls://user:p%40ss@mail.example.com:587")["MAILERS"]["default"]["OPTIONS"]

    assert (options["host"], options["port"], options["password"]) == ("mail.example.com", 587, "p@ss")
    assert options["use_tls"]
    assert not options["use_ssl"]


def test_celery_carries_ids_in_and_nothing_out(load: Load) -> None:
    settings = load()

    assert settings["CELERY_ACCEPT_CONTENT"] == ["json"]
    assert settings["CELERY_TASK_SERIALIZER"] == "json"
    assert settings["CELERY_TASK_IGNORE_RESULT"]
    assert not settings["CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED"]
    assert not settings["CELERY_WORKER_HIJACK_ROOT_LOGGER"]
    assert not settings["CELERY_WORKER_REDIRECT_STDOUTS"]
    assert not settings["CELERY_WORKER_SEND_TASK_EVENTS"]
    assert not settings["CELERY_TASK_SEND_SENT_EVENT"]
    assert not settings["CELERY_TASK_PUBLISH_RETRY"]
    assert not settings["CELERY_WORKER_ENABLE_REMOTE_CONTROL"]
    assert "CELERY_RESULT_BACKEND" not in settings
    assert {name for name in settings if "TIME_LIMIT" in name} == set()
    assert settings["CELERY_BEAT_SCHEDULE"]["sweep"]["schedule"] == 10


def test_values_are_read_once_from_their_file(tmp_path: Path) -> None:
    file = tmp_path / "value"
    file.write_text("one")
    env = Environment({"NAME_FILE": str(file)})

    assert env.text("NAME") == "one"
    file.write_text("two")
    assert env.text("NAME") == "one"
