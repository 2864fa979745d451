"""What a row's menu does: disable, enable, move. What takes something away asks first, and says what the resolver says."""

import re
from typing import Any

import pytest

from organizations.access import Access
from organizations.models import ApiKey, AuditEvent
from providerkeys.models import ProviderKey
from tests.providerkeys import sample
from tests.providerkeys.conftest import Console, text
from tests.providerkeys.form import edit, edited, toasts
from tests.providerkeys.test_delete_views import consequences
from tests.providerkeys.test_list_views import names, row


def make(access: Access, name: str, *api_keys: ApiKey, provider: str = "openai") -> ProviderKey:
    return ProviderKey.create(access, provider, sample.draft(sample.FORMER, name, api_keys or None))


def activation(key: ProviderKey) -> str:
    return f"provider-keys/{key.pk}/activation/"


def position(key: ProviderKey) -> str:
    return f"provider-keys/{key.pk}/position/"


def actions() -> list[str]:
    done = ("provider_key.disabled", "provider_key.enabled", "provider_key.moved")
    return list(AuditEvent.objects.filter(action__in=done).order_by("at", "id").values_list("action", flat=True))


@pytest.fixture
def ci(alice_access: Access) -> ApiKey:
    return sample.api_key(alice_access, "ci")


class TestDisable:
    def test_says_first_that_an_api_key_of_its_own_is_refused_and_why(
        self, alices: Console, alice_access: Access, ci: ApiKey
    ) -> None:
        make(alice_access, "Shared")
        own = make(alice_access, "Own", ci)

        answer = alices.get(activation(own), into="dialog")

        assert consequences(answer) == [("1 API key loses OpenAI", ["ci"])]
        assert "organization-wide keys don’t step in where one is assigned" in text(answer)
        assert '<h1 id="dialog-title">Disable Own</h1>' in text(answer)
        assert sample.again(own).enabled

    def test_says_first_who_takes_over_and_on_whose_bill(
        self, alices: Console, alice_access: Access, ci: ApiKey
    ) -> None:
        first = make(alice_access, "First")
        make(alice_access, "Second")

        answer = alices.get(activation(first))

        assert consequences(answer) == [("1 API key moves to Second", ["ci"])]
        assert "Its OpenAI requests run on Second (organization-wide), and are billed there." in text(answer)

    def test_a_long_list_of_names_is_cut(self, alices: Console, alice_access: Access) -> None:
        for number in range(15):
            sample.api_key(alice_access, f"service {number:02d}")
        answer = alices.get(activation(make(alice_access, "Only")))

        ((headline, told),) = consequences(answer)
        assert headline == "15 API keys lose OpenAI"
        assert len(told) == 12
        assert "and 3 more" in text(answer)

    def test_happens_once_with_its_event_and_leads_back_to_the_page_one_came_from(
        self, alices: Console, alice_access: Access
    ) -> None:
        key = make(alice_access, "Main")
        headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{alices.url('provider-keys/')}?q=Main"}
        data = {"to": "disabled", "version": "1"}
        for _ in range(2):
            answer = alices.client.post(alices.url(activation(key)), data, headers=headers)
            assert answer.headers["HX-Redirect"] == alices.url("provider-keys/?q=Main")

        assert not sample.again(key).enabled
        assert actions() == ["provider_key.disabled"]
        assert toasts(alices) == ["Main was disabled.", "Main is disabled already."]

    def test_leads_to_the_list_alone_where_django_would_refuse_the_length_of_the_address(
        self, alices: Console, alice_access: Access
    ) -> None:
        key, there = make(alice_access, "Main"), alices.url("provider-keys/")
        headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{there}?q={'x' * 16_384}"}

        answer = alices.client.post(alices.url(activation(key)), {"to": "disabled", "version": "1"}, headers=headers)

        assert answer.headers["HX-Redirect"] == there
        assert not sample.again(key).enabled

    def test_is_asked_again_when_somebody_saved_meanwhile(
        self, alices: Console, alice_access: Access, ci: ApiKey, sent: list[str]
    ) -> None:
        key = make(alice_access, "Main")
        alices.post(edit(key), edited(key, name="Renamed"))

        for path, data in ((activation(key), {"to": "disabled"}), (f"provider-keys/{key.pk}/delete/", {})):
            answer = alices.post(path, {**data, "version": "1"}, into="sheet")
            assert answer.status_code == 409
            assert "You, in another tab, saved this key" in text(answer)
            assert 'name="version" value="2"' in text(answer)
            assert consequences(answer) == [("1 API key loses OpenAI", ["ci"])]
        assert sample.again(key).enabled
        assert actions() == []

        assert alices.post(activation(key), {"to": "disabled", "version": "2"}).status_code == 302
        assert not sample.again(key).enabled


class TestEnable:
    def test_asks_first_when_it_takes_over(self, alices: Console, alice_access: Access, ci: ApiKey) -> None:
        paused = make(alice_access, "Paused")
        make(alice_access, "Second")
        paused.disable(alice_access)

        answer = alices.post(activation(paused) + "?ask", {"to": "enabled"}, into="dialog")

        assert consequences(answer) == [("1 API key moves to this key", ["ci"])]
        assert answer.headers["HX-Retarget"] == "#dialog"
        assert not sample.again(paused).enabled

        alices.post(activation(paused), {"to": "enabled", "version": "1"}, into="sheet")
        assert sample.again(paused).enabled

    def test_happens_at_once_when_it_changes_nothing(self, alices: Console, alice_access: Access) -> None:
        paused = make(alice_access, "Paused")
        paused.disable(alice_access)

        answer = alices.post(activation(paused) + "?ask", {"to": "enabled"}, into="dialog")

        assert answer.headers["HX-Redirect"] == alices.url("provider-keys/")
        assert sample.again(paused).enabled
        assert toasts(alices) == ["Paused was enabled."]
        assert actions() == ["provider_key.disabled", "provider_key.enabled"]


class TestMove:
    def moves(self, console: Console, key: ProviderKey) -> dict[str, bool]:
        """The moves that a key's row offers, and whether they can be pressed."""
        found = re.findall(r"<button [^>]*value=\"(up|down)\"([^>]*)>", row(console.get("provider-keys/"), key))
        return {direction: " disabled" not in rest for direction, rest in found}

    def test_within_its_tier_alone(self, alices: Console, alice_access: Access, ci: ApiKey) -> None:
        a, own, b = make(alice_access, "a"), make(alice_access, "own", ci), make(alice_access, "b")
        other = make(alice_access, "other", provider="anthropic")

        answer = alices.post(position(b), {"move": "up"}, into="provider-keys")

        assert names(answer) == ["other", "b", "a", "own"]
        assert [sample.again(key).position for key in (a, own, b, other)] == [3, 2, 1, 1]
        assert actions() == ["provider_key.moved"]
        assert (
            "b moved up: for API keys with no OpenAI key of their own it is tried first, and billed. It is untested."
            in text(answer)
        )
        assert self.moves(alices, b) == {"up": False, "down": True}
        assert self.moves(alices, a) == {"up": True, "down": False}
        assert self.moves(alices, own) == self.moves(alices, other) == {}

    def test_without_script_the_list_says_it(self, alices: Console, alice_access: Access) -> None:
        make(alice_access, "a")

        answer = alices.post(position(make(alice_access, "b")), {"move": "up"})

        assert answer.headers["Location"] == alices.url("provider-keys/")
        assert toasts(alices) == [
            "b moved up: for API keys with no OpenAI key of their own it is tried first, and billed. It is untested."
        ]

    def test_is_said_in_its_answer_and_nowhere_again(self, alices: Console, alice_access: Access) -> None:
        make(alice_access, "a")

        answer = alices.post(position(make(alice_access, "b")), {"move": "up"}, into="provider-keys")

        assert (
            text(answer).count(
                "b moved up: for API keys with no OpenAI key of their own it is tried first, and billed. It is untested."
            )
            == 1
        )
        assert toasts(alices) == []
        assert "hx-swap-oob" not in text(alices.get("provider-keys/", into="provider-keys"))

    def test_ends_at_the_ends_of_the_tier(self, alices: Console, alice_access: Access, ci: ApiKey) -> None:
        key = make(alice_access, "a")
        make(alice_access, "own", ci)

        for direction in ("up", "down"):
            answer = alices.post(position(key), {"move": direction}, into="provider-keys")
            assert f"a can’t move {direction} any further." in text(answer)
        assert actions() == []

    @pytest.mark.parametrize(
        ("verdict", "said"),
        [
            ("valid", ""),
            ("limited", " Its last test found it limited."),
            ("invalid", " It failed its last test."),
            ("forbidden", " It failed its last test."),
        ],
    )
    def test_says_what_is_known_of_whom_it_bills(
        self, alices: Console, alice_access: Access, ci: ApiKey, verdict: str, said: str
    ) -> None:
        staging = sample.api_key(alice_access, "staging")
        make(alice_access, "a", staging)
        b = make(alice_access, "b", ci, staging)
        ProviderKey.objects.filter(pk=b.pk).update(verdict=verdict)

        answer = text(alices.post(position(b), {"move": "up"}, into="provider-keys"))

        assert f"b moved up: it is tried first for staging, and billed.{said}" in answer
        assert f'<span data-moved="{b.pk}">' in answer
        assert ("toast__line tone-amber" in answer) is (verdict in {"invalid", "forbidden"})
        assert ("toast__line tone-green" in answer) is (verdict in {"valid", "limited"})

    def test_where_a_failing_key_stands_alone_a_move_is_no_warning(
        self, alices: Console, alice_access: Access, ci: ApiKey
    ) -> None:
        make(alice_access, "a", sample.api_key(alice_access, "staging"))
        b = make(alice_access, "b", ci)
        ProviderKey.objects.filter(pk=b.pk).update(verdict="invalid")

        answer = text(alices.post(position(b), {"move": "up"}, into="provider-keys"))

        assert "b moved up.</span>" in answer
        assert "toast__line tone-green" in answer

    def test_over_the_end_of_a_page_the_page_goes_with_it(
        self, alices: Console, alice_access: Access, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("providerkeys.views.listing.PAGE_SIZE", 2)
        keys = {name: make(alice_access, name) for name in "abcd"}

        down = alices.post(position(keys["b"]), {"move": "down"}, into="provider-keys")
        assert names(down) == ["b", "d"]
        there = down.headers["HX-Replace-Url"]
        assert names(alices.client.get(there)) == ["b", "d"]

        headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{there}"}
        up = alices.client.post(alices.url(position(keys["b"])), {"move": "up"}, headers=headers)
        assert names(up) == ["a", "b"]

    def test_up_passes_whoever_is_tried_before_it_and_changes_nothing_for_others(
        self, alices: Console, alice_access: Access
    ) -> None:
        ci, staging = sample.api_key(alice_access, "ci"), sample.api_key(alice_access, "staging")
        first = make(alice_access, "first of ci", ci)
        for name in ("one of staging", "two of staging"):
            make(alice_access, name, staging)
        other = make(alice_access, "other provider", ci, provider="anthropic")
        last = make(alice_access, "last of ci", ci)

        answer = alices.post(position(last), {"move": "up"}, into="provider-keys")

        assert "last of ci moved up: for ci it is tried first, and billed. It is untested." in text(answer)
        order = list(ProviderKey.objects.filter(provider="openai").order_by("position").values_list("name", flat=True))
        assert order == ["last of ci", "first of ci", "one of staging", "two of staging"]
        assert ProviderKey.objects.get(pk=other.pk).position == other.position
        assert sorted(ProviderKey.objects.values_list("position", flat=True)) == [1, 1, 2, 3, 4]

        answer = alices.post(position(last), {"move": "down"}, into="provider-keys")
        assert "last of ci moved down: for ci it is tried only when first of ci fails. It is untested." in text(answer)
        assert ProviderKey.objects.get(pk=first.pk).position == first.position

    def test_a_disabled_key_is_no_rival_and_without_any_the_next_one_is_passed(
        self, alices: Console, alice_access: Access
    ) -> None:
        ci, staging = sample.api_key(alice_access, "ci"), sample.api_key(alice_access, "staging")
        paused = make(alice_access, "paused", ci)
        make(alice_access, "of staging", staging)
        last = make(alice_access, "last", ci)
        paused.disable(alice_access)

        alices.post(position(last), {"move": "up"}, into="provider-keys")

        assert list(ProviderKey.objects.order_by("position").values_list("name", flat=True)) == [
            *("paused", "last", "of staging")
        ]

    @pytest.mark.parametrize("move", ["", "sideways", "UP"])
    def test_nothing_else_is_a_move(self, alices: Console, alice_access: Access, move: str) -> None:
        assert alices.post(position(make(alice_access, "a")), {"move": move}).status_code == 400

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.database
    def test_many_at_once_keep_positions_unique(self, alice_access: Access) -> None:
        keys = [make(alice_access, name) for name in "abcd"]
        jobs = [lambda key=key, way=way: key.move(alice_access, way) for key in keys for way in ("up", "down")]

        assert [one for one in sample.at_once(*jobs) if isinstance(one, Exception)] == []
        assert sorted(ProviderKey.objects.values_list("position", flat=True)) == [1, 2, 3, 4]


class TestWho:
    def test_members_see_no_such_item_and_strangers_no_such_key(
        self, alices: Console, danas: Console, charlies: Console, alice_access: Access
    ) -> None:
        key = make(alice_access, "a")
        make(alice_access, "b")
        posts: list[tuple[str, dict[str, Any]]] = [
            (activation(key), {"to": "disabled"}),
            (position(key), {"move": "down"}),
        ]
        for path, data in posts:
            assert danas.post(path, data).status_code == 403
            assert charlies.post(path, data).status_code == 404
        assert alices.get(position(key)).status_code == 405
        assert actions() == []
        assert [(one.enabled, one.position) for one in ProviderKey.objects.order_by("name")] == [(True, 1), (True, 2)]
        page = text(danas.get("provider-keys/"))
        for word in ("Disable</", "Move up", "Move down", "activation/", "position/"):
            assert word not in page
            assert word in text(alices.get("provider-keys/"))
