"""What is written down of a request, and what never is."""

from typing import Any

import pytest
import requests
from django.core import serializers
from django.db import OperationalError

from gateway import usage
from gateway.models import RequestRecord
from organizations.access import Access
from organizations.models import ApiKey
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


def test_a_refused_request_uses_no_provider_key(gateway: Gateway, api_key: str, alice_access: Access) -> None:
    key = keep(alice_access)
    key.disable(alice_access)
    gateway.post(api_key)
    gateway.record()
    key.refresh_from_db()
    assert key.last_used_at is None


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
