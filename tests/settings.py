"""The product's settings for the suite: an environment of its own, a throw-away data folder, cheap password hashes."""

import os
import tempfile

# What the developer's shell says must not reach a test.
for _name in (
    "BASE_URL", "CREDENTIAL_KEYS", "DATABASE_URL", "DEBUG", "EMAIL_URL", "GATEWAY_URL", "HOST", "OUTBOUND_CA_FILE",
    "OUTBOUND_PROXY", "PORT", "PROVIDER_BASE_URLS", "REDIS_URL", "SECRET_KEY", "TRUSTED_PROXIES",
):  # fmt: skip
    os.environ.pop(_name, None)

# Kept in a name: the folder goes away with the process that made it.
_folder = tempfile.TemporaryDirectory(prefix="byok-tests-")
os.environ["BYOK_DATA_DIR"] = _folder.name

from byok_site.settings import *  # noqa: E402, F403  Reads the environment prepared above.
from byok_site.settings import DATA_DIR, DATABASES  # noqa: E402

# A file, not memory: other processes and threads must see it. pytest-django adds each xdist worker's name.
DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
