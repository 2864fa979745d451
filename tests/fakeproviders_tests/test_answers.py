"""Every documented answer, as it goes over the wire, and the credentials that choose it."""

import re
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import DefaultCookiePolicy

import pytest
import requests

from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders.samples import Sample
from tests.fakeproviders_tests.raw import ask, connected, headers, parse, request_bytes

SHAPES = {
    "openai": r"sk-(?:proj|svcacct|service)-[A-Za-z0-9_-]{74}T3BlbkFJ[A-Za-z0-9_-]{74}",
    "anthropic": r"sk-ant-api03-[\w-]{93}AA",
}

# Written from the contract, not from the stand-ins: status, and what an answer must be recognised by.
CONTRACT = {
    "anthropic": {
        (200, '"has_more"'),
        (401, "invalid x-api-key"),
        (404, "not_found_error"),
        (401, "x-api-key header is required"),
        (403, "permission_error"),
        (400, "This organization has been disabled."),
        (403, "This organization has been disabled."),
        (403, '{"error": {"type": "forbidden", "message": "Request not allowed"}}'),
        (402, "billing_error"),
        (400, "Your credit balance is too low to access the Anthropic API"),
        (400, "You have reached your specified API usage limits. You will regain access on"),
        (400, "You have reached your specified workspace API usage limits."),
        (429, '"error_code": "enforced_spend_limit_reached"'),
        (429, "rate_limit_error"),
        (529, "overloaded_error"),
        (500, "api_error"),
        (504, "timeout_error"),
        (401, "OAuth authentication is currently not supported."),
        (403, "not allowed for this organization"),
        (400, '"message": "Error"'),
    },
    "openai": {
        (200, '"object": "list"'),
        (401, '"code": "invalid_api_key"'),
        (401, "You didn't provide an API key"),
        (
            401,
            '"error": {"message": "You have insufficient permissions for this operation. Missing scopes: api.model.read',
        ),
        (
            403,
            '"error": {"message": "You have insufficient permissions for this operation. Missing scopes: api.model.read',
        ),
        (401, '{"error": "You have insufficient permissions for this operation. Missing scopes: api.model.read'),
        (403, '{"error": "You have insufficient permissions for this operation. Missing scopes: api.model.read'),
        (401, "Missing scopes: model.request"),
        (401, "You must be a member of an organization"),
        (401, "IP not authorized"),
        (401, '"code": "account_deactivated"'),
        (403, '"code": "account_deactivated"'),
        (403, '"code": "unsupported_country_region_territory"'),
        (429, '"type": "insufficient_quota", "param": null, "code": "insufficient_quota"'),
        (429, '"code": "credit_balance_exhausted"'),
        (429, '"code": "organization_spend_limit_exceeded"'),
        (429, '"code": "project_spend_limit_exceeded"'),
        (429, '"code": "organization_usage_limit_exceeded"'),
        (429, '"type": "requests", "param": null, "code": "rate_limit_exceeded"'),
        (429, '"type": "tokens", "param": null, "code": "rate_limit_exceeded"'),
        (429, '"type": "rate_limit_error", "param": null, "code": "slow_down"'),
        (500, '"type": "server_error"'),
        (503, '"code": "server_is_overloaded"'),
    },
}

DOCUMENTED = [sample for provider in samples.PROVIDERS for sample in samples.documented(provider)]


@pytest.mark.parametrize("sample", DOCUMENTED, ids=lambda sample: sample.id)
def test_the_answer_on_the_wire_is_the_one_the_sample_tells(sample: Sample, providers: CheckedProviders) -> None:
    answer = ask(providers.base_urls[sample.provider], headers(sample.provider, sample.key))
    assert f"{answer.status} {answer.body.decode()}".startswith(sample.answer)
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.body)


@pytest.mark.parametrize("provider", samples.PROVIDERS)
def test_every_row_of_the_contract_has_a_sample(provider: str, providers: CheckedProviders) -> None:
    url = providers.base_urls[provider]
    answers = [ask(url, headers(provider, sample.key)) for sample in samples.documented(provider)]
    said = [(answer.status, answer.body.decode()) for answer in answers]
    missing = {
        row for row in CONTRACT[provider] if not any(row[0] == status and row[1] in body for status, body in said)
    }
    assert not missing


@pytest.mark.parametrize("provider", samples.PROVIDERS)
def test_every_verdict_has_a_sample(provider: str) -> None:
    assert set(samples.one_of_each_verdict(provider)) == {"valid", "limited", "invalid", "forbidden", "unreachable"}


@pytest.mark.parametrize("sample", samples.everything(), ids=lambda sample: sample.id)
def test_keys_look_real_and_say_that_they_are_not(sample: Sample) -> None:
    assert re.fullmatch(SHAPES[sample.provider], sample.key)
    assert "FAKE" in sample.key


def test_keys_are_unique() -> None:
    keys = [sample.key for sample in samples.everything()]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("provider", samples.PROVIDERS)
def test_a_fresh_key_chooses_its_scenario_and_is_new_each_time(provider: str, providers: CheckedProviders) -> None:
    key, another = samples.fresh_key(provider, "rate"), samples.fresh_key(provider, "rate")
    assert key != another
    assert re.fullmatch(SHAPES[provider], key)
    assert ask(providers.base_urls[provider], headers(provider, key)).status == 429


@pytest.mark.parametrize("provider", samples.PROVIDERS)
@pytest.mark.parametrize("key", ["sk-nobody-knows-this-key", "sk-proj-FAKE-good-oops", "good-", "-"])
def test_an_unknown_key_is_wrong(provider: str, key: str, providers: CheckedProviders) -> None:
    assert ask(providers.base_urls[provider], headers(provider, key)).status == 401


def test_openai_masks_the_key_that_it_echoes(providers: CheckedProviders) -> None:
    key = samples.fresh_key("openai", "wrong")
    message = ask(providers.base_urls["openai"], headers("openai", key)).document["error"]["message"]
    assert f"{key[:8]}***" in message
    assert key[-4:] in message
    assert key not in message


@pytest.mark.parametrize("provider", samples.PROVIDERS)
def test_the_echo_holds_the_whole_key_so_that_leak_tests_bite(provider: str, providers: CheckedProviders) -> None:
    key = samples.fresh_key(provider, "echo")
    assert key.encode() in ask(providers.base_urls[provider], headers(provider, key)).body


def test_the_known_false_alarm_happens_once(providers: CheckedProviders) -> None:
    sent = headers("openai", samples.fresh_key("openai", "scopeonce"))
    statuses = [ask(providers.base_urls["openai"], sent).status for _ in range(3)]
    assert statuses == [401, 200, 200]


def test_a_long_list_is_longer_than_a_careless_limit_and_shorter_than_ours(providers: CheckedProviders) -> None:
    answer = ask(providers.base_urls["openai"], headers("openai", samples.key("openai", "longlist")))
    assert 100_000 < len(answer.body) < 1024 * 1024


def test_anthropic_pages_as_asked(providers: CheckedProviders) -> None:
    sent = headers("anthropic", samples.key("anthropic", "good"))
    page = ask(providers.base_urls["anthropic"], sent, "/v1/models?limit=1").document
    assert len(page["data"]) == 1
    assert page["has_more"] is True
    assert ask(providers.base_urls["anthropic"], sent).document["has_more"] is False


def test_rate_limits_say_when_to_come_back_and_a_spend_cap_does_not(providers: CheckedProviders) -> None:
    answers = {
        scenario: ask(providers.base_urls["anthropic"], headers("anthropic", samples.key("anthropic", scenario)))
        for scenario in ("rate", "spend")
    }
    assert answers["rate"].headers["retry-after"] == "17"
    assert "anthropic-ratelimit-requests-remaining" in answers["rate"].headers
    assert "retry-after" not in answers["spend"].headers


@pytest.mark.parametrize(("provider", "header"), [("openai", "x-request-id"), ("anthropic", "request-id")])
def test_answers_carry_the_headers_of_the_real_edge(provider: str, header: str, providers: CheckedProviders) -> None:
    answer = ask(providers.base_urls[provider], headers(provider, samples.key(provider, "good")))
    assert {header, "server", "cf-ray", "set-cookie"} <= set(answer.headers)


def test_every_name_has_a_port_of_its_own(providers: CheckedProviders) -> None:
    assert set(providers.base_urls) == {
        *("anthropic", "openai", "mistral", "deepseek", "xai", "zai", "google_oauth", "google_vertex_ai"),
        *("aws_sts", "bedrock", "bedrock_runtime", "azure"),
    }
    assert len(set(providers.base_urls.values())) == 12
    assert all(re.fullmatch(r"http://127\.0\.0\.1:\d+", url) for url in providers.base_urls.values())


def test_a_kept_alive_connection_serves_many_requests(providers: CheckedProviders) -> None:
    sent = headers("openai", samples.key("openai", "good"))
    with connected(providers.base_urls["openai"]) as connection:
        for _ in range(3):
            connection.sendall(request_bytes(sent))
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
    rows = providers.wait_for(sent["authorization"].removeprefix("Bearer "), count=3)
    assert [row.nth_on_connection for row in rows] == [1, 2, 3]
    assert len({row.connection for row in rows}) == 1


@pytest.mark.parametrize(("asked", "said"), [("close", "close"), ("keep-alive", None)])
def test_the_last_answer_of_a_connection_says_so(asked: str, said: str | None, providers: CheckedProviders) -> None:
    sent = {**headers("openai", samples.key("openai", "good")), "connection": asked}
    with connected(providers.base_urls["openai"]) as connection:
        connection.sendall(request_bytes(sent))
        assert parse(connection.recv(65536)).headers.get("connection") == said


def test_a_pooling_client_that_asks_to_close_loses_no_request(providers: CheckedProviders) -> None:
    sent = {**headers("openai", samples.key("openai", "good")), "connection": "close"}
    with requests.Session() as session, ThreadPoolExecutor(8) as pool:
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

        def get(_: int) -> int:
            return session.get(f"{providers.base_urls['openai']}/v1/models", headers=sent, timeout=5).status_code

        assert set(pool.map(get, range(200))) == {200}
