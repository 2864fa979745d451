"""What somebody has replaced stands above the list until it is revoked: for them alone, with who still holds it."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from organizations.access import Access
from organizations.models import Membership, Organization, Role, User
from providerkeys.models import ProviderKey
from tests.fakeproviders import samples
from tests.providerkeys import regions, sample
from tests.providerkeys.conftest import Console, text
from tests.providerkeys.form import edit, edited, toasts, value_of
from tests.providerkeys.regions import posted

LIST = "provider-keys/"
DONE = "provider-keys/revoked/"
OTHER = samples.key("bedrock", "nolist")


@pytest.fixture(autouse=True)
def _sent(sent: list[str]) -> None:
    """Nothing reaches a broker."""


@pytest.fixture
def key(alice_access: Access) -> ProviderKey:
    return sample.stored(alice_access)


def reminders(console: Console) -> list[str]:
    """What the list reminds of, a sentence or two for each key."""
    found = re.findall(r'<section class="notice[^>]* replaced".*?</section>', text(console.get(LIST)), re.DOTALL)
    return [re.sub(r"\s+", " ", strip_tags(one)).strip() for part in found for one in re.findall(r"<p>.*?</p>", part)]


def done(console: Console, key: ProviderKey) -> Any:
    """The press beside what was replaced in ``key``."""
    form = re.search(rf'<li data-replaced="{key.pk}".*?</li>', text(console.get(LIST)), re.DOTALL)
    assert form
    return console.post(DONE, {name: value_of(form[0], name) for name in ("key", "until")})


def replace(console: Console, key: ProviderKey, secret: str = sample.LATTER) -> None:
    assert console.post(edit(key), edited(sample.again(key), secret)).status_code == 302


def test_what_was_replaced_stands_there_until_it_is_said_to_be_revoked(alices: Console, key: ProviderKey) -> None:
    assert reminders(alices) == []
    replace(alices, key)
    for _ in range(2):
        assert reminders(alices) == [f"{key.hint} at OpenAI’s API keys: you replaced it in Production just now."]
    assert 'href="https://platform.openai.com/api-keys"' in text(alices.get(LIST))

    toasts(alices)
    assert done(alices, key).status_code == 302
    assert toasts(alices) == [f"You are no longer reminded of {key.hint}."]
    assert reminders(alices) == []


def test_with_who_still_holds_it_and_whom_that_costs_one_query(
    alices: Console, alice_access: Access, key: ProviderKey
) -> None:
    replace(alices, key)
    toasts(alices)
    with CaptureQueriesContext(connection) as alone:
        assert reminders(alices)[0].endswith("just now.")
    for name in ("Last year’s", "Spare"):
        ProviderKey.create(alice_access, "openai", sample.draft(sample.FORMER, name))
    with CaptureQueriesContext(connection) as held:
        [said] = reminders(alices)
    assert said.endswith("First replace it in Last year’s (OpenAI), Spare (OpenAI).")
    assert len(alone) == len(held) <= 6


def test_of_an_access_key_its_id_and_who_holds_it_in_any_region(alices: Console, alice_access: Access) -> None:
    key = regions.stored(alice_access, "us-east-1", "us-west-2")
    old = key.regions.all()[0].hint
    both = {**posted(0, "us-east-1", OTHER), **posted(1, "us-west-2", OTHER)}
    ProviderKey.objects.filter(pk=regions.stored(alice_access, "eu-west-1").pk).update(name="Europe")
    changed = {"version": key.version, "name": "Bedrock shared", "assign_to_organization": "on", **both}
    assert alices.post(edit(key), {"provider": "bedrock", **changed}).status_code == 302
    assert reminders(alices) == [
        f"{old} at AWS IAM: you replaced it in Bedrock shared just now. First replace it in Europe (AWS Bedrock)."
    ]


def test_a_deleted_key_is_remembered_by_its_name(alices: Console, alice_access: Access, key: ProviderKey) -> None:
    replace(alices, key)
    sample.again(key).delete_by(alice_access)
    assert "you replaced it in Production" in reminders(alices)[0]


def test_what_the_key_holds_again_is_no_old_one(alices: Console, key: ProviderKey) -> None:
    replace(alices, key)
    replace(alices, key, sample.FORMER)
    [said] = reminders(alices)
    assert key.hint not in said


def test_of_two_with_one_hint_it_is_said(alices: Console, key: ProviderKey) -> None:
    replace(alices, key, sample.FORMER.replace("FAKE", "FAKY", 1))
    [said] = reminders(alices)
    assert said.endswith("just now. The new one has the same hint: tell them apart by when they were made.")


def test_nor_is_an_access_key_that_is_in_use_again(alices: Console, alice_access: Access) -> None:
    key = regions.stored(alice_access, "us-east-1")
    hints = [key.regions.all()[0].hint]
    for secret in (OTHER, regions.GOOD):
        version = sample.again(key).version
        changed = {"version": version, "name": "Bedrock shared", "assign_to_organization": "on"}
        row = posted(0, "us-east-1", secret)
        assert alices.post(edit(key), {"provider": "bedrock", **changed, **row}).status_code == 302
        hints.append(sample.again(key).regions.all()[0].hint)
    first, second, third = hints
    assert first == third
    [said] = reminders(alices)
    assert first not in said
    assert second in said


def test_after_a_day_nobody_is_reminded(alices: Console, key: ProviderKey) -> None:
    replace(alices, key)
    for hours, count in ((23, 1), (25, 0)):
        with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=False):
            assert len(reminders(alices)) == count


def test_nobody_else_is_and_no_other_organization_shows_it(
    alices: Console, alice: User, danas: Console, globex: Organization, key: ProviderKey
) -> None:
    replace(alices, key)
    Membership.objects.create(organization=globex, user=alice, role=Role.ADMIN)
    Membership.objects.update(role=Role.ADMIN)
    there = Console(alices.client, globex.slug)
    toasts(there)
    assert reminders(there) == reminders(danas) == []
    # Nor is it forgotten from there.
    for console in (there, danas):
        assert console.post(DONE, {"key": key.pk, "until": "999999999999"}).status_code == 302
        assert toasts(console) == []
    assert len(reminders(alices)) == 1


def test_who_is_an_admin_no_longer_is_shown_nothing(alices: Console, alice: User, key: ProviderKey) -> None:
    replace(alices, key)
    Membership.objects.filter(user=alice).update(role=Role.MEMBER)
    assert reminders(alices) == []


@pytest.mark.parametrize("until", ["", "-1", "x", "\N{ARABIC-INDIC DIGIT ONE}", "9" * 40])
def test_a_press_that_names_no_time_forgets_nothing(alices: Console, key: ProviderKey, until: str) -> None:
    replace(alices, key)
    toasts(alices)
    assert alices.post(DONE, {"key": key.pk, "until": until}).status_code == 302
    assert toasts(alices) == []
    assert len(reminders(alices)) == 1


def test_what_was_replaced_after_the_page_was_shown_is_not_forgotten(alices: Console, key: ProviderKey) -> None:
    with time_machine.travel(timezone.now(), tick=False) as now:
        replace(alices, key)
        page = text(alices.get(LIST))
        now.shift(5)
        replace(alices, key, sample.FORMER.replace("FAKE", "FAKX", 1))
        toasts(alices)
        latter = sample.again(key).hint
        assert alices.post(DONE, {"key": key.pk, "until": value_of(page, "until")}).status_code == 302
        assert toasts(alices) == [f"You are no longer reminded of {key.hint}."]
        [said] = reminders(alices)
    assert latter not in said
    assert key.hint not in said.partition(" at ")[0]


def test_what_others_still_hold_is_said_once_more(alices: Console, alice_access: Access, key: ProviderKey) -> None:
    ProviderKey.create(alice_access, "openai", sample.draft(sample.FORMER, "Spare"))
    replace(alices, key)
    toasts(alices)
    assert done(alices, key).status_code == 302
    assert toasts(alices) == [
        f"You are no longer reminded of {key.hint}. Requests that run on Spare (OpenAI) fail now, unless another key serves them."
    ]


def rotated(console: Console, key: ProviderKey, secret: str, name: str) -> None:
    form = {"version": sample.again(key).version, "name": name, "assign_to_organization": "on", "provider": "bedrock"}
    [region] = key.regions.all()
    assert console.post(edit(key), {**form, **posted(0, region.region, secret)}).status_code == 302


def test_of_two_each_names_who_holds_its_own(alices: Console, alice_access: Access) -> None:
    second = samples.key("bedrock", "wrong")
    keys = [regions.stored(alice_access, "us-east-1"), regions.stored(alice_access, "us-east-1", key=second)]
    third = regions.stored(alice_access, "eu-west-1", key=second)
    ProviderKey.objects.filter(pk=third.pk).update(name="Europe")
    for number, key in enumerate(keys):
        rotated(alices, key, OTHER, f"Number {number}")
    latest, first = reminders(alices)
    assert latest.endswith("in Number 1 just now. First replace it in Europe (AWS Bedrock).")
    assert first.endswith("in Number 0 just now.")


def test_an_access_key_that_somebody_else_has_put_back_is_no_old_one(
    alices: Console, danas: Console, alice_access: Access
) -> None:
    key = regions.stored(alice_access, "us-east-1")
    rotated(alices, key, OTHER, "Bedrock shared")
    assert len(reminders(alices)) == 1
    Membership.objects.update(role=Role.ADMIN)
    rotated(danas, key, regions.GOOD, "Bedrock shared")
    assert reminders(alices) == []


def test_what_a_message_of_the_page_says_waits_until_it_is_dismissed(
    alices: Console, alice_access: Access, key: ProviderKey
) -> None:
    other = ProviderKey.create(alice_access, "openai", sample.draft(sample.FORMER.replace("FAKE", "FAKX", 1), "Spare"))
    replace(alices, key)
    toasts(alices)
    replace(alices, other, sample.FORMER.replace("FAKE", "FAKY", 1))
    page = text(alices.get(LIST))
    assert f'data-revoke="{other.pk}"' in page
    assert f'<li data-replaced="{other.pk}" hidden>' in page
    assert f'<li data-replaced="{key.pk}">' in page
    assert " hidden>" not in "".join(re.findall("<li data-replaced[^>]*>", text(alices.get(LIST))))
