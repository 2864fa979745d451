"""When you save: what an assignment will change, said by the resolver before it is saved, as it is changed in the form."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.models import ProviderKey
from tests.providerkeys import regions, sample
from tests.providerkeys.conftest import Console, form_data, text
from tests.providerkeys.form import edit, edited
from tests.providerkeys.test_delete_views import consequences
from tests.providerkeys.test_row_actions import make

NEW = "provider-keys/outlook/"
NOW = timezone.now()


@pytest.fixture
def ci(alice_access: Access) -> ApiKey:
    return sample.api_key(alice_access, "ci")


@pytest.fixture
def staging(alice_access: Access) -> ApiKey:
    return sample.api_key(alice_access, "staging")


def test_who_moves_and_for_whom_it_only_steps_in(
    alices: Console, alice_access: Access, ci: ApiKey, staging: ApiKey
) -> None:
    make(alice_access, "Production Key")
    make(alice_access, "CI account", ci)

    answer = alices.post(NEW, form_data("", [ci, staging]), into="outlook")

    assert consequences(answer) == [
        ("1 API key moves to this key", ["staging"]),
        ("1 API key gets a key to fall back on", ["ci"]),
    ]
    assert "CI account (assigned) stays first; this key serves when that one fails." in text(answer)
    assert ProviderKey.objects.count() == 2


@pytest.mark.parametrize("verdict", ["invalid", "forbidden", "limited", ""])
def test_whoever_is_moved_to_a_failing_key_is_told(
    alices: Console, alice_access: Access, ci: ApiKey, staging: ApiKey, verdict: str
) -> None:
    make(alice_access, "Production Key")
    key = make(alice_access, "CI account", ci)
    ProviderKey.objects.filter(pk=key.pk).update(verdict=verdict)
    chosen = edited(key, assign_to_organization="", api_key_ids=[ci.pk, staging.pk])

    answer = alices.post(f"provider-keys/{key.pk}/outlook/", chosen, into="outlook")

    assert consequences(answer) == [("1 API key moves to this key", ["staging"])]
    assert "<p>Its OpenAI requests run on this key, and are billed there." in text(answer)
    alone = "billed there. If this key fails, no other key is tried: the organization-wide ones don’t step in.</p>"
    assert (alone in text(answer)) is (verdict in {"limited", ""})
    fails = "The stored credentials of this key failed their last test, and while they fail, so do these requests: no other key"
    assert (fails in text(answer)) is (verdict in {"invalid", "forbidden"})


def test_whoever_is_left_with_one_key_is_told(
    alices: Console, alice_access: Access, ci: ApiKey, staging: ApiKey
) -> None:
    first = make(alice_access, "First")
    make(alice_access, "Second")
    told = "run on Second (organization-wide), and are billed there. If Second fails, no other key is tried.</p>"
    assert told in text(alices.get(f"provider-keys/{first.pk}/delete/", into="dialog"))

    make(alice_access, "Third")
    assert "no other key is tried" not in text(alices.get(f"provider-keys/{first.pk}/delete/", into="dialog"))


def test_of_another_key_that_takes_over_and_fails_too(alices: Console, alice_access: Access, ci: ApiKey) -> None:
    first = make(alice_access, "First")
    second = make(alice_access, "Second")
    ProviderKey.objects.filter(pk=second.pk).update(verdict="invalid")

    answer = text(alices.get(f"provider-keys/{first.pk}/delete/", into="dialog"))
    assert "run on Second (organization-wide), and are billed there." in answer
    assert (
        "The credentials of Second failed their last test, and while they fail, so do these requests: no other"
        in answer
    )
    # Where it only steps back, nobody comes to it.
    assert "failed" not in text(alices.get(f"provider-keys/{second.pk}/delete/", into="dialog"))


def test_of_another_key_that_takes_over_and_is_limited(alices: Console, alice_access: Access, ci: ApiKey) -> None:
    first = make(alice_access, "First")
    second = make(alice_access, "Second")
    said = text(alices.get(f"provider-keys/{first.pk}/delete/", into="dialog"))
    assert "limited" not in said
    ProviderKey.objects.filter(pk=second.pk).update(verdict="limited", reason="no_credit")

    answer = text(alices.get(f"provider-keys/{first.pk}/delete/", into="dialog"))
    assert "If Second fails, no other key is tried.</p>" in answer
    assert "The credentials of Second were found limited. The key works, but its account has no credit left." in answer
    # Where it only steps back, nobody comes to it.
    assert "limited" not in text(alices.get(f"provider-keys/{second.pk}/delete/", into="dialog"))
    ProviderKey.objects.filter(pk=second.pk).update(position=0)
    assert f'id="now-{ci.pk}" title="currently Second (limited)"' in text(
        alices.get("provider-keys/new/", provider="openai")
    )


def test_of_a_failing_key_with_others_behind_it_the_next_is_tried(
    alices: Console, alice_access: Access, ci: ApiKey, staging: ApiKey
) -> None:
    first, _, _ = make(alice_access, "First"), make(alice_access, "Second"), make(alice_access, "Third")
    ProviderKey.objects.filter(name="Second").update(verdict="invalid")
    answer = text(alices.get(f"provider-keys/{first.pk}/delete/", into="dialog"))
    assert "The credentials of Second failed their last test; while they fail, the next key is tried." in answer

    # For one of two API keys: the other has none behind it.
    failing = make(alice_access, "Failing", ci)
    ProviderKey.objects.filter(pk=failing.pk).update(verdict="invalid", enabled=False)
    make(alice_access, "Behind", ci)
    ProviderKey.objects.filter(name="Behind").update(enabled=False)
    assert "no other key steps in" in text(alices.get(f"provider-keys/{failing.pk}/activation/", into="dialog"))


def test_where_others_step_in_already_it_is_one_more(alices: Console, alice_access: Access, ci: ApiKey) -> None:
    make(alice_access, "First", ci)
    make(alice_access, "Second", ci)
    third = make(alice_access, "Third")
    chosen = edited(third, assign_to_organization="", api_key_ids=[ci.pk])
    ProviderKey.objects.filter(pk=third.pk).update(verdict="invalid")

    answer = alices.post(f"provider-keys/{third.pk}/outlook/", chosen, into="outlook")

    assert consequences(answer) == [("1 API key gets one more key to fall back on", ["ci"])]
    assert "The stored credentials of this key failed their last test." in text(answer)


def test_a_second_organization_wide_key_serves_when_the_first_fails(
    alices: Console, alice_access: Access, ci: ApiKey
) -> None:
    make(alice_access, "Production Key")

    answer = alices.post(NEW, form_data(""), into="outlook")

    assert "Production Key (organization-wide) stays first; this key serves when that one fails." in text(answer)


def fallbacks(answer: Any) -> list[str]:
    """What is said of each key that only steps in."""
    return re.findall(r"<p>(\w+ \([a-z-]+\) stays first; .*?)</p>", text(answer))


def test_behind_several_keys_it_serves_only_when_all_of_them_fail(
    alices: Console, alice_access: Access, ci: ApiKey, staging: ApiKey
) -> None:
    """A key that is disabled stands before nobody, and neither does one of another tier, provider or API key."""
    make(alice_access, "Shared")
    make(alice_access, "Other", staging, provider="anthropic")
    paused = make(alice_access, "Paused", staging)
    paused.disable(alice_access)
    for number, said in enumerate(("that one fails", "it and 1 other fail", "it and 2 others fail")):
        make(alice_access, f"Own{number}", staging)
        answer = alices.post(NEW, form_data("", [staging]), into="outlook")
        assert fallbacks(answer) == [f"Own0 (assigned) stays first; this key serves when {said}."]

    # Each API key's own line counts.
    make(alice_access, "Cis", ci)
    answer = alices.post(NEW, form_data("", [ci, staging]), into="outlook")
    assert fallbacks(answer) == [
        "Cis (assigned) stays first; this key serves when that one fails.",
        "Own0 (assigned) stays first; this key serves when it and 2 others fail.",
    ]


def test_a_key_in_the_middle_waits_for_those_before_it_alone(
    alices: Console, alice_access: Access, staging: ApiKey
) -> None:
    _, second, third, _ = (make(alice_access, f"Own{number}", staging) for number in range(4))

    for key, said in ((second, "that one fails"), (third, "it and 1 other fail")):
        unticked = alices.post(f"{edit(key)}outlook/", edited(key) | form_data("", []) | {"api_key_ids": []})
        assert fallbacks(unticked) == [f"Own0 (assigned) stays first; when {said}, this key doesn’t step in any more."]
        key.disable(alice_access)
        enabling = alices.get(f"provider-keys/{key.pk}/activation/", into="dialog")
        assert fallbacks(enabling) == [f"Own0 (assigned) stays first; this key serves when {said}."]
        key.enable(alice_access)


@pytest.fixture(params=[("disabled", {"enabled": False}), ("expired", {"expires_at": NOW})], ids=lambda given: given[0])
def stopped(request: pytest.FixtureRequest, alice_access: Access) -> tuple[ApiKey, str]:
    """An API key that can't be used now, and why."""
    why, state = request.param
    api_key = sample.api_key(alice_access, "playground")
    ApiKey.objects.filter(pk=api_key.pk).update(**state)
    return api_key, why


class TestAnApiKeyThatCannotBeUsed:
    def test_is_not_said_to_move_to_gain_or_to_fall_back(
        self, alices: Console, alice_access: Access, ci: ApiKey, stopped: tuple[ApiKey, str]
    ) -> None:
        both = form_data("", [ci, stopped[0]])
        gains = consequences(alices.post(NEW, both, into="outlook"))
        make(alice_access, "Shared")
        moves = consequences(alices.post(NEW, both, into="outlook"))
        backs = consequences(alices.post(NEW, form_data(""), into="outlook"))

        assert gains == [("1 API key gets OpenAI", ["ci"])]
        assert moves == [("1 API key moves to this key", ["ci"])]
        assert backs == [("1 API key gets a key to fall back on", ["ci"])]
        assert text(alices.post(NEW, form_data("", [stopped[0]]), into="outlook")).strip() == ""

    def test_is_named_as_soon_as_it_can_be(
        self, alices: Console, alice_access: Access, ci: ApiKey, stopped: tuple[ApiKey, str]
    ) -> None:
        ApiKey.objects.update(enabled=True, expires_at=NOW + timedelta(days=1))

        answer = alices.post(NEW, form_data("", [ci, stopped[0]]), into="outlook")

        assert consequences(answer) == [("2 API keys get OpenAI", ["ci", "playground"])]

    def test_loses_nothing_in_the_dialogs(
        self, alices: Console, alice_access: Access, ci: ApiKey, stopped: tuple[ApiKey, str]
    ) -> None:
        shared, own = make(alice_access, "Shared"), make(alice_access, "Own", stopped[0])
        for action in ("delete", "activation"):
            answer = alices.get(f"provider-keys/{shared.pk}/{action}/", into="dialog")
            assert consequences(answer) == [("1 API key loses OpenAI", ["ci"])]
            answer = alices.get(f"provider-keys/{own.pk}/{action}/", into="dialog")
            assert consequences(answer) == []
            assert "No working API key uses this key:" in text(answer)

        own.disable(alice_access)
        enabled = alices.post(f"provider-keys/{own.pk}/activation/?ask", {"to": "enabled"}, into="dialog")
        assert enabled.headers["HX-Redirect"] == alices.url("provider-keys/")

    def test_says_why_in_the_picker_and_can_be_ticked(
        self, alices: Console, alice_access: Access, ci: ApiKey, stopped: tuple[ApiKey, str]
    ) -> None:
        make(alice_access, "Shared")
        api_key, why = stopped
        for query in ({}, {"provider": "openai"}):
            page = text(alices.get("provider-keys/new/", **query))
            assert now_of(page, api_key) == why
            assert re.search(rf'<input type="checkbox" name="api_key_ids" value="{api_key.pk}" [^>]*>', page)
        assert now_of(page, ci) == "currently Shared"

        alices.post("provider-keys/new/", form_data(api_keys=[api_key]))
        assert ProviderKey.objects.get(name="Production").assigned_ids == {api_key.pk}


class TestAProviderThatTheGatewayDoesNotRouteYet:
    YET = "The gateway doesn’t route AWS Bedrock requests yet. Once it does, "

    def told(self, response: Any) -> list[str]:
        return re.findall(r"</div>\s*<p>(.*?)</p>", text(response), re.DOTALL)

    def bedrock(self, **more: Any) -> dict[str, Any]:
        return {"provider": "bedrock", "name": "Bedrock", "assign_to_organization": "on", **more}

    def test_a_save_says_what_holds_once_it_does(self, alices: Console, alice_access: Access, ci: ApiKey) -> None:
        first = alices.post(NEW, self.bedrock(), into="outlook")
        assert self.told(first) == [f"{self.YET}those of this API key run on this key, and are billed there."]

        key = regions.stored(alice_access)
        second = alices.post(NEW, self.bedrock(), into="outlook")
        assert self.told(second) == [
            f"{self.YET}{key.name} (organization-wide) stays first; this key serves when that one fails."
        ]

        own = self.bedrock(assign_to_organization="", api_key_ids=[ci.pk])
        assert self.told(alices.post(NEW, own, into="outlook")) == [
            f"{self.told(first)[0]} If this key fails, no other key is tried: the organization-wide ones don’t step in."
        ]

    def test_a_deletion_says_it_too(self, alices: Console, alice_access: Access, ci: ApiKey, staging: ApiKey) -> None:
        answer = alices.get(f"provider-keys/{regions.stored(alice_access).pk}/delete/", into="dialog")

        assert consequences(answer) == [("2 API keys lose AWS Bedrock", ["ci", "staging"])]
        assert self.told(answer) == [
            f"{self.YET}those of these API keys are refused. No other provider key serves them."
        ]

    def test_of_a_provider_that_it_routes_nothing_of_it_is_said(
        self, alices: Console, alice_access: Access, ci: ApiKey
    ) -> None:
        answer = alices.post(NEW, form_data(""), into="outlook")
        assert self.told(answer) == ["Its OpenAI requests run on this key, and are billed there."]

        answer = alices.get(f"provider-keys/{make(alice_access, 'Only').pk}/delete/", into="dialog")
        assert self.told(answer) == ["Its OpenAI requests are refused from then on. No other provider key serves it."]


def now_of(page: str, api_key: ApiKey) -> str:
    """What stands beside an API key's box."""
    found = re.search(rf'id="now-{api_key.pk}" title="([^"]*)">([^<]*)<', page)
    assert found
    assert found[1] == found[2]
    return found[1]


def test_nothing_is_said_where_nothing_changes_or_nothing_is_chosen(
    alices: Console, alice_access: Access, charlie_access: Access, ci: ApiKey
) -> None:
    theirs = sample.api_key(charlie_access, "theirs")
    for data in (
        {},
        form_data("", []),
        form_data("", [theirs]),
        {"provider": "nobody", "assign_to_organization": "on"},
    ):
        answer = alices.post(NEW, data, into="outlook")
        assert text(answer).strip() == ""
    key = make(alice_access, "Main")
    assert text(alices.post(f"{edit(key)}outlook/", edited(key), into="outlook")).strip() == ""


def test_its_headings_stand_under_its_own(alices: Console, alice_access: Access, ci: ApiKey) -> None:
    """By headings, the one who listens goes from “When you save” down to what happens then, and not out of it."""
    answer = text(alices.post(NEW, form_data("", [ci]), into="outlook"))

    assert re.findall(r"<h(\d)", answer) == ["3", "4"]


def test_an_edit_says_who_is_let_go(alices: Console, alice_access: Access, ci: ApiKey, staging: ApiKey) -> None:
    make(alice_access, "Production Key")
    key = make(alice_access, "Own", ci, staging)

    answer = alices.post(f"{edit(key)}outlook/", edited(key) | {"assign_to_organization": ""} | form_data("", [ci]))

    assert consequences(answer)[-1] == ("1 API key moves to Production Key", ["staging"])


def test_it_costs_six_queries_and_a_refused_form_shows_it_again(
    alices: Console, alice_access: Access, ci: ApiKey
) -> None:
    key = make(alice_access, "Production Key")
    for path in (NEW, f"{edit(key)}outlook/"):
        with CaptureQueriesContext(connection) as queries:
            assert alices.post(path, form_data("", [ci]), into="outlook").status_code == 200
        assert len(queries) <= 6

    refused = alices.post("provider-keys/new/", form_data("", [ci]), into="sheet")
    assert refused.status_code == 422
    assert ("1 API key moves to this key", ["ci"]) in consequences(refused)
