"""Every documented answer, as it goes over the wire, and the credentials that choose it."""

import re
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import DefaultCookiePolicy
from itertools import chain

import pytest
import requests

from tests.fakeproviders import providers as stand_ins
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders.samples import Sample
from tests.fakeproviders_tests.raw import Reply, ask, connected, headers, parse, request_bytes

SHAPES = {
    "openai": r"sk-(?:proj|svcacct|service)-[A-Za-z0-9_-]{74}T3BlbkFJ[A-Za-z0-9_-]{74}",
    "anthropic": r"sk-ant-api03-[\w-]{93}AA",
    "mistral": r"[A-Za-z0-9]{32}",
    "deepseek": r"sk-[a-z0-9]{32}",
    "xai": r"xai-[0-9a-zA-Z_]{80}",
    "zai": r"[0-9a-f]{32}\.[A-Za-z0-9]{16,17}",
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
    "mistral": {
        (200, '"completion_chat": true'),
        (401, '{"detail": "Unauthorized"}'),
        (401, '{"detail": "Invalid API Key'),
        (401, '{"message": "Unauthorized"'),
        (402, "Payment required"),
        (403, "access"),
        (429, '"message": "Rate limit exceeded", "type": "rate_limited", "param": null, "code": "1300"'),
        (400, '"object": "error"'),
        (422, '{"detail": [{'),
        (500, ""),
    },
    "deepseek": {
        (200, '{"is_available": true, "balance_infos": [{"currency": "USD", "total_balance": "110.00"'),
        (200, '{"is_available": false, "balance_infos": ['),
        (401, '"type": "authentication_error", "param": null, "code": "invalid_request_error"'),
        (401, "Authentication Fails, Your api key: ****"),
        (401, "Authentication Fails (governor)"),
        (402, "Insufficient Balance"),
        (422, "Invalid Parameters"),
        (429, ""),
        (500, ""),
        (503, ""),
    },
    "xai": {
        (200, '"acls": ["api-key:model:*", "api-key:endpoint:*"]'),
        (200, '"api_key_blocked": true'),
        (200, '"api_key_disabled": true'),
        (200, '"team_blocked": true'),
        (200, '"acls": ["api-key:endpoint:*"]'),
        (200, '"acls": ["api-key:model:*", "api-key:endpoint:embeddings"]'),
        (400, '{"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***'),
        (400, '{"code": "invalid-argument", "error": "Incorrect API key provided: xa***'),
        (400, '{"code": "Client specified an invalid argument", "error": "The request was malformed'),
        (401, '"code": "unauthenticated:no-credentials"'),
        (
            403,
            '{"code": "The caller does not have permission to execute the specified operation", "error": "Your newly',
        ),
        (403, '{"code": "permission-denied", "error": "Your newly created team doesn\'t have any credits or licenses'),
        (403, "blocked"),
        (
            429,
            '{"code": "Some resource has been exhausted", "error": "Your team 00000000-fake has either used all avail',
        ),
        (429, "Too many requests"),
    },
    "zai": {
        (200, '"object": "list"'),
        (200, '{"code": 401, "msg": "token expired or incorrect", "success": false}'),
        (200, '{"code": 1001, "msg": "Authentication parameter'),
        (404, "Nothing here"),
        (405, "Nothing here"),
        *((400, f'"code": "{code}"') for code in (1210, 1211, 1212, 1213, 1215)),
        *((401, f'"code": "{code}"') for code in (1000, 1001, 1002, 1003, 1004, 1111)),
        (403, '"code": "1220"'),
        *((429, f'"code": "{code}"') for code in (1110, 1112, 1113, 1121, 1302, 1303, 1304, 1305)),
        *((429, f'"code": "{code}"') for code in (1308, 1309, 1310, 1311, 1312, 1313)),
        (434, ""),
        *((500, f'"code": "{code}"') for code in (500, 1120, 1230, 1234)),
    },
}

DOCUMENTED = [sample for provider in samples.KEYED for sample in samples.documented(provider)]


def _answer_to(sample: Sample, providers: CheckedProviders) -> Reply:
    url, sent = providers.base_urls[sample.provider], headers(sample.provider, sample.key)
    return ask(url, sent, sample.path, sample.method)


def _every_answer_to(sample: Sample, providers: CheckedProviders) -> list[Reply]:
    url, sent = providers.base_urls[sample.provider], headers(sample.provider, sample.key)
    probes = [route for route in stand_ins.get(sample.provider).services[0].routes if not route.inference]
    return [
        ask(url, sent, route.path)
        if route.method == "GET"
        else ask(url, {**sent, "content-type": "application/json"}, route.path, "POST", b"{}")
        for route in probes
    ]


@pytest.mark.parametrize("sample", DOCUMENTED, ids=lambda sample: sample.id)
def test_the_answer_on_the_wire_is_the_one_the_sample_tells(sample: Sample, providers: CheckedProviders) -> None:
    answer = _answer_to(sample, providers)
    assert f"{answer.status} {answer.body.decode()}".startswith(sample.answer)
    assert (answer.headers["content-type"] == "application/json") is answer.body.startswith(b"{")
    assert int(answer.headers["content-length"]) == len(answer.body)


@pytest.mark.parametrize("provider", samples.KEYED)
def test_every_row_of_the_contract_has_a_sample(provider: str, providers: CheckedProviders) -> None:
    each = (_every_answer_to(sample, providers) for sample in samples.documented(provider))
    answers = list(chain.from_iterable(each))
    said = [(answer.status, answer.body.decode()) for answer in answers]
    missing = {
        row for row in CONTRACT[provider] if not any(row[0] == status and row[1] in body for status, body in said)
    }
    assert not missing


@pytest.mark.parametrize("provider", samples.KEYED)
def test_every_verdict_that_an_answer_leads_to_has_a_sample(provider: str) -> None:
    # DeepSeek documents no answer for a key that it knows and never serves.
    never = {"forbidden"} if provider == "deepseek" else set()
    verdicts = {"valid", "limited", "invalid", "forbidden", "unreachable"}
    assert set(samples.one_of_each_verdict(provider)) == verdicts - never


@pytest.mark.parametrize(
    "sample", [sample for sample in samples.everything() if sample.provider in SHAPES], ids=lambda sample: sample.id
)
def test_keys_look_real_and_say_that_they_are_not(sample: Sample) -> None:
    assert re.fullmatch(SHAPES[sample.provider], sample.key)
    assert re.search("fake|facade", sample.key, re.IGNORECASE)


def test_keys_are_unique() -> None:
    keys = [sample.key for sample in samples.everything()]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("provider", samples.KEYED)
def test_a_fresh_key_chooses_its_scenario_and_is_new_each_time(provider: str, providers: CheckedProviders) -> None:
    key, another = samples.fresh_key(provider, "rate"), samples.fresh_key(provider, "rate")
    assert key != another
    assert re.fullmatch(SHAPES[provider], key)
    assert ask(providers.base_urls[provider], headers(provider, key)).status == 429


@pytest.mark.parametrize("provider", samples.KEYED)
@pytest.mark.parametrize("key", ["sk-nobody-knows-this-key", "sk-proj-FAKE-good-oops", "good-", "-"])
def test_an_unknown_key_is_wrong(provider: str, key: str, providers: CheckedProviders) -> None:
    wrong = ask(providers.base_urls[provider], headers(provider, samples.key(provider, "wrong")))
    assert ask(providers.base_urls[provider], headers(provider, key)).status == wrong.status


def test_openai_masks_the_key_that_it_echoes(providers: CheckedProviders) -> None:
    key = samples.fresh_key("openai", "wrong")
    message = ask(providers.base_urls["openai"], headers("openai", key)).document["error"]["message"]
    assert f"{key[:8]}***" in message
    assert key[-4:] in message
    assert key not in message


@pytest.mark.parametrize("provider", samples.KEYED)
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


EDGES = {
    "anthropic": "request-id",
    "openai": "x-request-id",
    "mistral": "x-kong-request-id",
    "deepseek": "x-ds-trace-id",
    "xai": "x-request-id",
    "zai": "x-log-id",
}


@pytest.mark.parametrize("provider", EDGES)
def test_answers_carry_the_headers_of_the_real_edge(provider: str, providers: CheckedProviders) -> None:
    answer = ask(providers.base_urls[provider], headers(provider, samples.key(provider, "good")))
    assert {EDGES[provider], "server", "set-cookie"} <= set(answer.headers)


def test_zai_refuses_an_empty_chat_request_for_what_it_lacks(providers: CheckedProviders) -> None:
    sent = {**headers("zai", samples.fresh_key("zai", "good")), "content-type": "application/json"}
    url, path = providers.base_urls["zai"], "/api/paas/v4/chat/completions"
    assert ask(url, sent, path, "POST", b"{}").document["error"]["code"] == "1214"
    # Only that is a check's question about a key: its language must be asked for.
    providers.expect_violations("missing_header")
    del sent["accept-language"]
    ask(url, sent, path, "POST", b"{}")


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
