"""API keys: their list, the one moment in which a new one can be seen, and which provider keys serve each."""

import re
from collections.abc import Sequence
from datetime import timedelta
from html import unescape
from typing import Any, Final

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organizations.access import Access
from organizations.models import ApiKey, AuditEvent, User
from providerkeys import vault
from providerkeys.models import KeyAssignment, ProviderKey, grant
from providerkeys.models.assignment import ForeignAssignment
from providerkeys.providers import registry
from providerkeys.providers.base import CredentialKind
from providerkeys.resolver import Scope, resolve
from providerkeys.views.answers import Answer, resolvable_keys
from providerkeys.views.api_key_serving import keys_around, keys_for, line_length
from tests.cast import client_for
from tests.fakeproviders import samples
from tests.providerkeys import regions, sample
from tests.providerkeys.conftest import Console, text

LIST, NEW = "api-keys/", "api-keys/new/"
NOW = timezone.now()
STATES = ("Active", "Expires soon", "Expired", "Disabled", "Rotating")


def names(response: Any) -> list[str]:
    return re.findall(r'<div class="table__name"><a [^>]*>(.*?)</a>', text(response))


def link(response: Any, rel: str) -> str:
    found = re.search(rf'<a class="button" href="([^"]*)" rel="{rel}"', text(response))
    return unescape(found[1]) if found else ""


def special_key(access: Access) -> ProviderKey:
    """An OpenAI key that serves one API key, called other."""
    return ProviderKey.create(
        access, "openai", sample.draft(sample.FORMER, "Special", [sample.api_key(access, "other")])
    )


def many(access: Access, number: int) -> list[ApiKey]:
    """Store that many API keys, without the cost of issuing each."""
    made = [
        ApiKey(organization=access.organization, name=f"Service {place:04d}", lookup=f"{place:012d}", digest="0" * 64)
        for place in range(number)
    ]
    return ApiKey.objects.bulk_create(made)


def crowd(access: Access, api_keys: Sequence[ApiKey], number: int) -> None:
    """Store that many provider keys in every state: of each provider, tier and assignment some that can serve or can't."""
    slugs = [provider.slug for provider in registry.all()]
    keys = ProviderKey.objects.bulk_create(
        ProviderKey(
            organization=access.organization,
            provider=slugs[place % len(slugs)],
            name=f"Key {place}",
            scope=Scope.API_KEYS if place % 3 else Scope.ORGANIZATION,
            position=(place * 7919) % 10_007,
            enabled=place % 5 > 1,
            unreadable_at=None if place % 7 else NOW,
        )
        for place in range(number)
    )
    KeyAssignment.objects.bulk_create(
        KeyAssignment(provider_key=key, api_key=api_keys[(place + extra) % len(api_keys)])
        for place, key in enumerate(keys)
        if place % 3 == 1
        for extra in range(2)
    )


def plaintext_in(response: Any) -> str:
    found = re.search(r"byok_[0-9A-Za-z]{40,}", text(response))
    return found[0] if found else ""


def press_of(response: Any) -> str:
    found = re.search(r'name="press" value="([0-9a-f]{32})"', text(response))
    assert found
    return found[1]


def words(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", markup).split())


def serving(response: Any, api_key: ApiKey) -> str:
    """What the list says of the provider keys that serve an API key."""
    found = re.search(rf'id="row-{api_key.pk}".*?<td class="api-keys__serving.*?>(.*?)</td>', text(response), re.DOTALL)
    assert found
    return words(found[1])


def answer_for(response: Any, provider: str) -> tuple[str, str]:
    """Names and reason that the detail page shows for one provider."""
    for item in re.findall(r"<li>(.*?)</li>", text(response), re.DOTALL):
        if f"<span>{provider}</span>" in item:
            parts = re.findall(r'<p class="answers__(?:names|why)">(.*?)</p>', item, re.DOTALL)
            names, why = (re.sub(r'<span class="badge.*?</span></span>', "", part, flags=re.DOTALL) for part in parts)
            return words(names), words(why)
    raise AssertionError(provider)


def offered(response: Any, provider: str) -> str:
    """What the page of a new key says of who serves it at one provider, choices aside."""
    [item] = [
        one for one in re.findall(r"<li>(.*?)</li>", text(response), re.DOTALL) if f"<span>{provider}</span>" in one
    ]
    return words(" ".join(re.findall(r'<p class="(?:answers__names|offers__why)">(.*?)</p>', item, re.DOTALL)))


class TestCreate:
    @pytest.mark.parametrize("into", [None, "main"])
    def test_shows_the_key_in_this_answer_and_never_again(self, alices: Console, into: str | None) -> None:
        answer = alices.post(NEW, {"name": "ci", "expiration": ""}, into=into)

        api_key = ApiKey.objects.get()
        plaintext = plaintext_in(answer)
        assert ApiKey.find(plaintext) == api_key
        assert "no-store" in answer.headers["Cache-Control"]
        assert re.search(rf'<input type="text"[^>]*value="{plaintext}"[^>]*readonly', text(answer))
        for path in (LIST, NEW, f"api-keys/{api_key.pk}/", "provider-keys/"):
            assert not plaintext_in(alices.get(path))
        assert AuditEvent.objects.filter(action="api_key.created").count() == 1

    @pytest.mark.parametrize("into", [None, "main"])
    def test_leads_on_to_its_use_and_writes_the_key_nowhere_but_in_its_field(
        self, alices: Console, into: str | None
    ) -> None:
        response = alices.post(NEW, {"name": "ci"}, into=into)

        api_key, own, answer = ApiKey.objects.get(), plaintext_in(response), text(response)
        there = alices.url(f"api-keys/{api_key.pk}/")
        # In a new tab: the only page that holds the key stays.
        assert f'<a href="{there}#use" target="_blank" rel="noopener">See examples to copy</a>' in answer
        assert '<h2 id="use">' in text(alices.get(f"api-keys/{api_key.pk}/"))
        assert f"<code>{settings.GATEWAY_URL}/v1</code>" in answer
        assert answer.count(own) == answer.count(own[5:]) == 1
        assert f'<input type="text" id="api-key" value="{own}"' in answer

    @pytest.mark.parametrize("into", [None, "main"])
    def test_says_where_another_bears_its_name(
        self, alices: Console, alice_access: Access, charlie_access: Access, into: str | None
    ) -> None:
        for access, name in ((alice_access, "taken"), (charlie_access, "theirs")):
            sample.api_key(access, name)
        warning = "Another API key is called taken too. Rename one to tell them apart."

        answer = text(alices.post(NEW, {"name": " taken "}, into=into))

        assert answer.count(warning) == 1
        assert answer.index('id="main"') < answer.index(warning)
        for name in ("theirs", "Taken", "new"):
            assert "Another API key" not in text(alices.post(NEW, {"name": name}, into=into))
        key = ApiKey.objects.filter(name="taken").first()
        assert key
        rotated = alices.post(f"api-keys/{key.pk}/rotation/", {"version": "1", "old_ends": "now"})
        assert plaintext_in(rotated)
        assert "Another API key" not in text(rotated)

    def test_keeps_it_nowhere(self, alices: Console) -> None:
        plaintext = plaintext_in(alices.post(NEW, {"name": "ci"}))

        assert plaintext[5:] not in str(dict(alices.client.session.items()))
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{table}"')
                assert plaintext[17:-6] not in str(cursor.fetchall()), table

    def test_with_script_the_address_becomes_the_keys_own(self, alices: Console) -> None:
        answer = alices.post(NEW, {"name": "ci"}, into="main")

        assert answer.headers["HX-Replace-Url"] == alices.url(f"api-keys/{ApiKey.objects.get().pk}/")

    def test_without_script_a_reload_sends_the_same_press_and_makes_no_second_key(self, alices: Console) -> None:
        data = {"name": "ci", "expiration": "", "press": press_of(alices.get(NEW))}
        first = alices.post(NEW, data)

        reloaded = alices.post(NEW, data)

        assert plaintext_in(first)
        assert reloaded.headers["Location"] == alices.url(f"api-keys/{ApiKey.objects.get().pk}/")
        assert "made by your first press" in text(alices.client.get(reloaded.headers["Location"]))

    def test_a_press_makes_no_second_key_when_its_first_one_was_deleted(
        self, alices: Console, alice_access: Access
    ) -> None:
        data = {"name": "ci", "expiration": "", "press": press_of(alices.get(NEW))}
        alices.post(NEW, data)
        ApiKey.objects.get().delete_by(alice_access)

        assert alices.post(NEW, data).headers["Location"] == alices.url(LIST)
        assert not ApiKey.objects.exists()

    def test_a_form_that_a_browser_kept_and_somebody_filled_in_anew_makes_another_key(self, alices: Console) -> None:
        press = press_of(alices.get(NEW))
        for data in ({"name": "ci"}, {"name": "staging"}, {"name": "ci", "expiration": "30"}):
            assert plaintext_in(alices.post(NEW, {"press": press, **data}))

        assert ApiKey.objects.count() == 3

    def test_a_press_is_nobody_elses(self, alices: Console, charlie: User) -> None:
        press = press_of(alices.get(NEW))
        for console in (alices, Console(client_for(charlie), "globex")):
            assert plaintext_in(console.post(NEW, {"name": "ci", "press": press}))

        mine, theirs = ApiKey.objects.order_by("organization__slug")
        assert mine.organization != theirs.organization
        assert press not in mine.pk + theirs.pk

    def test_another_press_makes_another_key(self, alices: Console) -> None:
        for _ in range(12):
            assert plaintext_in(alices.post(NEW, {"name": "ci", "press": press_of(alices.get(NEW))}))

        assert ApiKey.objects.count() == 12

    def test_expires_when_it_was_told_to(self, alices: Console) -> None:
        answer = alices.post(NEW, {"name": "ci", "expiration": "30"})

        left = (ApiKey.objects.get().expires_at or timezone.now()) - timezone.now()
        assert timedelta(days=29) < left <= timedelta(days=30)
        assert "Expires" in text(answer)

    @pytest.mark.parametrize(
        "data", [{"name": ""}, {"name": "x" * 101}, {"name": "a\nb"}, {"name": "ci", "expiration": "7"}]
    )
    def test_refuses_what_makes_no_key(self, alices: Console, data: dict[str, str]) -> None:
        for into in (None, "main"):
            answer = alices.post(NEW, data, into=into)

            assert answer.status_code == 422
            assert 'role="alert"' in text(answer)
            assert ("<html" in text(answer)) is (into is None)
        assert answer.headers["HX-Retarget"] == answer.headers["HX-Reselect"] == "#api-key-form"
        assert not ApiKey.objects.exists()

    def test_shows_who_serves_it_without_an_assignment_and_what_can_be_assigned(
        self, alices: Console, alice_access: Access
    ) -> None:
        sample.stored(alice_access)
        special = special_key(alice_access)

        page = text(alices.get(NEW))

        assert words(re.findall(r'<p class="answers__names">(.*?)</p>', page, re.DOTALL)[0]) == "Production Untested"
        assert re.findall(r'name="provider_key_ids" value="(\w+)"', page) == [special.pk]
        assert "no key of the other 7 providers" in page

    def test_says_where_nobody_serves_it_what_that_means(self, alices: Console, alice_access: Access) -> None:
        special = special_key(alice_access)
        alone = "Without one of these its OpenAI requests are refused."
        assert offered(alices.get(NEW), "OpenAI") == f"None {alone}"

        special.disable(alice_access)
        assert (
            offered(alices.get(NEW), "OpenAI")
            == "None Special is assigned to other API keys, so OpenAI requests are refused."
        )

        shared = sample.stored(alice_access)
        ProviderKey.objects.filter(pk=shared.pk).update(verdict="invalid")
        assert offered(alices.get(NEW), "OpenAI") == "Production Failing"
        ProviderKey.objects.filter(pk=shared.pk).update(verdict="valid")
        assert offered(alices.get(NEW), "OpenAI") == "Production"

    def test_leads_to_the_form_of_a_provider_key_where_there_is_none_and_stays_itself(
        self, alices: Console, alice_access: Access
    ) -> None:
        page = text(alices.post(NEW, {"name": "ci"}))
        where = f"{alices.url('provider-keys/new/')}?api_key={ApiKey.objects.get().pk}"
        assert f'<a href="{where}" target="_blank" rel="noopener">add a provider key</a>' in page

        sample.stored(alice_access)
        assert "add a provider key" not in text(alices.post(NEW, {"name": "another"}))

    @pytest.mark.parametrize("into", [None, "main"])
    def test_assigns_what_was_ticked_and_leaves_its_event(
        self, alices: Console, alice_access: Access, into: str | None
    ) -> None:
        sample.stored(alice_access)
        special = special_key(alice_access)
        before = set(special.assigned_ids)

        answer = alices.post(NEW, {"name": "ci", "provider_key_ids": [special.pk]}, into=into)

        api_key = ApiKey.objects.get(name="ci")
        found = ProviderKey.objects.get(pk=special.pk)
        assert found.assigned_ids == before | {api_key.pk}
        assert answer_for(answer, "OpenAI") == (
            "Special",
            "Assigned to this API key. If it fails, OpenAI requests fail: the organization-wide keys don’t step in.",
        )
        assert found.version == special.version + 1
        event = AuditEvent.objects.get(action="provider_key.updated")
        assert (event.target_id, event.details["changed"]) == (special.pk, ["assignment"])

    def test_refuses_wholly_what_it_may_not_assign(
        self, alices: Console, alice_access: Access, charlie_access: Access
    ) -> None:
        wide, special = sample.stored(alice_access), special_key(alice_access)
        foreign = sample.stored(charlie_access, api_keys=[sample.api_key(charlie_access, "theirs")])
        count = ApiKey.objects.count()

        for other in (foreign.pk, wide.pk, "pk_" + "0" * 22, "nonsense", "\0"):
            answer = alices.post(NEW, {"name": "ci", "provider_key_ids": [special.pk, other]})

            assert answer.status_code == 422
            assert "can’t be assigned any more" in text(answer)
            assert f'value="{special.pk}" id="choice-{special.pk}" checked' in text(answer)
            assert "theirs" not in text(answer)
        assert ApiKey.objects.count() == count
        assert not AuditEvent.objects.filter(action="provider_key.updated").exists()
        for taken in (foreign, wide):
            with pytest.raises(ForeignAssignment):
                grant(alice_access, ApiKey.objects.filter(organization=alice_access.organization)[0], [taken.pk])
        assert KeyAssignment.objects.count() == 2

    def test_has_the_names_that_scripts_rely_on(self, alices: Console) -> None:
        page = text(alices.get(NEW))

        for name, label in (("name", "Name"), ("expiration", "Expiration")):
            assert re.search(rf'<label[^>]*for="id_{name}">{label}</label>', page)
            assert f'name="{name}"' in page
        assert re.search(r"<button[^>]*>Save</button>", page)


class TestList:
    def test_says_what_serves_each_key(self, alices: Console, alice_access: Access) -> None:
        own = sample.api_key(alice_access, "own")
        shared = sample.api_key(alice_access, "shared")
        ProviderKey.create(alice_access, "openai", sample.draft(sample.FORMER, "Organization’s"))
        ProviderKey.create(alice_access, "openai", sample.draft(sample.FORMER, "Special", [own]))

        page = alices.get(LIST)

        assert serving(page, own) == "OpenAI Special Untested"
        assert serving(page, shared) == "OpenAI Organization’s Untested"

    def test_says_that_nothing_serves_it(self, alices: Console, alice_access: Access) -> None:
        lonely = sample.api_key(alice_access, "lonely")
        said = "None No provider key serves it: its requests are refused."
        assert serving(alices.get(LIST), lonely) == said

        special_key(alice_access)
        page = alices.get(LIST)
        assert serving(page, lonely) == said
        assert serving(page, ApiKey.objects.get(name="other")) == "OpenAI Special Untested"

    def test_says_that_what_serves_it_is_failing(self, alices: Console, alice_access: Access) -> None:
        api_key, key = sample.api_key(alice_access), sample.stored(alice_access)
        ProviderKey.objects.update(**ProviderKey.columns_for("invalid", "unknown_key", timezone.now()))

        assert serving(alices.get(LIST), api_key) == f"OpenAI {key.name} Failing"

    def test_says_where_requests_are_refused_and_why(self, alices: Console, alice_access: Access) -> None:
        api_key = sample.api_key(alice_access)
        sample.stored(alice_access)
        special = ProviderKey.create(alice_access, "openai", sample.draft(sample.FORMER, "Special", [api_key]))
        special.disable(alice_access)

        assert serving(alices.get(LIST), api_key) == (
            "OpenAI none Special is assigned here but disabled. The organization-wide keys don’t step in, "
            "so OpenAI requests are refused."
        )

    @pytest.mark.parametrize(
        ("change", "state"), [({"enabled": False}, "disabled"), ({"expires_at": timezone.now()}, "expired")]
    )
    def test_nothing_serves_what_cannot_be_used(
        self, alices: Console, alice_access: Access, change: dict[str, Any], state: str
    ) -> None:
        api_key = sample.api_key(alice_access)
        sample.stored(alice_access)
        ApiKey.objects.update(**change)

        assert serving(alices.get(LIST), api_key) == f"Nothing while it is {state}"
        assert f"This API key is {state}: nothing serves it" in text(alices.get(f"api-keys/{api_key.pk}/"))

    def test_admins_reach_a_provider_key_by_its_name(
        self, alices: Console, danas: Console, alice_access: Access
    ) -> None:
        api_key, key = sample.api_key(alice_access), sample.stored(alice_access)

        for path in (LIST, f"api-keys/{api_key.pk}/"):
            assert f'<a href="/orgs/acme/provider-keys/{key.pk}/">{key.name}</a>' in text(alices.get(path))
            assert f"provider-keys/{key.pk}/" not in text(danas.get(path))

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({}, ["Active"]),
            ({"enabled": False, "expires_at": NOW}, ["Disabled"]),
            ({"expires_at": NOW}, ["Expired"]),
            ({"expires_at": NOW + timedelta(days=6)}, ["Expires soon"]),
            ({"expires_at": NOW + timedelta(days=8)}, ["Active"]),
            ({"former_lookup": "0" * 12, "former_ends_at": NOW + timedelta(hours=23)}, ["Active", "Rotating"]),
            ({"former_lookup": "0" * 12, "former_ends_at": NOW}, ["Active"]),
        ],
    )
    def test_says_whether_it_can_be_used(
        self, alices: Console, alice_access: Access, change: dict[str, Any], words: list[str]
    ) -> None:
        api_key = sample.api_key(alice_access)
        ApiKey.objects.update(**change)

        for path in (LIST, f"api-keys/{api_key.pk}/"):
            assert [word for word in STATES if f"<span>{word}</span>" in text(alices.get(path))] == words

    def test_says_expired_from_the_very_second_on(self, alices: Console, alice_access: Access) -> None:
        ApiKey.issue(alice_access, "ci", NOW + timedelta(hours=1))

        for offset, word in ((-1, "Expires soon"), (0, "Expired")):
            with time_machine.travel(NOW + timedelta(hours=1, seconds=offset), tick=False):
                assert f"<span>{word}</span>" in text(alices.get(LIST))

    def test_finds_by_name_hint_and_id(self, alices: Console, alice_access: Access) -> None:
        api_key = sample.api_key(alice_access, "Nightly <evals>")
        sample.api_key(alice_access, "other")
        former = api_key.hint
        api_key.rotate_secret(alice_access, 1, timedelta(hours=24))

        for asked in ("nightly <", api_key.hint[-4:], former[-4:], api_key.pk):
            assert names(alices.get(LIST, into="api-keys", q=asked)) == ["Nightly &lt;evals&gt;"], asked
        page = text(alices.get(LIST, q="<nobody>\0"))
        assert "No API key matches" in page
        assert "Create API Key" in page

    def test_pages_by_name_there_and_back(self, alices: Console, alice_access: Access) -> None:
        many(alice_access, 120)
        expected = [f"Service {number:04d}" for number in range(120)]

        pages = [alices.get(LIST)]
        while following := link(pages[-1], "next"):
            pages.append(alices.get(LIST + following))
        assert [len(names(page)) for page in pages] == [50, 50, 20]
        assert [name for page in pages for name in names(page)] == expected
        back = alices.get(LIST + link(pages[-1], "prev"))
        assert names(back) == expected[50:100]
        assert names(alices.get(LIST + link(back, "prev"))) == expected[:50]
        assert not link(alices.get(LIST + link(back, "prev")), "prev")
        assert "120 keys" in text(back)

    def test_a_page_that_is_gone_leads_to_the_first_one(self, alices: Console, alice_access: Access) -> None:
        sample.api_key(alice_access, "ci")

        assert alices.get(LIST, after="key_1-zebra").headers["Location"] == alices.url(LIST)
        for nonsense in ("zebra", "key_1-\0", "-", "pk_1-x"):
            assert alices.get(LIST, before=nonsense).status_code in {200, 302}

    def test_a_member_sees_it_but_no_button(self, danas: Console, alice_access: Access) -> None:
        sample.api_key(alice_access, "ci")

        page = text(danas.get(LIST))

        assert ">ci</a>" in page
        assert "Create API Key" not in page

    def test_an_empty_list_tells_each_what_they_can_do(self, alices: Console, danas: Console) -> None:
        assert "Make one per program" in text(alices.get(LIST))
        assert "An admin of Acme can make one per program" in text(danas.get(LIST))

    def test_never_shows_another_organizations_keys(self, alices: Console, charlie_access: Access) -> None:
        sample.api_key(charlie_access, "theirs")

        assert "theirs" not in text(alices.get(LIST))

    @pytest.mark.long
    def test_costs_six_queries_and_opens_nothing_however_many_keys_there_are(
        self, alices: Console, alice_access: Access, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        api_keys = many(alice_access, 1000)
        crowd(alice_access, api_keys, 1000)
        monkeypatch.setattr(vault, "_decrypt", None)

        for path in (LIST, f"{LIST}?q=Service", NEW, f"api-keys/{api_keys[0].pk}/"):
            with CaptureQueriesContext(connection) as queries:
                assert alices.get(path).status_code == 200
            assert len(queries) <= 6, path
            assert not [one for one in queries if '"credentials"' in one["sql"]]

    def test_says_what_the_resolver_says_of_a_crowd(self, alice_access: Access) -> None:
        """Few of many keys are loaded; the answer must not know it."""
        api_keys = many(alice_access, 6)
        crowd(alice_access, api_keys, 150)
        whole = resolvable_keys(alice_access)

        few = keys_for(alice_access, [one.pk for one in api_keys])
        for api_key in api_keys:
            loaded = keys_around(alice_access, api_key.pk)
            for provider in registry.all():
                full = resolve(whole, api_key.pk, provider.slug)
                for keys in (few[api_key.pk], loaded):
                    found = resolve(keys, api_key.pk, provider.slug)
                    head = [one.row.id for one in found.candidates]
                    assert head == [one.row.id for one in full.candidates][: len(head)]
                    assert bool(head) is bool(full)
                    assert line_length([one.row for one in found.candidates]) == len(full.candidates)
                assert Answer.of(provider, loaded, api_key.pk).reason == Answer.of(provider, whole, api_key.pk).reason


class TestWhichKeyWillServe:
    @pytest.fixture
    def api_key(self, alice_access: Access) -> ApiKey:
        return sample.api_key(alice_access, "ci")

    def make(self, access: Access, name: str, *api_keys: ApiKey) -> ProviderKey:
        return ProviderKey.create(access, "openai", sample.draft(sample.FORMER, name, api_keys or None))

    def openai(self, console: Console, api_key: ApiKey) -> tuple[str, str]:
        return answer_for(console.get(f"api-keys/{api_key.pk}/"), "OpenAI")

    def test_none_where_the_organization_has_none(self, alices: Console, api_key: ApiKey) -> None:
        assert self.openai(alices, api_key) == ("None", "Your organization has no OpenAI key.")

    def test_leads_an_admin_from_a_provider_without_a_key_to_its_form(
        self, alices: Console, danas: Console, api_key: ApiKey
    ) -> None:
        where, ours = alices.url("provider-keys/new/?provider="), f"&amp;api_key={api_key.pk}"
        page = text(alices.get(f"api-keys/{api_key.pk}/"))
        found = re.findall(rf'href="{re.escape(where)}(\w+){ours}" hx-get="{re.escape(where)}(\w+){ours}"', page)
        assert found == [(provider.slug, provider.slug) for provider in registry.all()]
        assert '<option value="openai" selected>' in text(alices.get("provider-keys/new/", provider="openai"))
        assert where not in text(danas.get(f"api-keys/{api_key.pk}/"))

    def test_leads_an_admin_to_a_key_of_its_own_where_requests_are_refused_and_where_a_key_serves(
        self, alices: Console, danas: Console, alice_access: Access, api_key: ApiKey
    ) -> None:
        self.make(alice_access, "Theirs", sample.api_key(alice_access))
        assert "?provider=openai" in text(alices.get(f"api-keys/{api_key.pk}/"))
        assert "?provider=openai" not in text(danas.get(f"api-keys/{api_key.pk}/"))

        self.make(alice_access, "Shared")
        page = text(alices.get(f"api-keys/{api_key.pk}/"))
        assert "?provider=openai" in page
        assert "?provider=anthropic" in page
        assert "?provider=" not in text(danas.get(f"api-keys/{api_key.pk}/"))

    def test_the_page_of_a_new_api_key_asks_for_them_alone(
        self, alices: Console, alice_access: Access, api_key: ApiKey
    ) -> None:
        there = f"api-keys/{api_key.pk}/"
        assert "None yet" in text(alices.get(there, into="served-by"))
        self.make(alice_access, "Shared")

        part = text(alices.get(there, into="served-by"))

        assert "Shared" in part
        assert "If it fails, OpenAI requests fail." in part
        # Nothing in it leads away from a page whose key may not be copied yet.
        assert not re.search(r"<(html|a|form|button)\b", part)

        ProviderKey.objects.update(enabled=False)
        part = text(alices.get(there, into="served-by"))
        links = re.findall(r"<a [^>]*>[^<]*</a>", part)
        where = alices.url("provider-keys/?provider=openai")
        assert links == [f'<a href="{where}" target="_blank" rel="noopener">See your OpenAI keys</a>']
        assert f'<a href="{where}">See your OpenAI keys</a>' in text(alices.get(there))

    def test_organization_wide_keys_in_their_order(
        self, alices: Console, alice_access: Access, api_key: ApiKey
    ) -> None:
        self.make(alice_access, "First")
        self.make(alice_access, "Second")

        names, why = self.openai(alices, api_key)

        assert names == "First then Second"
        assert why == "Organization-wide, in this order; none is assigned to this API key."

    def test_an_assigned_key_before_them(self, alices: Console, alice_access: Access, api_key: ApiKey) -> None:
        self.make(alice_access, "Shared")
        self.make(alice_access, "Special", api_key)

        assert self.openai(alices, api_key) == (
            "Special",
            "Assigned to this API key. If it fails, OpenAI requests fail: the organization-wide keys don’t step in.",
        )

    def test_alone_in_either_tier_it_has_nobody_behind_it(
        self, alices: Console, alice_access: Access, api_key: ApiKey
    ) -> None:
        """A key that is disabled stands behind nobody, and neither does one of another API key."""
        own = self.make(alice_access, "Special", api_key)
        self.make(alice_access, "Theirs", sample.api_key(alice_access))
        assert self.openai(alices, api_key)[1] == "Assigned to this API key. If it fails, OpenAI requests fail."

        own.delete_by(alice_access)
        self.make(alice_access, "Shared")
        self.make(alice_access, "Paused").disable(alice_access)
        assert self.openai(alices, api_key)[1] == (
            "Organization-wide; none is assigned to this API key. If it fails, OpenAI requests fail."
        )

    @pytest.mark.parametrize(
        ("verdict", "said"),
        [
            ("invalid", "It failed its last test, and while it fails, OpenAI requests fail."),
            ("limited", "If it fails, OpenAI requests fail."),
        ],
    )
    def test_alone_and_failing_is_no_if(
        self, alices: Console, alice_access: Access, api_key: ApiKey, verdict: str, said: str
    ) -> None:
        own = self.make(alice_access, "Special", api_key)
        ProviderKey.objects.filter(pk=own.pk).update(verdict=verdict)
        assert self.openai(alices, api_key) == ("Special", f"Assigned to this API key. {said}")

    def test_failing_with_another_one_behind_it_that_one_is_named(
        self, alices: Console, alice_access: Access, api_key: ApiKey
    ) -> None:
        first = self.make(alice_access, "Special", api_key)
        self.make(alice_access, "Spare", api_key)
        ProviderKey.objects.filter(pk=first.pk).update(verdict="forbidden")
        assert self.openai(alices, api_key)[1] == (
            "Assigned to this API key, in this order. Special failed its last test; while it fails, Spare is tried."
        )

    def test_with_another_one_behind_it_that_is_not_said(
        self, alices: Console, alice_access: Access, api_key: ApiKey
    ) -> None:
        self.make(alice_access, "Shared")
        for name in ("Special", "Spare"):
            self.make(alice_access, name, api_key)

        assert self.openai(alices, api_key) == ("Special then Spare", "Assigned to this API key, in this order.")

    def test_disabled_it_serves_nobody_and_nobody_takes_over(
        self, alices: Console, alice_access: Access, api_key: ApiKey
    ) -> None:
        self.make(alice_access, "Shared")
        ProviderKey.objects.filter(pk=self.make(alice_access, "Special", api_key).pk).update(enabled=False)

        assert self.openai(alices, api_key) == (
            "None",
            "Special is assigned here but disabled. The organization-wide keys don’t step in, so OpenAI requests are refused.",
        )

    def test_a_key_of_others_is_called_that(self, alices: Console, alice_access: Access, api_key: ApiKey) -> None:
        self.make(alice_access, "Theirs", sample.api_key(alice_access))

        assert self.openai(alices, api_key) == (
            "None",
            "Theirs is assigned to other API keys, so OpenAI requests are refused.",
        )

    def test_what_several_share_is_told_once(self, alices: Console, alice_access: Access, api_key: ApiKey) -> None:
        others = sample.api_key(alice_access)
        for name in ("One", "Two", "Three"):
            self.make(alice_access, name, others)

        assert self.openai(alices, api_key) == (
            "None",
            "One, Two and Three are assigned to other API keys, so OpenAI requests are refused.",
        )
        self.make(alice_access, "Four", others)
        assert self.openai(alices, api_key)[1].startswith("One, Two, Three and others are assigned")


class TestAProviderThatTheGatewayDoesNotRouteYet:
    SAID: Final = "The gateway doesn’t route AWS Bedrock requests yet."
    BADGE: Final = "<span>Not routed yet</span>"

    @pytest.fixture
    def api_key(self, alice_access: Access) -> ApiKey:
        return sample.api_key(alice_access, "ci")

    def bedrock(self, console: Console, api_key: ApiKey) -> tuple[str, str]:
        return answer_for(console.get(f"api-keys/{api_key.pk}/"), "AWS Bedrock")

    def test_is_called_that_whoever_would_serve(self, alices: Console, alice_access: Access, api_key: ApiKey) -> None:
        assert self.bedrock(alices, api_key) == ("None", f"Your organization has no AWS Bedrock key. {self.SAID}")

        key = regions.stored(alice_access)
        wide = "Organization-wide; none is assigned to this API key."
        assert self.bedrock(alices, api_key) == (key.name, f"{wide} {self.SAID}")
        for path in (LIST, f"api-keys/{api_key.pk}/"):
            assert text(alices.get(path)).count(self.BADGE) == 1
        assert offered(alices.get(NEW), "AWS Bedrock") == f"{key.name} Untested {self.SAID}"

        key.disable(alice_access)
        refused = f"{key.name} is organization-wide but disabled, so AWS Bedrock requests are refused."
        assert self.bedrock(alices, api_key) == ("None", f"{refused} {self.SAID}")

    def test_the_others_are_not(self, alices: Console, alice_access: Access, api_key: ApiKey) -> None:
        routed = [provider for provider in registry.all() if provider.is_routed]
        for provider in routed:
            if provider.credential == CredentialKind.API_KEY:
                sample.stored(alice_access, samples.key(provider.slug, "good"), provider.slug)

        page = alices.get(f"api-keys/{api_key.pk}/")

        for provider in routed:
            assert "route" not in answer_for(page, provider.label)[1]
        for path in (LIST, NEW, f"api-keys/{api_key.pk}/"):
            assert self.BADGE not in text(alices.get(path))
        assert "route" not in offered(alices.get(NEW), "OpenAI")
