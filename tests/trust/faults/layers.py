"""Where a secret passes on its way in, to the vault and to a provider, and how each place can fail."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError
from django.utils.module_loading import import_string


class Forced(Exception):
    """A layer was told to fail. Its frame holds the secret, its text does not."""


def fault_file(data_dir: Path) -> Path:
    return data_dir / "run" / "fault"


def _plainly(*_: Any, **__: Any) -> None:
    raise Forced("This layer was told to fail.")


def _quoting_the_row(_: Any, __: str, parameters: Any, *___: Any) -> None:
    """PostgreSQL tells the whole row in the text of a violated constraint."""
    raise IntegrityError(f'new row violates check constraint "forced"\nDETAIL:  Failing row contains ({parameters!r}).')


def _quoting_the_call(*arguments: Any, **named: Any) -> None:
    """As ``http.client`` does for a header that it cannot send, and many a library for a value that it cannot use."""
    raise ValueError(f"invalid value {arguments!r} {named!r}")


def _always(*_: Any) -> bool:
    return True


def _writes_a_secret(_: Any, sql: str, *__: Any) -> bool:
    tables = "providerkeys_providerkey", "providerkeys_credentialcheck", "organizations_user"
    return sql.startswith(("INSERT", "UPDATE")) and any(table in sql for table in tables)


def _is_no_error_page(template: Any, *_: Any) -> bool:
    return "/" in str(template.template.origin.template_name)


@dataclass(frozen=True)
class Layer:
    """A function by its path, how it fails, and for which of its calls; ``provider``: whose credentials pass there."""

    path: str
    fail: Callable[..., None] = _plainly
    when: Callable[..., bool] = _always
    provider: str = "openai"

    def make_fail_at(self, is_told: Callable[[], bool]) -> None:
        """Replace the function where it is looked up."""
        owner, attribute = self._place()
        kept = owner.__dict__[attribute]
        inner = kept.__func__ if isinstance(kept, classmethod) else kept

        @wraps(inner)
        def failing(*arguments: Any, **named: Any) -> Any:
            if is_told() and self.when(*arguments):
                self.fail(*arguments, **named)
            return inner(*arguments, **named)

        setattr(owner, attribute, classmethod(failing) if isinstance(kept, classmethod) else failing)

    def _place(self) -> tuple[Any, str]:
        owner, _, attribute = self.path.rpartition(".")
        is_class = owner.rpartition(".")[2][:1].isupper()
        return (import_string(owner) if is_class else import_module(owner)), attribute


WEB: Final = {
    "middleware": Layer("axes.middleware.AxesMiddleware.__call__"),
    "session": Layer("django.contrib.sessions.backends.db.SessionStore.save"),
    "login": Layer("django.contrib.auth.backends.ModelBackend.authenticate"),
    "hasher": Layer("django.contrib.auth.hashers.PBKDF2PasswordHasher.encode"),
    "access": Layer("organizations.access.access_for"),
    "field": Layer("providerkeys.forms.fields.ApiKeyField.clean"),
    "lint": Layer("providerkeys.forms.fields.lint"),
    "account": Layer("providerkeys.providers.service_account.parse", provider="google_vertex_ai"),
    "private key": Layer("providerkeys.providers.rsa_pem.load", provider="google_vertex_ai"),
    "access key id": Layer("providerkeys.forms.regions.clean_id", provider="bedrock"),
    "secret access key": Layer("providerkeys.forms.regions.clean_secret", provider="bedrock"),
    "regions": Layer("providerkeys.models.bedrock_region.BedrockRegion.arrange", provider="bedrock"),
    "draft": Layer("providerkeys.forms.provider_key.ProviderKeyForm.draft"),
    "fingerprint": Layer("providerkeys.vault.fingerprint"),
    "seal": Layer("providerkeys.vault.seal"),
    "cipher": Layer("cryptography.fernet.MultiFernet.encrypt"),
    "row": Layer("django.db.backends.utils.CursorWrapper._execute", _quoting_the_row, _writes_a_secret),
    "audit": Layer("organizations.models.audit_event.AuditEvent.record"),
    "queue": Layer("providerkeys.models.check.CredentialCheck._queue"),
    "publish": Layer("celery.Celery.send_task"),
    "mint": Layer("organizations.tokens.digest"),
    "page": Layer("django.template.backends.django.Template.render", when=_is_no_error_page),
    "error page": Layer("django.template.loader.get_template"),
}
WORKER: Final = {
    "lease": Layer("django.db.backends.utils.CursorWrapper._execute", _quoting_the_row, _writes_a_secret),
    "reveal": Layer("providerkeys.vault.reveal"),
    "decipher": Layer("cryptography.fernet.MultiFernet.decrypt"),
    "probe": Layer("providerkeys.providers.base.ApiKeyProvider.probe", _quoting_the_call),
    "door": Layer("requests.Session.request", _quoting_the_call),
    "answer": Layer("providerkeys.providers.base.ApiKeyProvider.classify", _quoting_the_call),
    "signing": Layer(
        "providerkeys.providers.google_oauth.access_token", _quoting_the_call, provider="google_vertex_ai"
    ),
    "token": Layer("providerkeys.providers.google_count_tokens.ask", _quoting_the_call, provider="google_vertex_ai"),
    "pair": Layer("providerkeys.providers.aws_access_key.AccessKey.read", _quoting_the_call, provider="bedrock"),
    "signature": Layer("botocore.auth.SigV4Auth.add_auth", _quoting_the_call, provider="bedrock"),
    "result": Layer("providerkeys.models.check_result.CheckResult.conclude"),
    "end": Layer("providerkeys.models.check.CredentialCheck.finish"),
}
"""In the order of the way."""
GATEWAY: Final = {
    "caller": Layer("gateway.app.authenticate", _quoting_the_call),
    "opening": Layer("gateway.resolve.Candidate.open", _quoting_the_call),
    "headers": Layer("gateway.headers.to_provider", _quoting_the_call),
    "client": Layer("aiohttp.ClientSession._request", _quoting_the_call),
    "scrubber": Layer("gateway.scrub.Scrubber.whole", _quoting_the_call),
    "record": Layer("gateway.record._row", _quoting_the_call),
}
"""The way of a program's request, in the web process."""


def plant() -> None:
    """Make every layer of this process ask ``run/fault`` whether it fails."""
    file = fault_file(settings.DATA_DIR)
    for name, layer in (WORKER if "worker" in sys.argv else {**WEB, **GATEWAY}).items():
        layer.make_fail_at(asked(file, name))


def asked(file: Path, name: str) -> Callable[[], bool]:
    """Whether ``name`` is told to fail now."""

    def is_told() -> bool:
        try:
            return file.read_text() == name
        except FileNotFoundError:
            return False

    return is_told
