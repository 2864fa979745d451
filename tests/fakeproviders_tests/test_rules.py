"""Each thing that a client must not do is seen, named, and told without the secret; its decent twin is not."""

from collections.abc import Callable

import pytest
import requests

from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders_tests.raw import ask, exchange, headers

KEY = samples.fresh_key("openai", "good")
ANTHROPIC_KEY = samples.fresh_key("anthropic", "good")


def kinds(providers: CheckedProviders) -> set[str]:
    found = providers.violations()
    assert KEY not in repr(found)
    assert ANTHROPIC_KEY not in repr(found)
    return {violation.kind for violation in found}


def without(provider: str, name: str) -> dict[str, str]:
    sent = headers(provider, KEY if provider == "openai" else ANTHROPIC_KEY)
    del sent[name]
    return sent


def changed(provider: str, **new: str) -> dict[str, str]:
    sent = headers(provider, KEY if provider == "openai" else ANTHROPIC_KEY)
    return {**sent, **{name.replace("_", "-"): value for name, value in new.items()}}


@pytest.mark.parametrize("provider", samples.KEYED)
def test_a_correct_request_violates_nothing(provider: str, providers: CheckedProviders) -> None:
    key = samples.fresh_key(provider, "good")
    ask(providers.base_urls[provider], headers(provider, key))
    assert kinds(providers) == set()


BAD_REQUESTS: dict[str, tuple[str, str, Callable[[], dict[str, str]], str]] = {
    "key in the query": ("key_in_url", "openai", lambda: headers("openai", KEY), f"/v1/models?key={KEY}"),
    "key in the path": ("key_in_url", "openai", lambda: headers("openai", KEY), f"/v1/models/{KEY}"),
    "key percent-encoded": ("key_in_url", "openai", lambda: headers("openai", KEY), f"/v1/models?k={KEY.replace('-', '%2D')}"),
    "another key in the query": ("key_in_url", "openai", lambda: headers("openai", KEY), f"/v1/models?k={ANTHROPIC_KEY}"),
    "key in the referer": ("key_in_header", "openai", lambda: changed("openai", referer=f"https://x/?k={KEY}"), ""),
    "key in the other scheme": ("key_in_header", "anthropic", lambda: changed("anthropic", authorization=ANTHROPIC_KEY), ""),
    "key under a header of our own": ("key_in_header", "openai", lambda: changed("openai", x_trace=KEY), ""),
    "no credential": ("missing_header", "openai", lambda: without("openai", "authorization"), ""),
    "basic credential": ("missing_header", "openai", lambda: changed("openai", authorization="Basic ZmFrZTpmYWtl"), ""),
    "no version": ("missing_header", "anthropic", lambda: without("anthropic", "anthropic-version"), ""),
    "another version": ("wrong_header", "anthropic", lambda: changed("anthropic", anthropic_version="2020-01-01"), ""),
    "no language": ("missing_header", "zai", lambda: without("zai", "accept-language"), ""),
    "a management key": ("wrong_kind", "xai", lambda: headers("xai", "xai-token-FAKEFAKE"), ""),
    "no accept": ("missing_header", "openai", lambda: without("openai", "accept"), ""),
    "accepts anything": ("wrong_header", "openai", lambda: changed("openai", accept="*/*"), ""),
    "loopback as host": ("wrong_host", "openai", lambda: changed("openai", host="127.0.0.1:8000"), ""),
    "another provider's host": ("wrong_host", "openai", lambda: changed("openai", host="api.anthropic.com"), ""),
    "a host that only looks right": ("wrong_host", "openai", lambda: changed("openai", host="api.openai.com.evil.com"), ""),
    "ciphertext as the key": ("ciphertext", "openai", lambda: headers("openai", "gAAAAABfakefakefakefake"), ""),
    "ciphertext in the query": ("ciphertext", "openai", lambda: headers("openai", KEY), "/v1/models?after=gAAAAABfake"),
    "a cookie": ("cookie", "openai", lambda: changed("openai", cookie="__cf_bm=fake-cookie-of-openai"), ""),
    "an unknown path": ("unknown_route", "openai", lambda: headers("openai", KEY), "/v1/me"),
    "an admin key": ("wrong_kind", "openai", lambda: headers("openai", "sk-admin-FAKEFAKEFAKE"), ""),
    "a sign-in token": ("wrong_kind", "openai", lambda: headers("openai", "eyJFAKEFAKEFAKEFAKE"), ""),
    "a subscription token": ("wrong_kind", "anthropic", lambda: headers("anthropic", "sk-ant-oat01-FAKEFAKE"), ""),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_a_bad_request_is_seen(case: str, providers: CheckedProviders) -> None:
    kind, provider, sent, path = BAD_REQUESTS[case]
    providers.expect_violations(kind, *({"unknown_route"} if case == "key in the path" else ()))
    ask(providers.base_urls[provider], sent(), path)
    assert kind in kinds(providers)


def test_a_key_or_ciphertext_in_a_body_is_seen(providers: CheckedProviders) -> None:
    providers.expect_violations("key_in_body", "ciphertext", "unknown_route")
    sent = headers("openai", KEY)
    ask(providers.base_urls["openai"], sent, method="POST", body=b'{"api_key": "' + KEY.encode() + b'"}')
    ask(providers.base_urls["openai"], sent, method="POST", body=b'{"content": "gAAAAABfake"}')
    assert kinds(providers) == {"key_in_body", "ciphertext", "unknown_route"}


def test_two_credentials_in_one_request_are_seen(providers: CheckedProviders) -> None:
    providers.expect_violations("duplicate_header")
    sent = {**headers("openai", KEY), "Authorization": f"Bearer {samples.fresh_key('openai', 'good')}"}
    ask(providers.base_urls["openai"], sent)


def test_a_key_at_a_second_provider_is_seen_and_at_its_own_is_not(providers: CheckedProviders) -> None:
    ask(providers.base_urls["openai"], headers("openai", KEY))
    ask(providers.base_urls["openai"], headers("openai", KEY))
    assert kinds(providers) == set()
    providers.expect_violations("key_elsewhere")
    ask(providers.base_urls["anthropic"], headers("anthropic", KEY))


def test_what_is_no_http_is_seen(providers: CheckedProviders) -> None:
    providers.expect_violations("bad_request")
    exchange(providers.base_urls["openai"], {}, path="with blanks in it")


@pytest.mark.parametrize("code", [301, 302, 307, 308])
@pytest.mark.parametrize(
    ("kind", "violation"), [("", "redirect_followed"), ("other", "redirect_followed"), ("loop", "trap_reached")]
)
def test_a_followed_redirect_is_seen(code: int, kind: str, violation: str, providers: CheckedProviders) -> None:
    key = samples.fresh_key("anthropic", f"redirect{code}{kind}")
    with requests.Session() as careless:
        careless.trust_env = False
        answer = careless.get(
            f"{providers.base_urls['anthropic']}/v1/models", headers=headers("anthropic", key), timeout=5
        )
    # The target gives what a careless client takes for proof.
    assert answer.status_code == 200
    assert isinstance(answer.json()["data"], list)
    assert violation in kinds(providers)
    providers.expect_violations(*kinds(providers))


def test_a_redirect_target_knows_that_the_key_came_along(providers: CheckedProviders) -> None:
    providers.expect_violations("redirect_followed", "key_in_header")
    key = samples.fresh_key("anthropic", "redirect307other")
    with requests.Session() as careless:
        careless.trust_env = False
        careless.get(f"{providers.base_urls['anthropic']}/v1/models", headers=headers("anthropic", key), timeout=5)
    followed = [row for row in providers.violations() if row.kind == "redirect_followed"]
    assert [row.detail for row in followed] == ["GET with a credential"]
    assert [row.followed_redirect for row in providers.requests()] == [False, True]


def test_a_second_request_after_a_redirect_is_seen(providers: CheckedProviders) -> None:
    sent = headers("openai", samples.fresh_key("openai", "redirect302"))
    ask(providers.base_urls["openai"], sent)
    assert kinds(providers) == set()
    providers.expect_violations("request_after_redirect")
    ask(providers.base_urls["openai"], sent)


def test_the_trap_notices_a_bare_connection(providers: CheckedProviders) -> None:
    providers.expect_violations("trap_reached")
    requests.get(providers.trap_url, timeout=5)
