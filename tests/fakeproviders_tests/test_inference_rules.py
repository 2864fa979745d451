"""What must not arrive with a request for inference, its decent twins, and what is written down of it."""

import base64
import json
from typing import Any

import pytest

from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders.journal import KEPT, KEPT_BODY_BYTES, Journal, Received
from tests.fakeproviders.wire import Request
from tests.fakeproviders_tests import raw
from tests.fakeproviders_tests.inference import ROUTES, SAID, Asking, body, headers, key

KEY = samples.fresh_key("openai", "good")
OTHER_KEY = samples.fresh_key("xai", "good")
OUR_KEY = f"byok_{'Fake0' * 10}"
TOKEN = f"gAAAAABfake{'A' * 90}"
PATH = ROUTES["openai"][0]


@pytest.fixture
def ask(providers: CheckedProviders) -> Asking:
    return Asking(providers)


def send(providers: CheckedProviders, content: bytes = b"", path: str = PATH, **more: str) -> None:
    sent = headers("openai", KEY, **{name.replace("_", "-"): value for name, value in more.items()})
    raw.ask(providers.base_urls["openai"], sent, path, "POST", content or body("openai"))


def saying(text: str) -> bytes:
    return body("openai", messages=[{"role": "user", "content": text}])


@pytest.mark.parametrize("provider", ROUTES)
def test_a_correct_request_violates_nothing(provider: str, ask: Asking) -> None:
    tracing = {"traceparent": "00-0-0-01", "idempotency-key": "once", "accept-encoding": "identity", "user-agent": "x"}
    assert ask(provider, sent=tracing).status == 200
    assert ask.providers.violations() == []


BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "a header of ours": ("unknown_header", {"x_byok_provider": "openai"}),
    "a header of the caller's": ("unknown_header", {"x_forwarded_for": "203.0.113.7"}),
    "a header that says who pays": ("unknown_header", {"openai_organization": "org-fake"}),
    "the other way to authenticate": ("unknown_header", {"x_api_key": "fake"}),
    "an encoding that hides what passes": ("wrong_header", {"accept_encoding": "gzip, br"}),
    "another kind of content": ("wrong_header", {"content_type": "text/plain"}),
    "our API key in a header": ("api_key_leaked", {"traceparent": OUR_KEY}),
    "our API key in the address": ("api_key_leaked", {"path": f"{PATH}?k={OUR_KEY}"}),
    "our API key in the body": ("api_key_leaked", {"content": saying(OUR_KEY)}),
    "the key in the body": ("key_in_body", {"content": saying(f"x{KEY}")}),
    "another key in the body": ("key_in_body", {"content": saying(f"it is {OTHER_KEY}")}),
    "a private key in the body": ("key_in_body", {"content": saying(f"-----BEGIN-----\nMIIE{'a' * 60}")}),
    "ciphertext in the body": ("ciphertext", {"content": saying(TOKEN)}),
    "another host": ("wrong_host", {"host": "127.0.0.1:8000"}),
    "a cookie": ("cookie", {"cookie": "__cf_bm=fake-cookie-of-openai"}),
    "an unknown path": ("unknown_route", {"path": "/v1/audio/speech"}),
}


@pytest.mark.parametrize("what", BAD)
def test_what_must_not_arrive_is_seen(what: str, providers: CheckedProviders) -> None:
    kind, request = BAD[what]
    send(providers, **request)
    found = providers.violations()
    assert kind in {violation.kind for violation in found}
    assert not any(secret in repr(found) for secret in (KEY, OTHER_KEY, OUR_KEY, TOKEN))
    providers.expect_violations(*(violation.kind for violation in found))


def test_our_api_key_is_seen_at_a_check_too(providers: CheckedProviders) -> None:
    providers.expect_violations("api_key_leaked")
    raw.ask(providers.base_urls["openai"], {**raw.headers("openai", KEY), "x-trace": OUR_KEY})


DECENT = {
    "an image": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "an image that looks like a token": f"iVBORw0KGgo{TOKEN}",
    "an image that looks like a private key": f"/9j/4AAQ{'MIIE' * 30}",
    "a word that ends like a key": "the-task-is-to-write-a-long-hyphenated-word-on-risk-and-desk-work",
    "a name of ours": "what is byok_provider_key?",
}


@pytest.mark.parametrize("what", DECENT)
def test_what_only_looks_like_a_secret_is_not_taken_for_one(what: str, providers: CheckedProviders) -> None:
    send(providers, saying(DECENT[what]))
    assert providers.violations() == []


class TestJournal:
    def test_every_byte_of_a_request_is_kept(self, ask: Asking) -> None:
        content = f'{{ "model":"gpt-4o" ,\t"messages": [{{"role":"user","content":"{SAID} \\u00fc"}}], "x": 1.50 }}\n'.encode()
        send(ask.providers, content)
        (row,) = ask.providers.requests(path=PATH)
        assert row.body == content
        assert [name for name, _ in row.headers][:3] == ["host", "authorization", "content-type"]
        assert SAID not in repr(row)

    def test_bytes_that_are_no_text_are_kept_as_they_came(self, ask: Asking) -> None:
        send(ask.providers, b"\x00\xff\xfe not JSON")
        assert [row.body for row in ask.providers.requests()] == [b"\x00\xff\xfe not JSON"]

    def test_the_oldest_bodies_go_first(self) -> None:
        journal, large = Journal(), bytes(KEPT_BODY_BYTES // 2)
        rows = [add(journal, large) for _ in range(3)]
        journal.close(rows[0], "answered")
        journal.close(rows[1], "answered")
        kept = [row.body is not None for row in journal.find({})]
        assert kept == [False, True, True]

    def test_more_requests_are_counted_than_kept(self) -> None:
        journal = Journal()
        for _ in range(KEPT + 5):
            add(journal, b"{}")
        assert (len(journal.find({})), journal.total("openai", ""), journal.total("xai", "")) == (KEPT, KEPT + 5, 0)

    def test_a_row_survives_the_journey_to_the_test(self) -> None:
        row = add(Journal(), b"\xff")
        assert Received.from_dict(json.loads(json.dumps(row.as_dict()))) == row
        assert row.as_dict()["body"] == base64.b64encode(b"\xff").decode()


def test_totals_are_told(ask: Asking) -> None:
    credential = key("openai")
    ask("openai", credential)
    ask("openai", credential)
    ask("mistral")
    totals = ask.providers.total(), ask.providers.total("openai"), ask.providers.total(credential=credential)
    assert totals == (3, 2, 2)


def add(journal: Journal, content: bytes) -> Received:
    request = Request("POST", PATH, (("host", "api.openai.com"),), content)
    known = {"credential": KEY, "scenario": "good", "connection": 1, "nth_on_connection": 1, "followed_redirect": False}
    return journal.add(request, inference=True, name="openai", **known)
