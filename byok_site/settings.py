"""Everything Django is told. Values come from the environment; every rule about a value lives beside its reader."""

import os
import ssl
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.utils.csp import CSP

from byok_site import datafolder, logs, secret_keys, services
from byok_site.environment import Environment, Refused
from byok_site.provider_urls import provider_base_urls
from providerkeys.providers import aws_regions

ROOT = Path(__file__).resolve().parent.parent

DATA_DIR = datafolder.locate(os.environ.get("BYOK_DATA_DIR", ""), ROOT)
datafolder.prepare(DATA_DIR)
env = Environment(os.environ)
if not services.uses_postgresql(env):
    env = Environment(datafolder.with_secrets(DATA_DIR, os.environ))

DEBUG = env.boolean("DEBUG", False)
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, high=65535)
BASE_URL = env.origin("BASE_URL", f"http://127.0.0.1:{PORT}")
GATEWAY_URL = env.origin("GATEWAY_URL", BASE_URL)
SECRET_KEY = secret_keys.secret_key(env)
CREDENTIAL_KEYS = secret_keys.credential_keys(env)

# Limits and people
CHECKS_PER_MINUTE = env.integer("CHECKS_PER_MINUTE", 60)
CHECKS_UNFINISHED = env.integer("CHECKS_UNFINISHED", 20)
LOGIN_FAILURES = env.integer("LOGIN_FAILURES", 5)
REAUTHENTICATE_AFTER = env.integer("REAUTHENTICATE_AFTER", 900)
REQUIRE_TOTP = env.boolean("REQUIRE_TOTP", False)
if REQUIRE_TOTP:
    raise Refused("REQUIRE_TOTP", "cannot be true yet: this version has no second factor")
TRUSTED_PROXIES = services.trusted_proxies(env)

# Out-going traffic
PROVIDER_BASE_URLS = provider_base_urls(env.text("PROVIDER_BASE_URLS"))
OUTBOUND_PROXY = services.outbound_proxy(env)
OUTBOUND_CA_FILE = services.outbound_ca_file(env)
GATEWAY_FIRST_BYTE_TIMEOUT = env.integer("GATEWAY_FIRST_BYTE_TIMEOUT", 600)
BEDROCK_GLOBAL_REGION = env.choice("BEDROCK_GLOBAL_REGION", "us-east-1", aws_regions.REGIONS)

INSTALLED_APPS = [
    "organizations",
    "providerkeys",
    "gateway",
    "byok_site",
    "django_htmx",
    "axes",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "lucide",
]
MIDDLEWARE = [
    "byok_site.request_ids.request_ids",
    "django.middleware.security.SecurityMiddleware",
    "byok_site.middleware.browser_policies",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "byok_site.middleware.StaticFiles",
    # A page of 50 keys is 255 kB and compresses to 15. Django pads each answer at random, against guessing by length.
    "django.middleware.gzip.GZipMiddleware",
    "byok_site.middleware.forms_only",
    "byok_site.middleware.plain_cookies",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    # Innermost and synchronous: under ASGI the whole stack then runs in one thread instead of changing at each layer.
    "byok_site.middleware.no_store",
    "byok_site.middleware.no_blank_refusals",
]
ROOT_URLCONF = "byok_site.urls"
ASGI_APPLICATION = "byok_site.asgi.application"
WSGI_APPLICATION = "byok_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "organizations.context_processors.console",
                "byok_site.request_ids.context",
            ],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Language and time
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = "byok_site.formats"

# Sign-in
AUTH_USER_MODEL = "organizations.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "organizations.backends.MemberBackend"]
PASSWORD_HASHERS = ["organizations.hashing.BoundedPBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = LOGIN_FAILURES
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "byok_site.throttling.login_name"
AXES_LOCKOUT_CALLABLE = "organizations.throttling.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_IPWARE_META_PRECEDENCE_ORDER = ("REMOTE_ADDR",)  # the server has already applied TRUSTED_PROXIES
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True  # nobody reads it, and nothing would ever prune it

# Databases
DATABASES = {"default": services.database(env, DATA_DIR)}
ATOMIC_REQUESTS = False

# Addresses and cookies: the scheme of BASE_URL alone decides.
_base = urlsplit(BASE_URL)
_loopback = ["localhost", "127.0.0.1", "[::1]"]
HTTPS = _base.scheme == "https"
ALLOWED_HOSTS = [str(_base.hostname), *_loopback]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "byok_site.errors.csrf_failure"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Django's default would put what a toast says, with the names in it, into a cookie of its own.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

# A form may tick thousands of API keys. What is larger than 1 MiB never gets here: see `bodies`.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
FILE_UPLOAD_HANDLERS = ["byok_site.middleware.NoUploads"]

# Static files and mail
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "byok_site.static_files.StaticFilesStorage"},
}
MAILERS = {"default": services.mailer(env, DATA_DIR)}
EMAIL_FROM = env.text("EMAIL_FROM", "byok@localhost" if _base.hostname in _loopback else f"byok@{_base.hostname}")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = EMAIL_FROM

# Celery: ids in, nothing out.
EMBEDDED_BROKER = not env.text("REDIS_URL")
CELERY_BROKER_URL = services.broker(env, DATA_DIR)
CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED} if CELERY_BROKER_URL.startswith("rediss:") else None
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_SEND_SENT_EVENT = CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # who can write to the broker must not be able to command workers
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 1, "socket_connect_timeout": 1, "max_retries": 0}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "run" / "beat.schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "providerkeys.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "prune requests": {"task": "gateway.prune", "schedule": 3600.0, "options": {"expires": 3600}},
}

DEFAULT_EXCEPTION_REPORTER = "byok_site.debug_page.QuietReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "byok_site.debug_page.QuietReporterFilter"
LOGGING = logs.configuration(
    env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
    env.choice("LOG_FORMAT", "text", ("text", "json")),
)
