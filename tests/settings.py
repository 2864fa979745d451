"""The product's settings for the suite: an environment of its own, a throw-away data folder, cheap password hashes."""

import os
import tempfile

from byok_site import secret_keys

# What the developer's shell says must not reach a test. A database is used only because TEST_DATABASE_URL names it.
_PRODUCT = (
    "BASE_URL", "BEDROCK_GLOBAL_REGION", "CHECKS_PER_MINUTE", "CHECKS_UNFINISHED", "CREDENTIAL_KEYS_FILE", "DEBUG", "EMAIL_FROM", "EMAIL_URL",
    "GATEWAY_FIRST_BYTE_TIMEOUT", "GATEWAY_URL", "HOST", "LOGIN_FAILURES", "LOG_FORMAT", "LOG_LEVEL", "METRICS_TOKEN", "OUTBOUND_CA_FILE",
    "OUTBOUND_PROXY", "PORT", "PROVIDER_BASE_URLS", "REAUTHENTICATE_AFTER", "REDIS_URL", "REQUIRE_TOTP",
    "SECRET_KEY_FILE", "TRUSTED_PROXIES",
)  # fmt: skip
for _name in _PRODUCT:
    os.environ.pop(_name, None)
if os.environ.get("DATABASE_URL") != os.environ.get("TEST_DATABASE_URL"):
    os.environ.pop("DATABASE_URL", None)

# tests/conftest.py removes it at the end.
THROW_AWAY = tempfile.TemporaryDirectory(prefix="byok-tests-")
os.environ.update(secret_keys.generate(), BYOK_DATA_DIR=THROW_AWAY.name)

from byok_site.settings import *  # noqa: E402, F403  Reads the environment prepared above.
from byok_site.settings import DATA_DIR, DATABASES  # noqa: E402

if "sqlite3" in DATABASES["default"]["ENGINE"]:
    # A file, not memory: other processes and threads must see it. pytest-django adds each xdist worker's name.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    # A pool would hold connections open to the database that the end of the run drops.
    DATABASES["default"]["OPTIONS"].pop("pool")

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
