"""What is written down of a request, and what never is."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.core import serializers
from django.db import DataError, OperationalError
from django.utils import timezone

from gateway import db as db_door
from gateway import record, usage
from gateway.authenticate import Caller
from gateway.exchange import Exchange
from gateway.models import RequestRecord
from gateway.record import Recorder
from gateway.refusals import Dialect
from organizations.access import Access
from organizations.actors import Actor
from organizations.models import ApiKey
from providerkeys.models import ProviderKey
from tests.gateway.conftest import SAID, Gateway, keep

pytestmark = pytest.mark.database


def only(gateway: Gateway) -> RequestRecord:
    gateway.record()
    return RequestRecord.objects.get()


def test_a_served_request(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    key = keep(alice_access, name="Main account")
    answer = gateway.post(api_key)
    record = only(gateway)
    assert record.pk == answer.headers["x-request-id"]
    assert record.organization_id == alice_access.organization.pk
    assert (record.api_key_name, record.api_key_hint) == ("production", f"byok_…{api_key[-4:]}")
    assert (record.provider, record.model, record.api) == ("openai", "gpt-4o", "/v1/chat/completions")
    assert (record.provider_key_id, record.provider_key_name) == (key.pk, "Main account")
    assert (record.provider_key_version, record.provider_key_hint) == (key.version, key.hint)
    assert (record.status, record.reason, record.streamed) == (200, "", False)
    assert [(one["provider_key"], one["status"]) for one in record.attempts] == [(key.pk, 200)]
    assert record.provider_request_id == answer.headers["x-byok-provider-request-id"]
    said = answer.json()["usage"]
    assert (record.tokens_in, record.tokens_out) == (said["prompt_tokens"], said["completion_tokens"])
    assert record.first_byte_ms is not None
    assert record.total_ms >= record.first_byte_ms
    assert SAID not in serializers.serialize("json", [record])


def test_a_stream_says_its_usage_where_the_caller_asked_for_it(
    gateway: Gateway, api_key: str, alice_access: Access
) -> None:
    keep(alice_access)
    gateway.post(api_key, stream=True, stream_options={"include_usage": True})
    record = only(gateway)
    assert record.streamed
    assert record.tokens_in
    assert record.tokens_out


@pytest.mark.parametrize("stream", [False, True])
def test_a_message_of_anthropic_says_its_usage(
    gateway: Gateway, api_key: str, alice_access: Access, stream: bool
) -> None:
    keep(alice_access, "anthropic")
    gateway.post(api_key, "/v1/messages", model="claude-sonnet-5-5", max_tokens=9, stream=stream)
    record = only(gateway)
    assert (record.provider, record.model) == ("anthropic", "claude-sonnet-5-5")
    assert record.tokens_in
    assert record.tokens_out


def test_every_attempt_is_told(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    bad, good = keep(alice_access, scenario="error500"), keep(alice_access)
    gateway.post(api_key)
    record = only(gateway)
    assert [(one["provider_key"], one["status"]) for one in record.attempts] == [(bad.pk, 500), (good.pk, 200)]
    assert record.provider_key_id == good.pk


def test_a_refusal_of_a_known_caller(gateway: Gateway, api_key: str) -> None:
    answer = gateway.post(api_key)
    record = only(gateway)
    assert (record.pk, record.status, record.reason) == (answer.headers["x-request-id"], 403, "no_provider_key")
    assert record.attempts == []


def test_a_refusal_of_a_key_that_was_good(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    """It says which key somebody still uses."""
    ApiKey.objects.get().disable(alice_access)
    answer = gateway.post(api_key)
    found = only(gateway)
    assert (found.pk, found.status, found.reason) == (answer.headers["x-request-id"], 401, "api_key_disabled")
    assert found.api_key_name == "production"


@pytest.mark.parametrize("model", ["gpt-4o", "nobody/gpt-4o", "pasted-by-mistake", "anthropic/pasted-by-mistake"])
def test_what_names_no_model_here_is_not_kept(gateway: Gateway, api_key: str, model: str) -> None:
    assert gateway.post(api_key, model=model).status_code == 400
    assert only(gateway).model == ""


def test_a_key_of_ours_that_stands_where_a_model_belongs(gateway: Gateway, api_key: str) -> None:
    gateway.post(api_key, model=f"openai/{api_key}")
    assert only(gateway).model == "byok_…"


def test_a_stranger_leaves_no_trace(gateway: Gateway) -> None:
    gateway.post("byok_nobody")
    gateway.record()
    assert not RequestRecord.objects.exists()


def test_a_cut_answer_says_so(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    keep(alice_access, scenario="cutstream")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        gateway.post(api_key, stream=True)
    assert only(gateway).reason.startswith("cut_")


def test_the_record_outlives_what_it_names(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    key = keep(alice_access)
    gateway.post(api_key)
    gateway.record()
    key.delete_by(alice_access)
    ApiKey.objects.get().delete_by(alice_access)
    assert RequestRecord.objects.get().provider_key_name == "Production"


def test_both_keys_say_when_they_were_used_last(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    key = keep(alice_access)
    answer = gateway.post(api_key)
    record = only(gateway)
    key.refresh_from_db()
    assert answer.ok
    assert key.last_used_at == ApiKey.objects.get().last_used_at == record.at


def test_every_key_that_was_asked_with_was_used(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    bad, good = keep(alice_access, scenario="error500"), keep(alice_access)
    gateway.post(api_key)
    moment = only(gateway).at
    assert {key.last_used_at for key in ProviderKey.objects.filter(pk__in=(bad.pk, good.pk))} == {moment}


def test_a_refused_request_uses_no_provider_key(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    key = keep(alice_access)
    key.disable(alice_access)
    gateway.post(api_key)
    gateway.record()
    key.refresh_from_db()
    assert key.last_used_at is None


@pytest.mark.parametrize("why", ["disabled", "expired", "suspended", "rotated"])
def test_an_api_key_that_is_refused_was_not_used(gateway: Gateway, alice_access: Access, why: str) -> None:
    """Else one that was leaked and disabled would look as if it were in use."""
    keep(alice_access)
    ends = timezone.now() + timedelta(hours=-1 if why == "expired" else 1)
    key, plaintext = ApiKey.issue(alice_access, "production", ends)
    if why == "rotated":
        key.rotate_secret(alice_access, key.version, timedelta())
    elif why == "disabled":
        key.disable(alice_access)
    elif why == "suspended":
        alice_access.organization.suspend(Actor.system("test"))

    assert gateway.post(plaintext).status_code in {401, 403}

    assert only(gateway).api_key_id == key.pk
    key.refresh_from_db()
    assert key.last_used_at is None


def test_a_former_secret_that_is_still_accepted_is_a_use(gateway: Gateway, alice_access: Access) -> None:
    keep(alice_access)
    key, plaintext = ApiKey.issue(alice_access, "production")
    key.rotate_secret(alice_access, key.version, timedelta(hours=1))

    assert gateway.post(plaintext).ok

    moment = only(gateway).at
    key.refresh_from_db()
    assert key.last_used_at == moment


def test_a_request_that_no_provider_key_serves_is_a_use_all_the_same(
    gateway: Gateway, api_key: str, alice_access: Access
) -> None:
    assert gateway.post(api_key).status_code == 403

    moment = only(gateway).at
    assert ApiKey.objects.get().last_used_at == moment


@pytest.mark.parametrize(
    ("head", "tail", "read"),
    [
        (b"", b'{"usage":{"prompt_tokens":3,"completion_tokens":5}}', (3, 5)),
        (b'{"usage": {"input_tokens":3,"output_tokens":1}}', b'{"usage":{"output_tokens":5}}', (3, 5)),
        (b"", b'{"usage":null}', (None, None)),
        (b"", b'"usage":{"prompt_tokens":true,"completion_tokens":-1}', (None, None)),
        (b"", b'{"content":"\\"usage\\":{\\"prompt_tokens\\":9}","usage":{"prompt_tokens":3}}', (3, None)),
        (b"", b'"usage":{"prompt_tokens":99999999999999999999}', (None, None)),
        (b"", b'"usage":{"prompt_tokens"', (None, None)),
        (b"\xff\xfe", b"\xff", (None, None)),
        (b'{"usage":{"input_tokens":3}}', b'{"usage":{' * 2000 + b'{"usage":{"output_tokens":5}}', (3, 5)),
    ],
)
def test_usage_is_read_and_never_guessed(head: bytes, tail: bytes, read: tuple[int | None, int | None]) -> None:
    found = usage.read(head, tail)
    assert (found.tokens_in, found.tokens_out) == read


@pytest.mark.parametrize("model", ["x\0" * 5000, "x\ud800" * 5000, "\U0010ffff" * 5000, "'; DROP TABLE x; --" * 200])
def test_what_a_caller_writes_cannot_break_the_record(
    gateway: Gateway, api_key: str, alice_access: Access, model: str
) -> None:
    keep(alice_access)
    assert gateway.post(api_key, model=f"openai/{model}").status_code == 200
    record = only(gateway)
    assert len(record.model) == 200
    assert "\0" not in record.model


def test_nothing_is_lost_while_the_database_is_away(
    gateway: Gateway, api_key: str, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(alice_access)

    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError

    with monkeypatch.context() as patched:
        patched.setattr("gateway.record._write", gone)
        assert gateway.post(api_key).ok
        gateway.record()
        assert not RequestRecord.objects.exists()
    assert only(gateway).status == 200


# What the recorder does when something is in its way


def ended(number: int = 0, *, tail: bytes = b"") -> Exchange:
    caller = Caller(f"key_{number}", "n", "h", "org_1", enabled=True, expires_at=None, suspended=False)
    return Exchange(None, Dialect.OPENAI, caller=caller, admitted=True, tail=bytearray(tail))


def test_one_record_that_cannot_be_written_costs_none_of_the_others(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = ended(1), [ended(number) for number in range(2, 5)]
    honest = record._row

    def row(exchange: Exchange) -> Mapping[str, Any]:
        if exchange is bad:
            raise DataError("a value that this database does not take")
        return honest(exchange)

    monkeypatch.setattr(record, "_row", row)
    record._write([good[0], bad, *good[1:]])
    assert set(RequestRecord.objects.values_list("pk", flat=True)) == {one.id for one in good}


def test_a_stop_writes_what_is_being_written_too(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is told to stop in the midst of a batch."""
    recorder, exchanges = Recorder(), [ended(number) for number in range(3)]

    async def run() -> None:
        monkeypatch.setattr(record, "EVERY_SECONDS", 0)
        recorder.open()
        for exchange in exchanges[:2]:
            recorder.put(exchange)
        await asyncio.sleep(0)
        recorder.put(exchanges[2])
        await recorder.close()

    asyncio.run(run())
    assert set(RequestRecord.objects.values_list("pk", flat=True)) == {one.id for one in exchanges}


def test_a_stop_does_not_wait_for_a_database_that_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder()

    async def hangs(*_: Any) -> None:
        await asyncio.Event().wait()

    async def run() -> None:
        recorder.open()
        recorder.put(ended())
        await recorder.close()

    monkeypatch.setattr(db_door, "run_beside", hangs)
    monkeypatch.setattr(record, "_CLOSE_SECONDS", 0.1)
    asyncio.run(asyncio.wait_for(run(), 5))
    assert "were not written" in caplog.text


def test_what_waits_for_a_database_that_is_away_stays_small(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Few keep the ends of their answers, and beyond a number the oldest are given up."""
    monkeypatch.setattr(record, "_MOST", 50)
    monkeypatch.setattr(record, "_MOST_WITH_ENDS", 10)
    recorder, tail = Recorder(), b'{"usage":{"prompt_tokens":3}}'

    async def away(*_: Any) -> None:
        raise OperationalError

    async def run() -> None:
        for number in range(80):
            recorder.put(ended(number, tail=tail))
        await recorder.flush()

    monkeypatch.setattr(db_door, "run_beside", away)
    asyncio.run(run())
    waiting = list(recorder._waiting)
    assert [one.caller.id for one in waiting if one.caller] == [f"key_{number}" for number in range(30, 80)]
    assert sum(bool(one.tail) for one in waiting) == 0
    assert {one.usage().tokens_in for one in waiting} == {3}
    assert "30 were given up" in caplog.text


def test_the_recorder_survives_what_nobody_foresaw(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, honest, failed, again = Recorder(), db_door.run_beside, list[int](), asyncio.Event()

    async def fails_once(*arguments: Any) -> None:
        if not failed:
            failed.append(1)
            raise RuntimeError("can't start new thread")
        again.set()
        await honest(*arguments)

    async def run() -> None:
        monkeypatch.setattr(record, "EVERY_SECONDS", 0.01)
        recorder.open()
        recorder.put(ended())
        await again.wait()
        await recorder.close()

    monkeypatch.setattr(db_door, "run_beside", fails_once)
    asyncio.run(asyncio.wait_for(run(), 5))
    assert RequestRecord.objects.count() == 1


def test_the_latest_use_of_a_key_counts(db: None, alice_access: Access) -> None:
    key, _ = ApiKey.issue(alice_access, "production")
    early, late = ended(), ended()
    for one in (early, late):
        assert one.caller
        one.caller = Caller(key.pk, "n", "h", "org_1", enabled=True, expires_at=None, suspended=False)
    record._write([late, early])
    key.refresh_from_db()
    assert key.last_used_at == late.at
    record._write([early])
    key.refresh_from_db()
    assert key.last_used_at == late.at
