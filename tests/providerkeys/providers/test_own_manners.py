"""Where single providers differ from the rest: a second request, a fallback, a word of their own."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from providerkeys.providers import registry
from providerkeys.providers.base import Answer, Credential, Request, Unreachable, Verdict
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders

Ask = Callable[[str, str], str]

_USABLE = {"acls": ["api-key:model:*", "api-key:endpoint:*"], "team_blocked": False}


def _json(status: int, document: Any) -> Answer:
    return Answer(status, "application/json; charset=utf-8", json.dumps(document).encode())


def _check(slug: str, *answers: Answer | Unreachable) -> str:
    """The reason when the provider gives these ``answers``, one after the other; all of them must be asked for."""
    left = list(answers)

    def send(_: Request) -> Answer:
        answer = left.pop(0)
        if isinstance(answer, Unreachable):
            raise answer
        return answer

    reason = registry.get(slug).check(Credential("FAKE-key"), send)
    assert not left
    return reason


def _paths(providers: CheckedProviders, key: str) -> list[str]:
    return [f"{row.method} {row.path}" for row in providers.requests(credential=key)]


def test_deepseek_may_refuse_in_plain_text() -> None:
    assert _check("deepseek", Answer(401, "text/plain", b"Authentication Fails (governor)")) == "unknown_key"


@pytest.mark.parametrize("body", [b"Unauthorized", b"Proxy Authentication Fails", b"<html>Authentication Fails</html>"])
def test_nobody_elses_plain_text_condemns_a_deepseek_key(body: bytes) -> None:
    assert _check("deepseek", Answer(401, "text/plain", body)) == "unexpected"


@pytest.mark.parametrize(
    "balance",
    [
        {"is_available": True},
        {"balance_infos": []},
        {"is_available": "true", "balance_infos": []},
        {"is_available": None, "balance_infos": []},
        {"is_available": True, "balance_infos": {}},
        {"is_available": True, "balance_infos": [], "error": "none"},
    ],
)
def test_a_deepseek_balance_of_another_shape_proves_nothing(balance: dict[str, Any]) -> None:
    assert _check("deepseek", _json(200, balance)) == "unexpected"


def test_xai_is_asked_about_the_key_and_then_for_models(ask: Ask, providers: CheckedProviders) -> None:
    key = samples.fresh_key("xai", "good")
    assert ask("xai", key) == "accepted"
    assert _paths(providers, key) == ["GET /v1/api-key", "GET /v1/models"]


@pytest.mark.parametrize("scenario", ["wrong", "keydisabled", "norights", "error500", "rate"])
def test_xai_is_asked_once_where_the_first_answer_is_enough(
    ask: Ask, providers: CheckedProviders, scenario: str
) -> None:
    key = samples.fresh_key("xai", scenario)
    ask("xai", key)
    assert _paths(providers, key) == ["GET /v1/api-key"]


@pytest.mark.parametrize(
    "second",
    [
        Unreachable("timeout"),
        Unreachable("reset"),
        _json(500, {"error": "Internal error"}),
        _json(404, {"error": "Not found"}),
        Answer(403, "text/html", b"<html>Blocked by policy</html>"),
        Answer(200, "text/html", b"<html>Sign in to the hotel</html>"),
    ],
    ids=str,
)
def test_a_second_answer_that_judges_nothing_takes_nothing_back(second: Answer | Unreachable) -> None:
    assert _check("xai", _json(200, _USABLE), second) == "accepted"


@pytest.mark.parametrize(
    ("endpoint", "reason"), [("*", "no_permission"), ("chat", "accepted"), ("/v1/responses", "accepted")]
)
def test_a_key_that_may_not_list_models_is_only_blocked_if_it_may_do_everything(endpoint: str, reason: str) -> None:
    first = {**_USABLE, "acls": ["api-key:model:grok-4", f"api-key:endpoint:{endpoint}"]}
    refusal = {"code": "permission-denied", "error": "The caller does not have permission."}
    assert _check("xai", _json(200, first), _json(403, refusal)) == reason


@pytest.mark.parametrize(
    "changed",
    [{"acls": None}, {"acls": "api-key:model:*"}, {"team_blocked": "no"}, {"api_key_disabled": 1}, {"error": "none"}],
    ids=str,
)
def test_what_xai_says_of_a_key_in_another_shape_proves_nothing(changed: dict[str, Any]) -> None:
    assert _check("xai", _json(200, {**_USABLE, **changed})) == "unexpected"


def test_a_blocked_xai_key_is_forbidden_whatever_its_rights() -> None:
    assert _check("xai", _json(200, {"acls": [], "api_key_blocked": True})) == "key_blocked"


def test_zai_is_asked_once_where_it_has_a_models_list(ask: Ask, providers: CheckedProviders) -> None:
    key = samples.fresh_key("zai", "good")
    assert ask("zai", key) == "accepted"
    assert _paths(providers, key) == ["GET /api/paas/v4/models"]


@pytest.mark.parametrize("scenario", ["gone404", "gone405", "gonewrong"])
def test_zai_is_asked_with_an_empty_request_where_it_has_none(
    ask: Ask, providers: CheckedProviders, scenario: str
) -> None:
    key = samples.fresh_key("zai", scenario)
    ask("zai", key)
    assert _paths(providers, key) == ["GET /api/paas/v4/models", "POST /api/paas/v4/chat/completions"]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize("code", ["1000", "1002", "1003", "1004", "401"])
def test_a_limit_or_a_failure_never_condemns_a_zai_key(status: int, code: str) -> None:
    reason = _check("zai", _json(status, {"error": {"code": code, "message": "token expired or incorrect"}}))
    assert registry.get("zai").verdict(reason) is Verdict.UNREACHABLE


@pytest.mark.parametrize("document", [[], None, "token expired or incorrect", {"data": [], "code": 200}, {"data": {}}])
def test_a_zai_answer_of_another_shape_proves_nothing(document: Any) -> None:
    assert _check("zai", _json(200, document)) == "unexpected"


def test_a_zai_error_inside_a_page_is_not_looked_for() -> None:
    page = json.dumps({"code": 401, "msg": "token expired or incorrect", "success": False}).encode()
    assert _check("zai", Answer(200, "text/html", page)) == "unexpected"


# Where the one obvious next step would mislead: what else the sentence must say.
_ADVICE = {
    ("mistral", "unknown_key"): "Codestral",
    ("xai", "no_credit"): "X Premium",
    ("zai", "unknown_key"): "bigmodel.cn",
    ("zai", "no_credit"): "Coding Plan",
}


@pytest.mark.parametrize(("slug", "reason"), _ADVICE)
def test_the_next_step_names_the_trap(slug: str, reason: str) -> None:
    assert _ADVICE[slug, reason] in registry.get(slug).reason(reason).next_step
