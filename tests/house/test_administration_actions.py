"""What staff do to chosen objects: done to those alone, told as Support's, once; and refused to all who may only look."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import pytest
from axes.models import AccessAttempt
from celery import current_app
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.db import connection, models
from django.test import Client
from django.urls import reverse

from organizations import tasks
from organizations.access import Access
from organizations.admin.actions import ON_A_LIST, ON_AN_OBJECT
from organizations.models import ApiKey, AuditEvent, Organization, User
from providerkeys.models import CredentialCheck, ProviderKey
from tests.cast import IP, PASSWORD, client_for
from tests.organizations.test_login import lock, log_in, logged_in
from tests.providerkeys import sample

pytestmark = pytest.mark.django_db

type Objects = list[models.Model]


def _fail_to_log_in(user: User) -> None:
    lock(Client(REMOTE_ADDR=IP), user.email)


@dataclass(frozen=True)
class Act:
    """One action: what it needs before, the event that it leaves, and what else it tells of the same change."""

    model: type[models.Model]
    name: str
    event: str
    asks: bool = False
    before: Callable[[Any], object] = lambda _: None
    also: tuple[str, ...] = ()
    repeats: bool = False
    """Whether doing it again is doing it anew: a link is sent again, a key is tested again."""

    def __str__(self) -> str:
        return f"{self.model.__name__}-{self.name}"


def _set(**columns: Any) -> Callable[[Any], object]:
    return lambda obj: type(obj)._default_manager.filter(pk=obj.pk).update(**columns)


LINK: Final = Act(User, "send_set_password_link", "user.set_password_link_sent", repeats=True)
UNLOCK: Final = Act(User, "unlock_login", "user.login_unlocked", before=_fail_to_log_in)
ACTS: Final = (
    Act(Organization, "suspend", "organization.suspended", asks=True),
    Act(Organization, "resume", "organization.resumed", before=_set(suspended_at="2026-01-01T00:00:00Z")),
    LINK,
    UNLOCK,
    Act(User, "deactivate", "user.deactivated", asks=True, also=("membership.deactivated",)),
    Act(ApiKey, "disable", "api_key.disabled", asks=True),
    Act(ApiKey, "enable", "api_key.enabled", before=_set(enabled=False)),
    Act(ProviderKey, "test_again", "credentials.tested", repeats=True),
    Act(ProviderKey, "disable", "provider_key.disabled", asks=True),
    Act(ProviderKey, "enable", "provider_key.enabled", before=_set(enabled=False)),
)
each_act = pytest.mark.parametrize("act", ACTS, ids=str)
each_place = pytest.mark.parametrize("place", [ON_A_LIST, ON_AN_OBJECT])


@pytest.fixture
def chosen(
    alice_access: Access,
    charlie_access: Access,
    acme: Organization,
    globex: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[type[models.Model], Objects]:
    """Two objects of each model: the one that is chosen, and another organization's. Nothing reaches a broker."""
    sample.letterbox(monkeypatch)
    accesses = (alice_access, charlie_access)
    found: dict[type[models.Model], Objects] = {
        Organization: [acme, globex],
        User: [access.user for access in accesses],
        ApiKey: [sample.api_key(access) for access in accesses],
        ProviderKey: [sample.stored(access) for access in accesses],
    }
    return found


def _staff(name: str, *permissions: str) -> User:
    user = User.objects.create_user(f"{name}@support.example", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def helper(db: None) -> User:
    """Staff who may change what there is, and no superuser."""
    return _staff("helper", *(f"{verb}_{act.model._meta.model_name}" for act in ACTS for verb in ("view", "change")))


@pytest.fixture
def viewer(db: None) -> User:
    """Staff who may look at everything."""
    return _staff("viewer", *Permission.objects.filter(codename__startswith="view_").values_list("codename", flat=True))


def address(obj: models.Model, place: str) -> str:
    name = f"admin:{obj._meta.app_label}_{obj._meta.model_name}"
    return reverse(f"{name}_changelist") if place == ON_A_LIST else reverse(f"{name}_change", args=[quote(obj.pk)])


def press(client: Client, act: Act, obj: models.Model, place: str = ON_A_LIST, *, sure: bool = True) -> Any:
    sent = {place: act.name, "_selected_action": [obj.pk], **({"post": "yes"} if sure else {})}
    return client.post(address(obj, place), sent)


def rows(objects: Objects) -> list[Any]:
    """The objects as the database has them now, and what was counted, sent and tested."""
    now = [type(one)._default_manager.filter(pk=one.pk).values().get() for one in objects]
    return [*now, CredentialCheck.objects.count(), AccessAttempt.objects.count(), AuditEvent.objects.count()]


def told() -> list[tuple[str, str, str]]:
    """Action, target and kind of actor of what staff did, in order."""
    events = AuditEvent.objects.exclude(actor_kind="user").order_by("at")
    return list(events.values_list("action", "target_id", "actor_kind"))


@each_place
@each_act
def test_an_act_changes_what_was_chosen_and_is_told_once_as_supports(
    act: Act, place: str, chosen: dict[type[models.Model], Objects], helper: User
) -> None:
    mine, theirs = chosen[act.model]
    act.before(mine)
    act.before(theirs)
    untouched, client = rows([theirs])[0], client_for(helper)
    assert f'value="{act.name}"' in client.get(address(mine, place)).content.decode()

    answer = press(client, act, mine, place)

    assert answer.status_code == HTTPStatus.FOUND
    [own] = [event for event in told() if event[1] == mine.pk]
    assert own == (act.event, mine.pk, "staff")
    assert [event[0] for event in told()] == [act.event, *act.also]
    event = AuditEvent.objects.get(action=act.event, actor_kind="staff")
    assert (event.actor_id, event.ip) == (helper.pk, IP)
    assert rows([theirs])[0] == untouched
    # What is told of a link follows the commit, which no test of this kind has: see below.
    said = 'class="messagelist"' in client.get(answer.headers["Location"]).content.decode()
    assert said is (act is not LINK)

    press(client, act, mine, place)
    assert len(told()) == (2 if act.repeats else 1 + len(act.also))


@each_place
@pytest.mark.parametrize("act", [act for act in ACTS if act.asks], ids=str)
def test_what_takes_something_away_asks_first_and_the_answer_does_it(
    act: Act, place: str, chosen: dict[type[models.Model], Objects], helper: User
) -> None:
    mine, client = chosen[act.model][0], client_for(helper)
    before = rows([mine])

    asked = press(client, act, mine, place, sure=False).content.decode()

    assert "customers see it as done by Support" in asked
    assert rows([mine]) == before
    assert f'href="{address(mine, place)}"' in asked
    sent = dict(re.findall(r'<input type="hidden" name="(?!csrf)([^"]+)" value="([^"]*)">', asked))
    client.post(address(mine, place), sent)
    assert [event[0] for event in told()] == [act.event, *act.also]


@each_place
@each_act
def test_who_may_only_look_is_offered_nothing_and_does_nothing(
    act: Act, place: str, chosen: dict[type[models.Model], Objects], viewer: User
) -> None:
    mine, client = chosen[act.model][0], client_for(viewer)
    act.before(mine)
    before = rows([mine])

    assert f'value="{act.name}"' not in client.get(address(mine, place)).content.decode()
    answer = press(client, act, mine, place)

    # A list that offers no action shows itself.
    assert answer.status_code == (HTTPStatus.OK if place == ON_A_LIST else HTTPStatus.FORBIDDEN)
    assert rows([mine]) == before
    assert told() == []


@each_place
@each_act
def test_a_forged_post_a_customer_and_a_stranger_do_nothing(
    act: Act, place: str, chosen: dict[type[models.Model], Objects], helper: User, alice: User
) -> None:
    mine, customer = chosen[act.model][0], client_for(alice)
    act.before(mine)
    before = rows([mine])
    forged = Client(enforce_csrf_checks=True, REMOTE_ADDR=IP)
    forged.force_login(helper, backend="organizations.backends.MemberBackend")

    assert press(forged, act, mine, place).status_code == HTTPStatus.FORBIDDEN
    for client in (customer, Client()):
        assert press(client, act, mine, place).headers["Location"].startswith("/admin/login/")

    assert rows([mine]) == before
    assert told() == []


@each_act
def test_an_objects_page_acts_on_no_other(act: Act, chosen: dict[type[models.Model], Objects], helper: User) -> None:
    mine, theirs = chosen[act.model]
    act.before(theirs)
    before = rows([mine, theirs])

    sent = {ON_AN_OBJECT: act.name, "_selected_action": [theirs.pk], "post": "yes"}
    assert client_for(helper).post(address(mine, ON_AN_OBJECT), sent).status_code == HTTPStatus.BAD_REQUEST

    assert rows([mine, theirs]) == before


@pytest.mark.parametrize("act", [act for act in ACTS if act.model is User], ids=str)
@pytest.mark.parametrize("rights", ["is_staff", "is_superuser"])
def test_only_a_superuser_acts_on_somebody_with_rights(
    act: Act, rights: str, chosen: dict[type[models.Model], Objects], helper: User, sam: User
) -> None:
    alice = chosen[User][0]
    User.objects.filter(pk=alice.pk).update(**{rights: True})
    act.before(alice)
    before, client = rows([alice]), client_for(helper)

    press(client, act, alice)
    press(client, act, alice, ON_AN_OBJECT)
    assert rows([alice]) == before
    assert "only a superuser may do that" in client.get(address(alice, ON_A_LIST)).content.decode()

    press(client_for(sam), act, alice)
    assert told()[0] == (act.event, alice.pk, "staff")


def test_unlocking_lets_the_person_in_again(alice: User, helper: User) -> None:
    browser = Client(REMOTE_ADDR=IP)
    lock(browser, alice.email)
    assert log_in(browser, alice.email, PASSWORD).status_code == HTTPStatus.TOO_MANY_REQUESTS
    staff = client_for(helper)
    assert "Locked after too many failed tries" in staff.get(address(alice, ON_AN_OBJECT)).content.decode()

    press(staff, UNLOCK, alice, ON_AN_OBJECT)

    assert "Locked after too many" not in staff.get(address(alice, ON_AN_OBJECT)).content.decode()
    log_in(browser, alice.email, PASSWORD)
    assert logged_in(browser)


def test_what_was_not_locked_is_not_said_to_be_unlocked(alice: User, helper: User) -> None:
    client = client_for(helper)
    press(client, UNLOCK, alice)
    assert "Nothing to change" in client.get(address(alice, ON_A_LIST)).content.decode()
    assert told() == []


@pytest.fixture
def mailed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A worker that mails at once. Told is, for each message, whether it was sent from inside a transaction."""
    inside: list[bool] = []

    def send_task(name: str, args: list[str], **_: object) -> None:
        inside.append(connection.in_atomic_block)
        tasks.send_password_link(*args)

    monkeypatch.setattr(current_app._get_current_object(), "send_task", send_task)
    return inside


@each_place
@pytest.mark.django_db(transaction=True)
def test_a_link_for_a_password_goes_to_the_mailbox_and_nowhere_else(
    place: str, alice: User, sam: User, mailed: list[bool], caplog: pytest.LogCaptureFixture
) -> None:
    client = client_for(sam)
    caplog.set_level(logging.DEBUG)
    answer = press(client, LINK, alice, place)

    assert mailed == [False]
    [message] = mail.outbox
    assert message.to == [alice.email]
    [token] = re.findall(r"/password-reset/\S+/([^/\s]+)/", str(message.body))
    history = reverse("admin:organizations_user_history", args=[quote(alice.pk)])
    seen = [client.get(path).content.decode() for path in (answer.headers["Location"], "/admin/", history)]
    assert f"A link is on its way to {alice.email}." in seen[0]
    events = str(list(AuditEvent.objects.values()))
    assert not [text for text in (*seen, events, caplog.text, answer.headers["Location"]) if token in text]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_mailed_when_the_act_fails(
    alice: User, sam: User, mailed: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(AuditEvent, "save", fail)
    client = client_for(sam)
    client.raise_request_exception = False
    assert press(client, LINK, alice).status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert not mail.outbox


def test_a_groups_rights_are_handed_out_by_a_superuser_alone(sam: User) -> None:
    """Whoever may change a group that they are in could take any right."""
    changer = _staff("changer", "view_group", "change_group", "add_group", "delete_group")
    group = Group.objects.create(name="support")
    changer.groups.add(group)
    path, sent = address(group, ON_AN_OBJECT), {"name": "support", "permissions": [Permission.objects.all()[0].pk]}

    assert client_for(changer).post(path, sent).status_code == HTTPStatus.FORBIDDEN
    assert client_for(changer).get("/admin/auth/group/add/").status_code == HTTPStatus.FORBIDDEN
    assert (
        client_for(changer).post(path.replace("change", "delete"), {"post": "yes"}).status_code == HTTPStatus.FORBIDDEN
    )
    assert not group.permissions.exists()

    assert client_for(sam).post(path, sent).status_code == HTTPStatus.FOUND
    assert group.permissions.count() == 1
    assert told() == [("group.changed", str(group.pk), "staff")]


def test_failed_logins_are_looked_at_and_never_deleted_unrecorded(alice: User, sam: User) -> None:
    lock(Client(REMOTE_ADDR=IP), alice.email)
    attempt, client = AccessAttempt.objects.get(), client_for(sam)
    [path] = re.findall(r'href="(/admin/axes/[^"]+)">Failed', client.get(address(alice, ON_AN_OBJECT)).content.decode())
    assert alice.email in client.get(path).content.decode()
    page = client.get(address(attempt, ON_AN_OBJECT)).content.decode()
    assert alice.email in page
    assert "post_data" not in page
    for path in (f"/admin/axes/accessattempt/{attempt.pk}/delete/", address(attempt, ON_A_LIST)):
        client.post(path, {"post": "yes", "action": "delete_selected", "_selected_action": [attempt.pk]})
    assert AccessAttempt.objects.count() == 1
    assert client.get("/admin/axes/accessattempt/", {"post_data__contains": "a"}).status_code == HTTPStatus.BAD_REQUEST


def test_a_member_stays_who_they_are_on_the_organizations_page(
    alice: User, charlie: User, acme: Organization, sam: User
) -> None:
    membership = alice.memberships.get()
    sent = {
        "name": "Acme",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": membership.pk,
        "memberships-0-organization": acme.pk,
        "memberships-0-user": charlie.pk,
        "memberships-0-role": "member",
    }
    assert client_for(sam).post(address(acme, ON_AN_OBJECT), sent).status_code == HTTPStatus.FOUND
    membership.refresh_from_db()
    assert (membership.user_id, membership.role) == (alice.pk, "member")
