"""One attempt at a check: lease it, open each credential late, ask its provider, write the verdict."""

import json
import logging
import time

from django.db import OperationalError

from providerkeys import vault
from providerkeys.models.check import CredentialCheck
from providerkeys.models.check_result import CheckResult
from providerkeys.models.provider_key import ProviderKey
from providerkeys.providers import http, registry
from providerkeys.providers.base import Credential, Provider
from providerkeys.vault import Purpose, Sealable, SecretUnreadable, VaultError

log = logging.getLogger(__name__)


class _LeaseLost(Exception):
    """Another attempt has taken over, or the check has ended: whatever this one finds out is dropped."""


class _CredentialsMoved(Exception):
    """The stored record holds other bytes than those that were to be tested."""


def run(check_id: str) -> None:
    """Run the check, if it is to be run: a message may come late, twice, or for a row that is gone."""
    check = CredentialCheck.objects.select_related("provider_key__organization").filter(pk=check_id).first()
    provider = registry.find(check.provider) if check else None
    if check is None or provider is None or not check.take():
        return
    try:
        for result in check.results.filter(verdict="").order_by("position"):
            result.credential_check = check
            _conclude(result, provider)
        check.finish()
    except _LeaseLost:
        log.info("check %s: attempt %d lost its lease", check.pk, check.attempt)
        return
    except OperationalError as error:
        # The lease runs out, and another attempt says what this one could not write.
        log.warning("check %s: attempt %d ended by %s", check.pk, check.attempt, type(error).__name__)
        return
    log.info("check %s done: provider=%s attempt=%d", check.pk, check.provider, check.attempt)


def _conclude(result: CheckResult, provider: Provider) -> None:
    started = time.monotonic()
    reason = _reason(result, provider)
    milliseconds = round((time.monotonic() - started) * 1000)
    if not result.conclude(reason, provider.verdict(reason), milliseconds):
        raise _LeaseLost


def _reason(result: CheckResult, provider: Provider) -> str:
    check = result.credential_check

    def send(request: http.Request) -> http.Answer:
        try:
            return http.send(request)
        finally:
            if not check.renew():
                raise _LeaseLost

    try:
        return provider.check(_credential(result), send)
    except http.Unreachable as unreachable:
        return unreachable.reason
    except VaultError:
        return "unreadable"
    except _CredentialsMoved:
        return "changed"
    except (_LeaseLost, OperationalError):
        # Ours, and nothing that the provider said.
        raise
    except Exception as error:  # noqa: BLE001 -- a mistake in a provider's file must not look like a wrong key.
        # The type alone: text and traceback of an exception may hold a part of the credential.
        log.error(  # noqa: TRY400
            "check %s: %s failed with %s", check.pk, check.provider, type(error).__name__
        )
        return "unexpected"


def _credential(result: CheckResult) -> Credential:
    """The credential of this row, opened now. Raises ``SecretUnreadable`` or ``_CredentialsMoved``."""
    check = result.credential_check
    if not result.record:
        typed = json.loads(_open(check))[str(result.position)]
        return Credential(typed["secret"], typed["destination"])
    key = ProviderKey.objects.select_related("organization").filter(pk=result.record).first()
    if key is None or key.credentials_version != result.version:
        raise _CredentialsMoved
    try:
        secret = _open(key)
    except SecretUnreadable:
        key.found_unreadable()
        raise
    key.found_readable()
    return Credential(secret, key.destination)


def _open(record: Sealable) -> str:
    return vault.reveal(record, Purpose.CHECK)
