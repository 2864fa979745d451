"""What is done to an API key that there is: edited, rotated, disabled, enabled, deleted; what each asks and says first."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from organizations.access import Access
from organizations.models import ApiKey, AuditEvent, Membership, Role, User
from organizations.models.api_key import GRACE
from providerkeys.models import ProviderKey
from tests.cast import client_for
from tests.providerkeys import sample
from tests.providerkeys.conftest import Console, text
from tests.providerkeys.form import toasts
from tests.providerkeys.test_api_key_views import plaintext_in, words

NOW = timezone.now()


@pytest.fixture
def api_key(alice_access: Access) -> ApiKey:
    return sample.api_key(alice_access, "ci")


@pytest.fixture
def elsewhere(dana: User) -> Console:
    """The browser of another Admin of Acme."""
    Membership.objects.filter(user=dana).update(role=Role.ADMIN)
    return Console(client_for(dana))


def at(api_key: ApiKey, what: str = "") -> str:
    return f"api-keys/{api_key.pk}/{what}"


def done(*actions: str) -> bool:
    """Whether these actions, and no others, were done since the API key was made."""
    known = AuditEvent.objects.filter(action__startswith="api_key.").exclude(action="api_key.created")
    return list(known.order_by("at").values_list("action", flat=True)) == list(actions)


def again(api_key: ApiKey) -> ApiKey:
    return ApiKey.objects.get(pk=api_key.pk)


class TestRotation:
    @pytest.mark.parametrize(("verdict", "shown"), [("invalid", True), ("valid", False)])
    def test_says_of_the_key_that_serves_it_what_is_worth_knowing(
        self, alices: Console, alice_access: Access, api_key: ApiKey, verdict: str, shown: bool
    ) -> None:
        key = sample.stored(alice_access)
        ProviderKey.objects.filter(pk=key.pk).update(verdict=verdict, reason="key_unknown" if shown else "")
        answer = text(alices.post(at(api_key, "rotation/"), {"version": "1", "old_ends": "later"}))
        assert ("<span>Failing</span>" in answer) is shown

    @pytest.mark.parametrize("into", [None, "main"])
    @pytest.mark.parametrize(("old_ends", "grace"), [("later", GRACE), ("now", timedelta())])
    def test_shows_the_new_key_once_and_says_when_the_old_one_stops(
        self, alices: Console, api_key: ApiKey, into: str | None, old_ends: str, grace: timedelta
    ) -> None:
        answer = alices.post(at(api_key, "rotation/"), {"version": "1", "old_ends": old_ends}, into=into)

        plaintext, found = plaintext_in(answer), again(api_key)
        assert ApiKey.find(plaintext) == api_key
        assert found.hint == f"byok_…{plaintext[-4:]}" != api_key.hint
        assert abs((found.former_ends_at or NOW) - timezone.now() - grace) < timedelta(minutes=1)
        assert re.search(rf'<input type="text"[^>]*value="{plaintext}"[^>]*readonly', text(answer))
        assert api_key.hint in text(answer)
        assert ("has stopped" in text(answer)) is (old_ends == "now")
        assert "no-store" in answer.headers["Cache-Control"]
        if into:
            assert answer.headers["HX-Replace-Url"] == alices.url(at(api_key))
        for path in ("api-keys/", at(api_key), at(api_key, "rotation/")):
            assert not plaintext_in(alices.get(path))
        assert done("api_key.rotated")

    @pytest.mark.parametrize("old_ends", ["later", "now"])
    def test_leads_to_stopping_the_old_key_while_it_is_accepted(
        self, alices: Console, api_key: ApiKey, old_ends: str
    ) -> None:
        shown = text(alices.post(at(api_key, "rotation/"), {"version": "1", "old_ends": old_ends}, into="main"))

        # In a new tab: the only page that holds the new key stays.
        there = (
            f'<a href="{alices.url(at(api_key, "former/"))}" target="_blank" rel="noopener">Stop the old key now</a>'
        )
        assert (there in shown) is (old_ends == "later")
        assert ("Stop the old key" in shown) is (old_ends == "later")
        asked = text(alices.get(at(api_key, "former/")))
        assert ("Programs that still send the old key get 401" in asked) is (old_ends == "later")

    def test_without_script_a_reload_makes_no_second_one(self, alices: Console, api_key: ApiKey) -> None:
        press = {"version": "1", "old_ends": "now"}
        first = alices.post(at(api_key, "rotation/"), press)

        reloaded = alices.post(at(api_key, "rotation/"), press)

        assert plaintext_in(first)
        assert reloaded.headers["Location"] == alices.url(at(api_key))
        assert "You rotated this API key already" in text(alices.client.get(reloaded.headers["Location"]))
        assert again(api_key).version == 2

    def test_is_refused_to_who_has_not_seen_that_somebody_else_did_it(
        self, alices: Console, elsewhere: Console, api_key: ApiKey
    ) -> None:
        assert plaintext_in(elsewhere.post(at(api_key, "rotation/"), {"version": "1", "old_ends": "later"}))

        refused = alices.post(at(api_key, "rotation/"), {"version": "1", "old_ends": "now"}, into="main")

        assert refused.status_code == 409
        assert "Dana (dana@acme.example) rotated it" in words(text(refused))
        assert "is still accepted from the last rotation. Rotating again stops it at once." in words(text(refused))
        assert re.search(r'value="now"[^>]* checked', text(refused))
        assert again(api_key).version == 2
        shown = re.search(r'name="version" value="(\d+)"', text(refused))
        assert shown
        assert plaintext_in(alices.post(at(api_key, "rotation/"), {"version": shown[1], "old_ends": "now"}))

    @pytest.mark.parametrize("data", [{"version": "1"}, {"version": "1", "old_ends": "soon"}, {"old_ends": "now"}])
    def test_wants_to_know_when_the_old_one_stops(self, alices: Console, api_key: ApiKey, data: dict[str, str]) -> None:
        answer = alices.post(at(api_key, "rotation/"), data)

        assert answer.status_code == 422
        assert 'role="alert"' in text(answer)
        assert done()


class TestStopTheOldKey:
    @pytest.fixture
    def rotated(self, alice_access: Access, api_key: ApiKey) -> ApiKey:
        api_key.rotate_secret(alice_access, 1, GRACE)
        return api_key

    def stop(self, console: Console, api_key: ApiKey, version: str = "2") -> HttpResponse:
        answer = console.post(at(api_key, "former/"), {"version": version})
        assert isinstance(answer, HttpResponse)
        return answer

    def test_is_asked_first_with_what_it_means(self, alices: Console, danas: Console, rotated: ApiKey) -> None:
        assert f'href="/orgs/acme/{at(rotated, "former/")}"' in text(alices.get(at(rotated)))
        assert "Stop the old key now" not in text(danas.get(at(rotated)))

        asked = text(alices.get(at(rotated, "former/"), into="dialog"))

        assert "<html" not in asked
        assert "Programs that still send the old key get 401" in asked
        assert f'<span class="mono">{rotated.former_hint}</span>' in asked
        assert f'<span class="mono">{rotated.hint}</span>' in asked
        assert "Neither of the two was ever used." in asked
        assert ApiKey.objects.get().is_rotating()
        assert done("api_key.rotated")

    def test_is_headed_by_the_old_key_and_no_other_question_is(self, alices: Console, rotated: ApiKey) -> None:
        def head(what: str) -> str:
            found = re.search(r'<div class="sheet__head">(.*?)<button', text(alices.get(at(rotated, what))), re.DOTALL)
            assert found
            return words(found[1])

        assert head("former/") == f"Stop the old key of ci {rotated.former_hint}"
        for what, title in (("delete/", "Delete ci"), ("activation/", "Disable ci"), ("edit/", "Edit ci")):
            assert head(what) == f"{title} {rotated.hint} · never used"
        ApiKey.objects.update(former_hint="")
        assert head("former/") == "Stop the old key of ci"

    def test_stops_it_and_leaves_the_new_one(self, alices: Console, rotated: ApiKey) -> None:
        answer = self.stop(alices, rotated)

        assert answer.headers["Location"] == f"/orgs/acme/{at(rotated)}"
        page = text(alices.get(at(rotated)))
        assert "has stopped: programs that still use it get 401 within 5\N{NO-BREAK SPACE}s." in page
        assert "Stop the old key now" not in page
        after = ApiKey.objects.get()
        assert not after.is_rotating()
        assert (after.hint, after.digest, after.enabled) == (rotated.hint, rotated.digest, True)
        assert done("api_key.rotated", "api_key.former_ended")

    def test_a_press_that_nothing_was_asked_before_stops_nothing(self, alices: Console, rotated: ApiKey) -> None:
        assert alices.post(at(rotated, "former/")).status_code == 422
        assert ApiKey.objects.get().is_rotating()

    def test_never_stops_another_one_than_was_asked_about(
        self, alices: Console, alice_access: Access, rotated: ApiKey
    ) -> None:
        """What was the present key then is the old one by now, and may be what every program sends."""
        rotated.rotate_secret(alice_access, 2, GRACE)

        answer = self.stop(alices, rotated, version="2")

        assert answer.status_code == 409
        assert "You, in another tab, rotated it" in text(answer)
        assert rotated.former_hint in text(answer)
        assert ApiKey.objects.get().is_rotating()
        assert self.stop(alices, rotated, version="3").status_code == 302
        assert not ApiKey.objects.get().is_rotating()

    def test_one_that_was_stopped_by_another_rotation_has_stopped(
        self, alices: Console, alice_access: Access, rotated: ApiKey
    ) -> None:
        rotated.rotate_secret(alice_access, 2, timedelta())

        assert self.stop(alices, rotated, version="2").status_code == 302
        assert "has no old key that is still accepted." in text(alices.get(at(rotated)))
        assert done("api_key.rotated", "api_key.rotated")

    def test_a_second_press_records_nothing(self, alices: Console, rotated: ApiKey) -> None:
        for _ in range(2):
            assert self.stop(alices, rotated).status_code == 302
        assert "has no old key that is still accepted." in text(alices.get(at(rotated)))
        assert done("api_key.rotated", "api_key.former_ended")

    def test_where_there_is_none_nothing_is_asked(self, alices: Console, api_key: ApiKey) -> None:
        answer = alices.get(at(api_key, "former/"))

        assert answer.headers["Location"] == f"/orgs/acme/{at(api_key)}"
        assert "has no old key that is still accepted." in text(alices.get(at(api_key)))


class TestEdit:
    def test_renames_and_keeps_the_rest(self, alices: Console, alice_access: Access) -> None:
        api_key, _ = ApiKey.issue(alice_access, "ci", NOW + timedelta(days=3))
        form = text(alices.get(at(api_key, "edit/"), into="dialog"))
        assert "<html" not in form
        assert 'value="ci"' in form
        assert re.search(r'<option value="keep" selected>As it is: Expires 20', form)
        # Whoever looks for the assignment here is led to it.
        assert '<a href="/orgs/acme/provider-keys/" target="_blank">BYOK</a>' in form

        answer = alices.post(
            at(api_key, "edit/"), {"name": "<build>", "expiration": "keep", "version": "1"}, into="sheet"
        )

        assert answer.headers["HX-Redirect"] == alices.url(at(api_key))
        found = again(api_key)
        assert (found.name, found.expires_at, found.hint) == ("<build>", api_key.expires_at, api_key.hint)
        assert "&lt;build&gt; was saved." in text(alices.get(at(api_key)))
        assert AuditEvent.objects.get(action="api_key.updated").details["changed"] == ["name"]

    def test_into_the_name_of_another_is_pointed_out(
        self, alices: Console, alice_access: Access, charlie_access: Access, api_key: ApiKey
    ) -> None:
        for access, name in ((alice_access, "taken"), (charlie_access, "theirs")):
            sample.api_key(access, name)

        def edit(name: str, expiration: str, version: int) -> list[str]:
            given = {"name": name, "expiration": expiration, "version": str(version)}
            assert alices.post(at(api_key, "edit/"), given, into="sheet").status_code == 200
            return toasts(alices)

        warning = "Another API key is called taken too. Rename one to tell them apart."
        assert edit("taken", "", 1) == ["taken was saved.", warning]
        # Said where it is done, and of this organization alone.
        assert edit("taken", "30", 2) == ["taken was saved."]
        assert edit("theirs", "30", 3) == ["theirs was saved."]
        assert edit("Taken", "30", 4) == ["Taken was saved."]

    def test_whose_renaming_was_refused_hears_of_no_other(
        self, alices: Console, elsewhere: Console, alice_access: Access, api_key: ApiKey
    ) -> None:
        sample.api_key(alice_access, "taken")
        elsewhere.post(at(api_key, "edit/"), {"name": "taken", "version": "1"})

        for data in ({"name": "mine", "version": "1"}, {"name": "", "version": "2"}):
            alices.post(at(api_key, "edit/"), data, into="sheet")

        assert toasts(alices) == []

    def test_gives_another_end_or_none(self, alices: Console, alice_access: Access) -> None:
        api_key, _ = ApiKey.issue(alice_access, "ci", NOW - timedelta(days=3))
        assert "As it is: Expired" in text(alices.get(at(api_key, "edit/")))
        for version, expiration in (("1", "30"), ("2", "")):
            data = {"name": "ci", "expiration": expiration, "version": version}
            assert alices.post(at(api_key, "edit/"), data).headers["Location"] == alices.url(at(api_key))
            assert again(api_key).is_usable()
        assert again(api_key).expires_at is None

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            ({"name": ""}, "Give the key a name."),
            ({"expiration": "date", "expires_on": "2020-01-01"}, "Choose a date between today and ten years from now."),
            ({"expiration": "keep"}, "Choose when the key ends from the list."),
            ({"version": "x"}, "This form is out of date."),
        ],
    )
    def test_refuses_what_is_wrong_and_keeps_it(
        self, alices: Console, api_key: ApiKey, data: dict[str, str], sentence: str
    ) -> None:
        answer = alices.post(at(api_key, "edit/"), {"name": "kept", "version": "1", **data}, into="sheet")

        assert answer.status_code == 422
        assert sentence in text(answer)
        assert ('value="kept"' in text(answer)) is (data.get("name") is None)
        assert done()

    def test_says_who_was_first_and_keeps_what_was_typed(
        self, alices: Console, elsewhere: Console, api_key: ApiKey
    ) -> None:
        elsewhere.post(at(api_key, "edit/"), {"name": "theirs", "expiration": "30", "version": "1"})

        refused = alices.post(at(api_key, "edit/"), {"name": "mine", "expiration": "", "version": "1"}, into="sheet")

        assert refused.status_code == 409
        assert "Dana (dana@acme.example) changed its name and changed its expiration" in words(text(refused))
        assert 'value="mine"' in text(refused)
        assert 'name="version" value="2"' in text(refused)
        assert again(api_key).name == "theirs"


class TestActivation:
    def test_asks_first_and_says_what_happens(self, alices: Console, alice_access: Access, api_key: ApiKey) -> None:
        sample.stored(alice_access, api_keys=[api_key])
        ApiKey.objects.update(last_used_at=timezone.now() - timedelta(minutes=3, seconds=5))

        asked = words(text(alices.get(at(api_key, "activation/"), into="dialog")))

        assert "Programs using it get 401 within 5&nbsp;s It was last used 3 min ago." in asked
        assert "1 provider key serves nobody meanwhile Production: assigned to this API key alone." in asked
        assert done()

    def test_disables_and_enables(self, alices: Console, api_key: ApiKey) -> None:
        for to, word in (("disabled", "Disabled"), ("enabled", "Active"), ("enabled", "Active")):
            answer = alices.post(at(api_key, "activation/"), {"to": to})
            assert answer.headers["Location"] == alices.url(at(api_key))
            page = text(alices.get(at(api_key)))
            assert f"<span>{word}</span>" in page
        assert "ci is enabled already." in page
        assert '<h1 id="dialog-title">Disable ci</h1>' in text(alices.get(at(api_key, "activation/")))
        assert done("api_key.disabled", "api_key.enabled")

    def test_from_the_list_one_is_back_on_the_list(self, alices: Console, api_key: ApiKey) -> None:
        current = f"http://testserver{alices.url('api-keys/')}?q=c"
        headers = {"HX-Request": "true", "HX-Current-URL": current}
        answer = alices.client.post(alices.url(at(api_key, "activation/")), {"to": "disabled"}, headers=headers)
        assert answer.headers["HX-Redirect"] == alices.url("api-keys/")


class TestDeletion:
    def delete(self, console: Console, api_key: ApiKey, **typed: str) -> Any:
        return console.post(at(api_key, "delete/"), {"version": "1", **typed}, into="sheet")

    def test_of_an_unused_key_says_what_is_left_behind(
        self, alices: Console, alice_access: Access, api_key: ApiKey
    ) -> None:
        other = sample.api_key(alice_access, "other")
        alone = sample.stored(alice_access, api_keys=[api_key])
        shared = sample.stored(alice_access, api_keys=[api_key, other])

        asked = words(text(alices.get(at(api_key, "delete/"), into="dialog")))
        assert "It was never used." in asked
        assert "1 provider key serves nobody any more" in asked
        assert "confirmation" not in asked
        answer = self.delete(alices, api_key)

        assert answer.headers["HX-Redirect"] == alices.url("api-keys/")
        assert list(ApiKey.objects.all()) == [other]
        left = {key.pk: key for key in ProviderKey.objects.prefetch_related("assignments")}
        assert (left[alone.pk].assigned_ids, left[shared.pk].assigned_ids) == (frozenset(), frozenset({other.pk}))
        assert done("api_key.deleted")

    @pytest.mark.parametrize("typed", [{}, {"confirmation": "c"}, {"confirmation": "CI"}, {"confirmation": "\0"}])
    def test_of_a_key_in_use_wants_its_name(self, alices: Console, api_key: ApiKey, typed: dict[str, str]) -> None:
        ApiKey.objects.update(last_used_at=timezone.now() - timedelta(hours=23))
        assert 'name="confirmation"' in text(alices.get(at(api_key, "delete/")))

        refused = self.delete(alices, api_key, **typed)

        assert refused.status_code == 422
        assert 'aria-invalid="true"' in text(refused)
        assert "Nothing was deleted." in text(refused)
        assert done()
        assert self.delete(alices, api_key, confirmation=" ci ").headers["HX-Redirect"]
        assert done("api_key.deleted")

    def test_of_a_key_that_was_used_two_days_ago_does_not(self, alices: Console, api_key: ApiKey) -> None:
        ApiKey.objects.update(last_used_at=timezone.now() - timedelta(hours=25))
        assert 'name="confirmation"' not in text(alices.get(at(api_key, "delete/")))
        assert self.delete(alices, api_key).headers["HX-Redirect"]

    def test_says_who_changed_it_meanwhile(self, alices: Console, elsewhere: Console, api_key: ApiKey) -> None:
        elsewhere.post(at(api_key, "edit/"), {"name": "wanted", "version": "1"})

        refused = self.delete(alices, api_key)

        assert refused.status_code == 409
        assert "Dana (dana@acme.example) changed its name" in words(text(refused))
        assert again(api_key).name == "wanted"


def test_the_menu_holds_what_each_may_do(alices: Console, danas: Console, api_key: ApiKey) -> None:
    def items(console: Console) -> list[str]:
        found = re.findall(r'role="menuitem"[^>]*>(.*?)</a>', text(console.get("api-keys/")), re.DOTALL)
        return [words(item) for item in found]

    assert items(alices) == ["Details", "Edit", "Rotate", "Disable", "Delete"]
    assert items(danas) == ["Details"]
    ApiKey.objects.update(enabled=False)
    assert items(alices)[3] == "Enable"
