"""Narrowing the BYOK list: by provider, by status as it is shown, by the API key that is served, and all of it at once."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.models import ProviderKey
from tests.providerkeys import sample
from tests.providerkeys.conftest import Console, text
from tests.providerkeys.test_list_views import LIST, names
from tests.providerkeys.test_row_actions import make

STATUSES = {
    "active": ["limited", "partly", "untested", "valid"],
    "untested": ["untested"],
    "limited": ["limited"],
    "failing": ["failing", "forbidden"],
    "unreadable": ["unreadable"],
    "disabled": ["disabled"],
}


@pytest.fixture
def in_every_state(alice_access: Access) -> None:
    given: dict[str, dict[str, Any]] = {
        "untested": {},
        "valid": {"verdict": "valid"},
        "limited": {"verdict": "limited"},
        "failing": {"verdict": "invalid"},
        "forbidden": {"verdict": "forbidden"},
        "partly": {"verdict": "valid", "regions_count": 3, "regions_failing": 1},
        "unreadable": {"verdict": "valid", "unreadable_at": timezone.now()},
        "disabled": {"verdict": "invalid", "enabled": False},
    }
    for name, columns in given.items():
        if columns:
            ProviderKey.objects.filter(pk=make(alice_access, name).pk).update(**columns)
        else:
            make(alice_access, name)


def test_by_status_as_it_is_shown(alices: Console, in_every_state: None) -> None:
    for word, wanted in STATUSES.items():
        answer = alices.get(LIST, status=word)
        assert sorted(names(answer)) == wanted, word
        # The badge says the same word in each of these rows.
        rows = re.findall(r"<tr role=\"row\" id=.*?</tr>", text(answer), re.DOTALL)
        assert all(re.search(rf"<span>{word}</span>", row, re.IGNORECASE) for row in rows)
    assert len(names(alices.get(LIST, status="no such status"))) == 8


def test_by_the_api_key_that_they_are_asked_for(alices: Console, alice_access: Access, charlie_access: Access) -> None:
    ci, web = (sample.api_key(alice_access, name) for name in ("ci", "web"))
    sample.api_key(charlie_access, "theirs")
    make(alice_access, "wide Anthropic", provider="anthropic")
    make(alice_access, "wide OpenAI")
    make(alice_access, "of ci", ci).disable(alice_access)
    make(alice_access, "of both", ci, web)

    assert names(alices.get(LIST, api_key="CI")) == ["wide Anthropic", "of ci", "of both"]
    assert names(alices.get(LIST, api_key=web.pk)) == ["wide Anthropic", "of both"]
    assert names(alices.get(LIST, api_key="ci", provider="openai", status="active", q="o")) == ["of both"]
    ApiKey.objects.filter(pk=web.pk).update(name="ci")
    twins = names(alices.get(LIST, api_key="ci"))
    assert twins == ["wide Anthropic", "of ci", "of both"]

    # Where none is called so, those that have it in their name are meant.
    assert names(alices.get(LIST, api_key="C")) == twins
    sample.api_key(alice_access, "c")
    assert names(alices.get(LIST, api_key="C")) == ["wide Anthropic", "wide OpenAI"]

    for stranger in ("theirs", "nobody"):
        answer = text(alices.get(LIST, api_key=stranger, q="wide"))
        assert f"No API key has “{stranger}” in its name." in answer
        assert ">Show all keys<" in answer
    # No name has a NUL: it is a blank, which is all there is here.
    assert "in its name" in text(alices.get(LIST, api_key="the\0irs"))


def test_an_address_says_all_and_pages_keep_it(
    alices: Console, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providerkeys.views.listing.PAGE_SIZE", 1)
    for name in ("a", "b", "other"):
        make(alice_access, name, provider="mistral" if name == "other" else "openai")

    answer = alices.get(LIST, into="provider-keys", provider="openai", q="", status="", api_key="")

    assert answer.headers["HX-Push-Url"] == alices.url(LIST + "?provider=openai")
    assert "data-say>2 keys</span>" in text(answer)
    (following,) = re.findall(r'href="(\?[^"]+)" rel="next"', text(answer))
    page = alices.client.get(alices.url(LIST) + following.replace("&amp;", "&"))
    assert names(page) == ["b"]
    assert '<option value="openai" selected>OpenAI</option>' in text(page)


def test_names_are_suggested_of_the_own_organization_alone(
    alices: Console, alice_access: Access, charlie_access: Access
) -> None:
    for access, name in ((alice_access, "<ci>"), (alice_access, "<ci>"), (charlie_access, "theirs")):
        sample.api_key(access, name)

    answer = text(alices.get("provider-keys/api-key-names/", into="api-key-names"))

    assert answer.strip() == '<option value="&lt;ci&gt;"></option>'


def test_six_queries_whatever_is_asked(alices: Console, alice_access: Access) -> None:
    ci = sample.api_key(alice_access, "ci")
    make(alice_access, "a", ci)
    for query in ({"api_key": "ci", "status": "active", "provider": "openai", "q": "a"}, {"api_key": "nobody"}):
        with CaptureQueriesContext(connection) as queries:
            assert alices.get(LIST, **query).status_code == 200
        assert len(queries) <= 6
