"""What a key's scenario does to inference: what its provider documents, any error that an SDK knows, and taking turns."""

import pytest

from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders_tests import raw
from tests.fakeproviders_tests.inference import ROUTES, Asking, headers, key

EVERYONE = pytest.mark.parametrize("provider", ROUTES)


@pytest.fixture
def ask(providers: CheckedProviders) -> Asking:
    return Asking(providers)


# Written from the contract: what a key gets at inference, and by what the answer is recognised.
DOCUMENTED = {
    ("openai", "scope"): (200, "chat.completion"),
    ("openai", "scopestring403"): (200, "chat.completion"),
    ("openai", "longlist"): (200, "chat.completion"),
    ("openai", "modelrequest"): (401, "Missing scopes: model.request"),
    ("openai", "noinference"): (401, "Missing scopes: model.request"),
    ("openai", "wrong"): (401, "invalid_api_key"),
    ("openai", "deactivated"): (401, "account_deactivated"),
    ("openai", "quota"): (429, "insufficient_quota"),
    ("openai", "error503"): (503, "server_is_overloaded"),
    ("anthropic", "wrong"): (401, "authentication_error"),
    ("anthropic", "credit"): (400, "credit balance is too low"),
    ("anthropic", "disabled"): (400, "organization has been disabled"),
    ("anthropic", "spend"): (429, "enforced_spend_limit_reached"),
    ("anthropic", "overloaded"): (529, "overloaded_error"),
    ("mistral", "badkey"): (401, "Invalid API Key"),
    ("mistral", "payment"): (402, "Payment required"),
    ("deepseek", "governor"): (401, "Authentication Fails (governor)"),
    ("deepseek", "nocredit"): (402, "Insufficient Balance"),
    ("xai", "chatalone"): (200, "chat.completion"),
    ("xai", "modelsdown"): (200, "chat.completion"),
    ("xai", "responses"): (403, "permission"),
    ("xai", "keyblocked"): (403, "permission"),
    ("xai", "nochat"): (403, "permission"),
    ("xai", "credit"): (403, "credits or licenses"),
    ("xai", "usedlisting"): (429, "used all available credits"),
    ("xai", "wrong"): (400, "Incorrect API key"),
    ("zai", "gone404"): (200, "chat.completion"),
    ("zai", "gone1211"): (200, "chat.completion"),
    ("zai", "code1113"): (429, '"1113"'),
    ("zai", "gone1113"): (429, '"1113"'),
    ("zai", "inside401"): (200, "token expired or incorrect"),
    ("google_vertex_ai", "good"): (200, "chat.completion"),
    ("google_vertex_ai", "gone1"): (200, "chat.completion"),
    ("google_vertex_ai", "iam"): (403, '[{"error": {"code": 403'),
    ("google_vertex_ai", "wrapped"): (403, '[{"error": {"code": 403'),
    ("google_vertex_ai", "stale"): (401, '[{"error": {"code": 401'),
    ("google_vertex_ai", "rate"): (429, "RESOURCE_EXHAUSTED"),
}


@pytest.mark.parametrize(("provider", "scenario"), DOCUMENTED)
def test_inference_gets_what_is_documented(provider: str, scenario: str, ask: Asking) -> None:
    status, words = DOCUMENTED[provider, scenario]
    answer = ask(provider, key(provider, scenario))
    assert (answer.status, words in answer.body.decode()) == (status, True), answer.body


def test_a_key_may_be_for_one_endpoint_alone(ask: Asking) -> None:
    statuses = {
        scenario: ask("xai", key("xai", scenario), path="/v1/responses", input="hello").status
        for scenario in ("good", "chatalone", "responses")
    }
    assert statuses == {"good": 200, "chatalone": 403, "responses": 200}


def test_a_fresh_token_is_taken_where_the_first_was_refused(ask: Asking) -> None:
    stale = key("google_vertex_ai", "stale")
    assert [ask("google_vertex_ai", token).status for token in (stale, stale.replace("-1-", "-2-"))] == [401, 200]


def test_vertex_asks_for_a_token_that_it_gave(ask: Asking) -> None:
    ask.providers.expect_violations("wrong_host")
    assert ask("google_vertex_ai", "fake-token-good").body.startswith(b'[{"error": {"code": 401')
    elsewhere = ask("google_vertex_ai", sent={"host": "europe-west1-aiplatform.googleapis.com"})
    assert (elsewhere.status, elsewhere.body[:1]) == (400, b"[")
    ask("google_vertex_ai", sent={"host": "evil.example"})


@EVERYONE
def test_any_error_can_be_had_in_the_providers_envelope(provider: str, ask: Asking) -> None:
    statuses = [400, 401, 403, 404, 409, 422, 429, 500, 503, 529]
    answers = [ask(provider, key(provider, f"fails{status}"), stream=status % 2 == 0) for status in statuses]
    assert [answer.status for answer in answers] == statuses
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
    assert all(b"fails on purpose" in answer.body for answer in answers)
    assert {answer.body[:1] for answer in answers} == {b"[" if provider == "google_vertex_ai" else b"{"}


@EVERYONE
def test_a_limit_says_when_to_come_back(provider: str, ask: Asking) -> None:
    answer = ask(provider, key(provider, "rate7"))
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")


def test_limits_and_request_ids_are_in_the_headers(ask: Asking) -> None:
    openai, claude = (ask(provider).headers for provider in ("openai", "anthropic"))
    assert openai["x-ratelimit-remaining-requests"] == "499"
    assert claude["anthropic-ratelimit-requests-remaining"] == "49"
    assert openai["x-request-id"] != ask("openai").headers["x-request-id"]
    assert claude["request-id"] != ask("anthropic").headers["request-id"]


class TestTurns:
    @pytest.mark.parametrize("scenario", ["fails500", "rate9", "thenhtml502", "firstwrong", "flaky1", "noinference"])
    def test_no_check_of_the_key_notices(self, scenario: str, ask: Asking) -> None:
        credential = key("openai", scenario)
        checked = raw.ask(ask.providers.base_urls["openai"], raw.headers("openai", credential))
        assert (checked.status, ask("openai", credential).status == 200) == (200, False)

    @pytest.mark.parametrize(("scenario", "status"), [("thenrate", 429), ("thenhtml502", 502), ("thenthenwrong", 401)])
    def test_then_is_for_inference(self, scenario: str, status: int, ask: Asking) -> None:
        assert [ask("openai", key("openai", scenario)).status for _ in range(2)] == [status, status]

    def test_first_is_for_the_first_request(self, ask: Asking) -> None:
        credential = key("anthropic", "firstoverloaded")
        assert [ask("anthropic", credential).status for _ in range(3)] == [529, 200, 200]

    def test_flaky_fails_each_nth_time_in_another_way(self, ask: Asking) -> None:
        credential, path = key("mistral", "flaky2"), ROUTES["mistral"][0]
        url, sent = ask.providers.base_urls["mistral"], headers("mistral", credential)
        seen = []
        for _ in range(12):
            try:
                data = raw.exchange(url, {**sent, "connection": "close"}, path, "POST", ask.plain("mistral"))
            except ConnectionResetError:
                data = b"reset"
            seen.append(data[9:12].decode() if data.startswith(b"HTTP") else data.decode())
        assert seen == ["200", "500", "200", "reset", "200", "429", "200", "", "200", "503", "200", "500"]

    def test_vertex_needs_no_prefix_for_what_is_of_inference(self, ask: Asking) -> None:
        statuses = {
            name: ask("google_vertex_ai", key("google_vertex_ai", name)).status for name in ("fails409", "rate1")
        }
        assert statuses == {"fails409": 409, "rate1": 429}
        assert ask("google_vertex_ai", key("google_vertex_ai", "thenthenhtml502")).status == 502
        assert b"[DONE]" not in ask("google_vertex_ai", key("google_vertex_ai", "cutstream"), stream=True).body
