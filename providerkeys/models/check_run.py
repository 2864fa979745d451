"""One attempt at a check: lease it, open each credential late, ask its provider, write the verdict."""

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, cast

from django.db import OperationalError, connections

from providerkeys import vault
from providerkeys.models import records
from providerkeys.models.check import CredentialCheck
from providerkeys.models.check_result import WITHDRAWN, CheckResult
from providerkeys.providers import http, registry
from providerkeys.providers.base import Check, Credential, Send
from providerkeys.vault import Purpose, Sealable, SecretUnreadable, VaultError

_ROWS_AT_ONCE: Final = 8

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
        _conclude_all(check, provider.begin())
        check.finish()
    except _LeaseLost:
        log.info("check %s: attempt %d lost its lease", check.pk, check.attempt)
        return
    except OperationalError as error:
        # The lease runs out, and another attempt says what this one could not write.
        log.warning("check %s: attempt %d ended by %s", check.pk, check.attempt, type(error).__name__)
        return
    log.info("check %s done: provider=%s attempt=%d", check.pk, check.provider, check.attempt)


def _conclude_all(check: CredentialCheck, ask: Check) -> None:
    """Write each row's verdict as soon as it has one; several rows at once, where there are several."""
    results = list(check.results.filter(verdict="").order_by("position"))
    for result in results:
        result.credential_check = check
    if len(results) <= 1:
        for result in results:
            _conclude(result, ask, _keep_connection)
        return
    with ThreadPoolExecutor(min(len(results), _ROWS_AT_ONCE), thread_name_prefix=check.pk) as threads:
        # The first row that loses the lease cancels those that have not begun.
        for _ in threads.map(lambda result: _conclude_in_a_thread(result, ask), results):
            pass


def _conclude_in_a_thread(result: CheckResult, ask: Check) -> None:
    # A connection belongs to its thread, and this one has other business while it waits for a provider.
    try:
        _conclude(result, ask, connections.close_all)
    finally:
        connections.close_all()


def _keep_connection() -> None:
    """The thread of the task has one anyway."""


def _conclude(result: CheckResult, ask: Check, before_waiting: Callable[[], None]) -> None:
    started = time.monotonic()
    reason = _reason(result, ask, before_waiting)
    milliseconds = round((time.monotonic() - started) * 1000)
    verdict = registry.get(result.credential_check.provider).verdict(reason)
    if not result.conclude(reason, verdict, milliseconds):
        raise _LeaseLost


def _reason(result: CheckResult, ask: Check, before_waiting: Callable[[], None]) -> str:
    check = result.credential_check
    if not check.is_still_allowed:
        return WITHDRAWN
    try:
        # In this order: opening the credential takes none of the provider's time.
        return ask(_credential(result), _sender(check, before_waiting))
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


def _sender(check: CredentialCheck, before_waiting: Callable[[], None]) -> Send:
    """Carries the requests of one row, all within 10 s. The lease, 20 s and renewed after each, outlasts them."""
    carry = http.sender()

    def send(request: http.Request) -> http.Answer:
        before_waiting()
        try:
            return carry(request)
        finally:
            if not check.renew():
                raise _LeaseLost

    return send


def _credential(result: CheckResult) -> Credential:
    """The credential of this row, opened now. Raises ``SecretUnreadable`` or ``_CredentialsMoved``."""
    check = result.credential_check
    if not result.record:
        typed = json.loads(_open(check))[str(result.position)]
        return Credential(typed["secret"], typed["destination"])
    record = records.find(result.record)
    if record is None or record.credentials_version != result.version:
        raise _CredentialsMoved
    sealed = cast(Sealable, record)
    try:
        secret = _open(sealed)
    except SecretUnreadable:
        record.found_unreadable()
        raise
    record.found_readable()
    return Credential(secret, sealed.destination)


def _open(record: Sealable) -> str:
    return vault.reveal(record, Purpose.CHECK)
