"""The BYOK list: what a row shows, in which order, page by page, for whom; and what a page costs."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys import vault
from providerkeys.models import KeyAssignment, ProviderKey
from providerkeys.resolver import Scope
from tests.providerkeys import regions, sample
from tests.providerkeys.conftest import Console, text

LIST = "provider-keys/"


def names(response: Any) -> list[str]:
    return re.findall(r'<div class="table__name">(?:<a [^>]*>)?(.*?)(?:</a>)?</div>', text(response))


def row(response: Any, key: ProviderKey) -> str:
    """The markup of one row, blanks and icons aside."""
    found = re.search(rf'<tr [^>]*id="row-{key.pk}".*?</tr>', text(response), re.DOTALL)
    assert found
    return re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>", "", found[0], flags=re.DOTALL))


def badges(markup: str) -> list[str]:
    return re.findall(r'<span class="badge [^>]*><span>(.*?)</span>', markup)


def rank(markup: str) -> str:
    found = re.search(r'<p class="rank"><span class="rank__number">(.*?)</span>(.*?)</p>', markup)
    return f"{found[1]} {found[2]}" if found else ""


def make(access: Access, name: str, api_keys: list[ApiKey] | None = None, provider: str = "openai") -> ProviderKey:
    return ProviderKey.create(access, provider, sample.draft(sample.FORMER, name, api_keys))


def many(access: Access, number: int) -> None:
    """Store that many keys, half of them assigned to an API key, without the cost of creating each."""
    api_key = sample.api_key(access)
    first = sample.stored(access)
    copies = [
        ProviderKey(
            organization=access.organization,
            provider="openai",
            name=f"Key {position:05d}",
            hint=first.hint,
            scope=Scope.API_KEYS if position % 2 else Scope.ORGANIZATION,
            position=position,
            created_by=access.user,
        )
        for position in range(2, number + 1)
    ]
    ProviderKey.objects.bulk_create(copies)
    KeyAssignment.objects.bulk_create(
        KeyAssignment(provider_key=one, api_key=api_key) for one in copies if one.scope == Scope.API_KEYS
    )


class TestRow:
    def test_shows_provider_name_hint_assignment_and_status(self, alices: Console, alice_access: Access) -> None:
        key = make(alice_access, "Main account")

        markup = row(alices.get(LIST), key)

        assert badges(markup) == ["OpenAI", "Organization (all keys)", "Active", "Untested"]
        assert ">Main account<" in markup
        assert f">{key.hint}<" in markup
        assert 'data-badge="organization"' in markup
        assert "by Alice" in markup

    def test_says_when_it_was_used_last(self, alices: Console, alice_access: Access) -> None:
        key = make(alice_access, "Main account")
        assert "never used" in row(alices.get(LIST), key)
        ProviderKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now())
        page = row(alices.get(LIST), key)
        assert "never used" not in page
        assert "used <time" in page

    def test_names_each_api_key_it_is_assigned_to(self, alices: Console, alice_access: Access) -> None:
        key = make(alice_access, "Main", [sample.api_key(alice_access, "ci"), sample.api_key(alice_access, "batch")])

        markup = row(alices.get(LIST), key)

        assert badges(markup)[1:3] == ["batch", "ci"]
        assert markup.count('data-badge="api-key"') == 2

    def test_says_when_it_serves_nobody(self, alices: Console, alice_access: Access) -> None:
        api_key = sample.api_key(alice_access)
        key = make(alice_access, "Main", [api_key])
        api_key.delete_by(alice_access)

        assert 'data-badge="unassigned"' in row(alices.get(LIST), key)

    def test_tells_the_last_check(self, alices: Console, alice_access: Access) -> None:
        key = make(alice_access, "Main")
        ProviderKey.objects.update(
            **ProviderKey.columns_for("invalid", "unknown_key", timezone.now()),
        )

        markup = row(alices.get(LIST), key)

        assert "Failing" in badges(markup)
        assert "<strong>Invalid.</strong> OpenAI doesn’t recognize this key." in markup

        assert re.search(r"</strong> OpenAI doesn’t recognize this key. <span data-step>Next: \S.*</span>", markup)

    def test_of_a_check_that_learned_nothing_no_verdict_is_claimed(self, alices: Console, alice_access: Access) -> None:
        key = make(alice_access, "Main")
        now = timezone.now()
        ProviderKey.objects.update(last_check_at=now, last_check_verdict="unreachable", last_check_reason="timeout")

        markup = row(alices.get(LIST), key)

        assert badges(markup)[-1] == "Untested"
        assert "</span>Unreachable just now</button>" in markup
        assert "hecked" not in markup

        # Of several regions one may have been judged: it was no vain attempt.
        ProviderKey.objects.update(last_check_region="us-west-2")
        assert "Unreachable just now" not in row(alices.get(LIST), key)
        ProviderKey.objects.update(**ProviderKey.columns_for("valid", "accepted", now))
        assert "Unreachable just now" not in row(alices.get(LIST), key)

    def test_offers_to_replace_its_credentials(self, alices: Console, alice_access: Access) -> None:
        key = make(alice_access, "Main")

        markup = row(alices.get(LIST), key)

        assert f'href="/orgs/acme/provider-keys/{key.pk}/?focus=credentials"' in markup
        assert "Replace credentials</a>" in markup

    def test_escapes_what_people_wrote(self, alices: Console, alice_access: Access) -> None:
        key = make(alice_access, "<img src=x onerror=alert(1)>", [sample.api_key(alice_access, "<b hx-get=/>")])

        markup = row(alices.get(LIST), key)

        assert "<img" not in markup
        assert "<b hx" not in markup

    def test_asks_for_itself_while_its_stored_credentials_are_tested(
        self, alices: Console, alice_access: Access, sent: list[str]
    ) -> None:
        key = make(alice_access, "Main")
        check = sample.pressed(alice_access, key)

        markup = row(alices.get(LIST), key)

        assert f'hx-get="/orgs/acme/provider-keys/checks/{check.pk}/" hx-trigger="every 1s"' in markup
        assert "Testing" in badges(markup)

    def test_does_not_when_somebody_tests_other_bytes_over_it(
        self, alices: Console, alice_access: Access, sent: list[str]
    ) -> None:
        key = make(alice_access, "Main")
        alices.post(f"provider-keys/{key.pk}/checks/", {"provider_key": sample.LATTER}, into="test-result")

        assert "hx-trigger" not in row(alices.get(LIST), key)


class TestRank:
    def ranks(self, console: Console, *keys: ProviderKey) -> list[str]:
        answer = console.get(LIST)
        return [rank(row(answer, key)) for key in keys]

    def test_a_key_alone_in_its_tier_has_none(self, alices: Console, alice_access: Access) -> None:
        one, other = make(alice_access, "OpenAI"), make(alice_access, "Anthropic", provider="anthropic")
        only = make(alice_access, "CI", [sample.api_key(alice_access)])

        assert self.ranks(alices, one, other, only) == ["", "", ""]

    def test_says_in_which_order_organization_wide_keys_are_tried(self, alices: Console, alice_access: Access) -> None:
        keys = [make(alice_access, name) for name in ("a", "b", "c", "d")]

        assert self.ranks(alices, *keys) == [
            "1 tried first",
            "2 only when a fails",
            "3 only when a and b fail",
            "4 only when a and 2 others fail",
        ]

    def test_a_key_that_cannot_serve_is_not_counted(self, alices: Console, alice_access: Access) -> None:
        keys = [make(alice_access, name) for name in ("a", "b", "c", "d")]
        ProviderKey.objects.filter(pk=keys[0].pk).update(enabled=False)
        ProviderKey.objects.filter(pk=keys[1].pk).update(unreadable_at=timezone.now())

        assert self.ranks(alices, *keys) == ["", "", "1 tried first", "2 only when c fails"]

    def test_says_for_which_api_keys_assigned_keys_compete(self, alices: Console, alice_access: Access) -> None:
        batch, ci, web = (sample.api_key(alice_access, name) for name in ("batch", "ci", "web"))
        fleet = make(alice_access, "Fleet", [batch, ci])
        spare = make(alice_access, "Spare", [batch])
        alone = make(alice_access, "Alone", [web])

        assert self.ranks(alices, fleet, spare, alone) == ["1 tried first for batch", "2 only when Fleet fails", ""]

    def test_behind_two_keys_it_says_for_whom(self, alices: Console, alice_access: Access) -> None:
        batch, ci = (sample.api_key(alice_access, name) for name in ("batch", "ci"))
        one, other = make(alice_access, "One", [batch]), make(alice_access, "Other", [ci])
        both = make(alice_access, "Both", [batch, ci])

        assert self.ranks(alices, one, other, both)[2] == "2 only when One fails for batch"

    def test_a_key_whose_provider_is_not_routed_says_so(self, alices: Console, alice_access: Access) -> None:
        ours = make(alice_access, "ours")
        with_regions = regions.stored(alice_access)
        answer = alices.get(LIST)

        assert "once the gateway routes" not in row(answer, ours)
        assert '<p class="rank">once the gateway routes AWS Bedrock</p>' in row(answer, with_regions)
        assert badges(row(answer, with_regions))[-2:] == ["Active", "Untested"]

    def test_ranks_go_on_from_page_to_page(self, alices: Console, alice_access: Access) -> None:
        many(alice_access, 130)
        second = alices.client.get(alices.url(LIST) + re.findall(r'href="(\?after=[^"]+)"', text(alices.get(LIST)))[0])

        assert re.findall(r'class="rank__number">(\d+)<', text(second))[:2] == ["51", "52"]


class TestOrderAndPages:
    def test_by_provider_tier_and_position(self, alices: Console, alice_access: Access) -> None:
        api_key = sample.api_key(alice_access)
        make(alice_access, "4 assigned", [api_key])
        make(alice_access, "2 first")
        make(alice_access, "3 second")
        make(alice_access, "1 Anthropic", provider="anthropic")
        ProviderKey.objects.filter(pk=make(alice_access, "5 no file any more").pk).update(provider="gone")

        assert names(alices.get(LIST)) == ["1 Anthropic", "2 first", "3 second", "4 assigned", "5 no file any more"]

    def test_fifty_a_page_forth_and_back_without_loss(self, alices: Console, alice_access: Access) -> None:
        many(alice_access, 120)
        seen, url, urls = [], "", []
        while True:
            answer = alices.client.get(alices.url(LIST) + url)
            seen += names(answer)
            urls.append(url)
            following = re.findall(r'href="(\?[^"]+)" rel="next"', text(answer))
            if not following:
                break
            url = following[0]
        assert len(urls) == 3
        assert len(seen) == len(set(seen)) == 120
        organization = ProviderKey.objects.filter(scope=Scope.ORGANIZATION).order_by("position")
        assigned = ProviderKey.objects.filter(scope=Scope.API_KEYS).order_by("position")
        assert seen == [key.name for key in (*organization, *assigned)]

        previous = re.findall(r'href="(\?[^"]+)" rel="prev"', text(answer))[0]
        answer = alices.client.get(alices.url(LIST) + previous)
        assert names(answer) == seen[50:100]
        previous = re.findall(r'href="(\?[^"]+)" rel="prev"', text(answer))[0]
        answer = alices.client.get(alices.url(LIST) + previous)
        assert names(answer) == seen[:50]
        assert 'rel="prev"' not in text(answer)

    def test_a_page_whose_rows_have_gone_leads_to_the_first(self, alices: Console, alice_access: Access) -> None:
        make(alice_access, "Main")

        assert alices.get(LIST, after="40-openai-999").headers["Location"] == alices.url(LIST)

    @pytest.mark.parametrize(
        "place", ["x", "40-openai-", "openai-1", "40-openai-x", "40-openai-1'--", "\0", "40-é-3", "٤٠-openai-٣"]
    )
    def test_what_is_no_place_is_the_top(self, alices: Console, alice_access: Access, place: str) -> None:
        make(alice_access, "Main")

        assert names(alices.get(LIST, after=place)) == ["Main"]


class TestSearch:
    @pytest.fixture
    def keys(self, alice_access: Access) -> list[ProviderKey]:
        return [
            make(alice_access, "Production"),
            ProviderKey.create(alice_access, "openai", sample.draft(sample.LATTER, "Überlauf")),
        ]

    def test_by_name_hint_or_id(self, alices: Console, keys: list[ProviderKey]) -> None:
        for words in ("prod", "  PROD ", "Production", keys[0].pk):
            assert names(alices.get(LIST, q=words)) == ["Production"], words
        assert names(alices.get(LIST, q=keys[0].hint)) == ["Production"]

    @pytest.mark.parametrize("words", ["nothing like it", "%", "_", "\0", "' OR 1=1 --", "x" * 5000])
    def test_finds_nothing_else(self, alices: Console, keys: list[ProviderKey], words: str) -> None:
        answer = alices.get(LIST, q=words)

        assert answer.status_code == 200
        assert names(answer) == []
        assert "No provider key matches" in text(answer)

    def test_answers_htmx_with_the_table_alone(self, alices: Console, keys: list[ProviderKey]) -> None:
        answer = alices.get(LIST, into="provider-keys", q="prod")

        assert text(answer).strip().startswith('<div id="provider-keys">')
        assert "<html" not in text(answer)

    def test_keeps_its_words_from_page_to_page(self, alices: Console, alice_access: Access) -> None:
        many(alice_access, 120)

        assert re.findall(r'href="(\?q=Key&amp;after=[^"]+)" rel="next"', text(alices.get(LIST, q="Key")))


class TestWhoSees:
    def test_an_empty_list_offers_every_provider(self, alices: Console) -> None:
        answer = text(alices.get(LIST))

        assert "No provider keys yet" in answer
        assert "/orgs/acme/provider-keys/new/?provider=anthropic" in answer

    def test_a_name_leads_to_its_form_whoever_may_open_it(
        self, alices: Console, danas: Console, alice_access: Access
    ) -> None:
        key = make(alice_access, "<Main>")
        there = f"/orgs/acme/provider-keys/{key.pk}/"
        name = re.compile(rf'<a id="edit-{key.pk}" href="{there}" hx-get="{there}"[^>]*>&lt;Main&gt;</a>')

        assert name.search(row(alices.get(LIST), key))
        assert there not in row(danas.get(LIST), key)
        assert names(danas.get(LIST)) == ["&lt;Main&gt;"]

    def test_a_member_sees_the_list_but_no_button(self, danas: Console, alice_access: Access) -> None:
        key = make(alice_access, "Main")

        answer = text(danas.get(LIST))

        assert f'id="row-{key.pk}"' in answer
        for word in ("Create a new Provider Key", "Actions for", "Delete", "Test credentials", "hx-post"):
            assert word not in answer

    def test_nobody_sees_another_organizations_keys(
        self, alices: Console, alice_access: Access, charlie_access: Access
    ) -> None:
        make(charlie_access, "Theirs")
        make(alice_access, "Ours")

        assert names(alices.get(LIST)) == ["Ours"]
        assert "1 key" in text(alices.get(LIST))


class TestCost:
    @pytest.mark.parametrize("number", [1, 50, 300])
    def test_six_queries_whatever_the_number_of_keys(self, alices: Console, alice_access: Access, number: int) -> None:
        many(alice_access, number)

        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(names(alices.get(LIST))) == min(number, 50)

        assert len(queries) <= 6, [query["sql"][:80] for query in queries]

    def test_opens_no_secret_and_loads_none(
        self, alices: Console, alice_access: Access, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        many(alice_access, 20)
        monkeypatch.setattr(vault, "_decrypt", None)

        with CaptureQueriesContext(connection) as queries:
            assert alices.get(LIST).status_code == 200

        assert not [query for query in queries if '"credentials"' in query["sql"]]
