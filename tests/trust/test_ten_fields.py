"""TEN-10, -11, -20, -25, -27: what another organization has is neither used, named nor counted, in whatever field it is named;
and a right that is gone is gone for the page that is still open.

Addresses with foreign ids: ``tests/providerkeys/test_permission_views.py``; TEN-12: ``test_assignment.py`` beside it; TEN-21:
``test_twins.py``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest
from django.db import models

from organizations import access
from organizations.access import Access
from organizations.models import ApiKey, Membership, Role, User
from providerkeys import tasks
from providerkeys.models import CredentialCheck, ProviderKey, check_run
from tests.providerkeys import sample
from tests.providerkeys.sample import Door
from tests.providerkeys.test_assignment import across
from tests.trust.controls import Control, controls
from tests.trust.web import CONSOLE, HTMX, Route, Site, change, rows

pytestmark = [pytest.mark.django_db, pytest.mark.database]

OURS: Final = tuple(one for one in CONSOLE if "<slug:slug>" in one.path)
WORDS: Final = ("Overseas account", "night-shift")


@dataclass(frozen=True)
class Foreign:
    """What Globex has: an organization-wide key, one of an API key's, an unassigned one, an API key, a check."""

    keys: Sequence[ProviderKey]
    api_key: ApiKey
    check: CredentialCheck

    @property
    def ids(self) -> list[str]:
        return [*(key.pk for key in self.keys), self.api_key.pk, self.check.pk, self.api_key.organization_id]


@pytest.fixture
def foreign(site: Site, charlie_access: Access) -> Foreign:
    key, called = WORDS
    api_key = sample.api_key(charlie_access, called)
    drafts = (sample.draft(sample.LATTER, key, whom) for whom in (None, [api_key], []))
    keys = [ProviderKey.create(charlie_access, "openai", draft) for draft in drafts]
    return Foreign(keys, api_key, sample.pressed(charlie_access, keys[0]))


def told(answer: Any, foreign: Foreign, asked: str = "") -> list[str]:
    """What an answer tells of the other organization, beside what it was ``asked`` itself."""
    said = answer.content.decode() + str(answer.headers)
    return [one for one in (*foreign.ids, *WORDS, foreign.keys[0].hint) if one in said and one not in asked]


def posts(site: Site) -> list[Route]:
    """Routes that take a POST; what takes something away comes last."""
    return sorted(filter(site.takes_post, OURS), key=lambda one: ("delete" in one.name, one.name))


@pytest.mark.parametrize("among_own", [False, True])
def test_ten_10_a_foreign_id_in_a_field_is_refused(among_own: bool, site: Site, foreign: Foreign) -> None:
    """TEN-11: among own ones too."""
    own = {"api_key_ids": [site.values["key"]], "provider_key_ids": [site.values["pk"]]} if among_own else {}
    theirs = [model for model in rows().items() if model[1].get("organization_id") == foreign.api_key.organization_id]
    for one in posts(site):
        for field in ("api_key_ids", "provider_key_ids"):
            # For nobody but whom the field names.
            body = {name: value for name, value in site.body(one).items() if name != "assign_to_organization"}
            sent = {**body, field: [*own.get(field, ()), *foreign.ids]}
            before = rows()
            answer = site.client(one).post(site.address(one), sent)
            assert told(answer, foreign) == [], (one, field)
            if one.name.endswith(("_new", "provider_key_edit")) and field in answer.content.decode():
                assert (answer.status_code, change(before, rows())) == (422, {}), (one, field)

    assert across() == 0
    after = rows()
    assert [after[key] == row for key, row in theirs] == [True] * len(theirs)


@pytest.mark.long
@pytest.mark.parametrize("field", ["q", "api_key", "after", "before", "provider"])
def test_ten_20_no_page_shows_or_finds_what_is_theirs(field: str, site: Site, foreign: Foreign) -> None:
    for one in OURS:
        for asked in (*foreign.ids, *WORDS, f"{foreign.api_key.pk}-{WORDS[1]}", "0-openai-0"):
            answer = site.client(one).get(site.address(one), {field: asked}, headers=HTMX)
            assert told(answer, foreign, asked) == [], one


def test_ten_25_a_forged_message_does_nothing(site: Site, foreign: Foreign, door: Door) -> None:
    CredentialCheck.objects.get(pk=foreign.check.pk).settle()
    CredentialCheck.objects.update(state="done", candidate=None, finished_at=foreign.check.created_at)
    before = rows()
    for forged in (
        *foreign.ids,
        site.values["pk"],
        "",
        "chk_",
        "chk_%",
        "chk_\0",
        foreign.check.pk.lower(),
        "' OR 1=1 --",
    ):
        tasks.run_check(forged)

    assert door.probes == 0
    assert change(before, rows()) == {}


def removed(membership: Membership) -> None:
    membership.delete()


def demoted(membership: Membership) -> None:
    Membership.objects.filter(pk=membership.pk).update(role=Role.MEMBER)


def deactivated(membership: Membership) -> None:
    User.objects.filter(pk=membership.user_id).update(is_active=False)


STATUS: Final[dict[Callable[[Membership], None], int]] = {removed: 404, demoted: 403, deactivated: 302}


@pytest.mark.parametrize("withdrawn", STATUS, ids=lambda one: one.__name__)
def test_ten_27_an_open_page_can_do_nothing_any_more(
    withdrawn: Callable[[Membership], None], site: Site, foreign: Foreign
) -> None:
    opened = [(one, site.address(one), site.body(one)) for one in posts(site)]
    withdrawn(site.alice.memberships.get())
    before = rows()

    answers = {str(one): site.client(one).post(address, body).status_code for one, address, body in opened}

    assert set(answers.values()) == {STATUS[withdrawn]}, answers
    assert change(before, rows()) == {}


def test_ten_27_a_right_withdrawn_between_press_and_worker_sends_nothing(site: Site, door: Door) -> None:
    site.alice.memberships.all().delete()
    check_run.run(site.values["chk"])

    assert door.probes == 0


# Defects.


def seeing_every_organization(monkeypatch: pytest.MonkeyPatch) -> None:
    def everything[M: models.Model](_: Access, model: type[M]) -> models.QuerySet[M]:
        return model._default_manager.all()

    monkeypatch.setattr(access.Access, "all", everything)


def remembering_who_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a session would that keeps the role."""
    membership = Membership.objects.select_related("organization", "user").get(user__name="Alice")
    mine = Access(membership.organization, membership.user, Role.ADMIN, access.Actor.member(membership.user))
    monkeypatch.setattr(access, "access_for", lambda *_, **__: mine)


def sending_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CredentialCheck, "is_still_allowed", True)


def running_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(check: CredentialCheck) -> bool:
        return bool(CredentialCheck.objects.filter(pk=check.pk).update(attempt=1))

    monkeypatch.setattr(CredentialCheck, "take", take)


@controls(
    [
        Control(test_ten_10_a_foreign_id_in_a_field_is_refused, seeing_every_organization, {"among_own": True}),
        Control(test_ten_20_no_page_shows_or_finds_what_is_theirs, seeing_every_organization, {"field": "q"}),
        Control(test_ten_25_a_forged_message_does_nothing, running_what_is_done),
        Control(test_ten_27_an_open_page_can_do_nothing_any_more, remembering_who_may, {"withdrawn": removed}),
        Control(test_ten_27_a_right_withdrawn_between_press_and_worker_sends_nothing, sending_for_everybody),
    ]
)
def test_control_notices_a_planted_defect(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
