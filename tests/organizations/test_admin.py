import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.test import Client

from organizations.access import Access
from organizations.actors import Actor
from organizations.models import ApiKey, AuditEvent, Membership, Organization, Role, User
from tests.cast import PASSWORD, client_for
from tests.organizations.conftest import actions
from tests.organizations.test_login import lock, log_in
from tests.providerkeys import sample

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("worker")]
ADMIN = "/admin/organizations"
NO_INLINES = {
    "memberships-TOTAL_FORMS": "0",
    "memberships-INITIAL_FORMS": "0",
}


@pytest.fixture
def staff(sam: User) -> Client:
    return client_for(sam)


@pytest.fixture
def helper(db: None) -> User:
    """Staff who may do everything with users, but is no superuser."""
    user = User.objects.create_user("helper@support.example", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="organizations"))
    return user


def page(model: str, pk: str, name: str) -> str:
    """Return a path as Django admin writes it: an underscore of an id would otherwise read as an escape."""
    return f"{ADMIN}/{model}/{quote(pk)}/{name}/"


def run(client: Client, model: str, action: str, *pks: str) -> "Answer":
    return client.post(f"{ADMIN}/{model}/", {"action": action, "_selected_action": pks, "post": "yes"})


def last() -> AuditEvent:
    return AuditEvent.objects.latest("at")


def count(answer: "Answer") -> int:
    """How many rows a list says it has found."""
    found = re.search(r"^(\d+) \w", answer.content.decode().partition('class="paginator"')[2], re.MULTILINE)
    assert found
    return int(found[1])


# Every page


@pytest.mark.parametrize("model", ["user", "organization", "membership", "apikey", "auditevent"])
def test_every_list_opens_searches_and_filters(staff: Client, alice_access: Access, model: str) -> None:
    ApiKey.issue(alice_access, "ci")
    found = staff.get(f"{ADMIN}/{model}/", {"q": "acme"})
    assert found.status_code == 200
    assert count(found) == 1
    assert 'id="changelist-filter"' in found.content.decode()
    assert count(staff.get(f"{ADMIN}/{model}/", {"q": "no such thing"})) == 0


def test_no_page_shows_a_secret(staff: Client, alice_access: Access, acme: Organization, alice: User) -> None:
    key, plaintext = ApiKey.issue(alice_access, "ci")
    pages = [
        *(f"{ADMIN}/{model}/" for model in ("user", "organization", "membership", "apikey", "auditevent")),
        page("user", alice.pk, "change"),
        f"{ADMIN}/user/add/",
        page("organization", acme.pk, "change"),
        page("apikey", key.pk, "change"),
        page("apikey", key.pk, "history"),
        page("apikey", key.pk, "delete"),
        page("auditevent", last().pk, "change"),
    ]
    for path in pages:
        answer = staff.get(path)
        assert answer.status_code == 200, path
        shown = answer.content.decode()
        for secret in (plaintext[5:17], plaintext[17:], key.digest, alice.password, acme.fingerprint_salt.hex()):
            assert secret not in shown
        assert 'name="password"' not in shown
        assert "fingerprint" not in shown


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        ("apikey", "digest__startswith"),
        ("apikey", "lookup__gte"),
        ("user", "password__contains"),
        ("organization", "fingerprint_salt__gte"),
        ("apikey", "organization__fingerprint_salt__gte"),
        ("membership", "user__password__startswith"),
    ],
)
def test_no_filter_in_the_url_asks_about_a_secret(staff: Client, acme: Organization, model: str, lookup: str) -> None:
    assert staff.get(f"{ADMIN}/{model}/", {lookup: "a"}).status_code == 400


# Neither is offered by any filter: a regular expression can keep a process busy for ever, and a year may be no date's.
@pytest.mark.database
@pytest.mark.parametrize("model", ["user", "organization", "membership", "apikey", "auditevent"])
@pytest.mark.parametrize(
    "asked",
    [
        {"id__regex": "("},
        {"pk__iregex": "(a+)+b"},
        {"created_at__year": "99999"},
        {"at__iso_year": "0"},
        {"id__range": "a"},
        {"id__startswith": "\0"},
    ],
)
def test_no_filter_in_the_url_is_an_error_of_the_server(
    staff: Client, acme: Organization, model: str, asked: dict[str, str]
) -> None:
    assert staff.get(f"{ADMIN}/{model}/", asked).status_code in {302, 400}


@pytest.mark.database
def test_a_choice_is_looked_for_by_any_text(staff: Client, alice: User) -> None:
    asked = {"app_label": "organizations", "model_name": "membership", "field_name": "user"}
    for term, found in (("alice", 1), ("\0", 0)):
        assert len(staff.get("/admin/autocomplete/", {**asked, "term": term}).json()["results"]) == found


@pytest.mark.database
def test_an_id_with_a_nul_is_nobodys(staff: Client, acme: Organization) -> None:
    for what in ("change", "delete", "history"):
        assert staff.get(f"{ADMIN}/user/%00/{what}/").status_code in {302, 404}


def test_a_filter_about_something_else_is_answered(staff: Client, alice: User) -> None:
    assert count(staff.get(f"{ADMIN}/user/", {"name__startswith": "Ali"})) == 1


def test_a_customer_does_not_get_in(alice: User) -> None:
    assert client_for(alice).get(f"{ADMIN}/apikey/").status_code == 302


# Users


def test_staff_creates_a_user_without_a_password_and_sends_a_link(
    staff: Client, django_capture_on_commit_callbacks: Any
) -> None:
    answer = staff.post(f"{ADMIN}/user/add/", {"email": "New@acme.example", "name": "New", "is_active": "on"})
    assert answer.status_code == 302
    user = User.objects.get(email="new@acme.example")
    assert not user.has_usable_password()
    assert (last().action, last().actor_kind, last().target_id) == ("user.created", "staff", user.pk)
    with django_capture_on_commit_callbacks(execute=True):
        run(staff, "user", "send_set_password_link", user.pk)
    assert [message.to for message in mail.outbox] == [["new@acme.example"]]
    assert re.search(r"/password-reset/\S+/\S+/", str(mail.outbox[0].body))
    assert last().action == "user.set_password_link_sent"


def test_a_deactivated_user_is_sent_nothing(staff: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    run(staff, "user", "send_set_password_link", alice.pk)
    assert not mail.outbox


def test_a_change_is_recorded_by_its_fields_and_keeps_the_password(staff: Client, alice: User) -> None:
    answer = staff.post(page("user", alice.pk, "change"), {"email": alice.email, "name": "Alice"})
    assert answer.status_code == 302
    alice.refresh_from_db()
    assert not alice.is_active
    assert alice.check_password(PASSWORD)
    assert (last().action, last().details, last().ip) == ("user.changed", {"fields": ["is_active"]}, "192.0.2.7")


def test_saving_without_a_change_records_nothing(staff: Client, alice: User) -> None:
    staff.post(page("user", alice.pk, "change"), {"email": alice.email, "name": "Alice", "is_active": "on"})
    assert not AuditEvent.objects.exists()


def test_unlocking_a_login_unlocks_that_one(staff: Client, client: Client, alice: User, dana: User) -> None:
    lock(client, alice.email)
    lock(client, dana.email)
    run(staff, "user", "unlock_login", alice.pk)
    assert log_in(client, dana.email, PASSWORD).status_code == 429
    assert log_in(client, alice.email, PASSWORD).status_code == 302
    assert actions() == ["user.login_unlocked"]


def test_deleting_a_user_is_recorded_for_their_organization_too(staff: Client, alice: User, acme: Organization) -> None:
    membership = alice.memberships.get()
    staff.post(page("user", alice.pk, "delete"), {"post": "yes"})
    assert not User.objects.filter(pk=alice.pk).exists()
    assert actions() == ["membership.deleted", "user.deleted"]
    assert AuditEvent.objects.get(target_id=membership.pk).organization_id == acme.pk


def test_there_is_no_page_that_sets_a_password(staff: Client, alice: User) -> None:
    # Django admin takes an unknown path below an object for an old address and redirects.
    staff.post(page("user", alice.pk, "password"), {"password1": PASSWORD * 2, "password2": PASSWORD * 2})
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_only_a_superuser_hands_out_privileges(helper: User, alice: User) -> None:
    data = {"email": alice.email, "name": "Alice B", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    assert client_for(helper).post(page("user", alice.pk, "change"), data).status_code == 302
    alice.refresh_from_db()
    assert (alice.name, alice.is_staff, alice.is_superuser) == ("Alice B", False, False)


@pytest.mark.parametrize("superuser", [True, False])
def test_only_a_superuser_changes_somebody_with_rights(helper: User, sam: User, superuser: bool) -> None:
    User.objects.filter(pk=sam.pk).update(is_superuser=superuser)
    client = client_for(helper)
    data = {"email": "helper2@support.example", "name": "Sam", "is_active": "on"}
    assert client.post(page("user", sam.pk, "change"), data).status_code == 403
    assert client.post(page("user", sam.pk, "delete"), {"post": "yes"}).status_code == 403
    run(client, "user", "delete_selected", sam.pk)
    sam.refresh_from_db()
    assert sam.email == "sam@support.example"


# Organizations and memberships


def test_staff_creates_an_organization_with_its_first_admin(staff: Client, sam: User, alice: User) -> None:
    data = {
        "name": "Initech",
        **NO_INLINES,
        "memberships-TOTAL_FORMS": "1",
        "memberships-0-user": alice.pk,
        "memberships-0-role": "admin",
    }
    assert staff.post(f"{ADMIN}/organization/add/", data).status_code == 302
    initech = Organization.objects.get(slug="initech")
    assert initech.memberships.get().user == alice
    assert actions() == ["organization.created", "membership.created"]
    assert set(AuditEvent.objects.values_list("organization_id", "actor_id")) == {(initech.pk, sam.pk)}


def test_one_named_in_another_script_goes_by_its_id(staff: Client, alice: User) -> None:
    data = {
        "name": "東京",
        **NO_INLINES,
        "memberships-TOTAL_FORMS": "1",
        "memberships-0-user": alice.pk,
        "memberships-0-role": "admin",
    }
    assert staff.post(f"{ADMIN}/organization/add/", data).status_code == 302
    tokyo = Organization.objects.get(name="東京")
    assert tokyo.slug == tokyo.pk.lower()
    assert tokyo.memberships.get().user == alice


def test_an_inline_change_and_removal_are_recorded(staff: Client, acme: Organization, dana: User) -> None:
    membership = dana.memberships.get()
    data = {
        "name": "Acme",
        **NO_INLINES,
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": membership.pk,
        "memberships-0-organization": acme.pk,
        "memberships-0-user": dana.pk,
        "memberships-0-role": "admin",
    }
    assert staff.post(page("organization", acme.pk, "change"), data).status_code == 302
    assert acme.memberships.get().role == Role.ADMIN
    staff.post(page("organization", acme.pk, "change"), {**data, "memberships-0-DELETE": "on"})
    assert not acme.memberships.exists()
    assert actions() == ["membership.changed", "membership.deleted"]
    assert last().target_id == membership.pk


def test_renaming_keeps_the_slug(staff: Client, acme: Organization) -> None:
    data = {"name": "Acme Two", "slug": "other", **NO_INLINES}
    staff.post(page("organization", acme.pk, "change"), data)
    acme.refresh_from_db()
    assert (acme.name, acme.slug) == ("Acme Two", "acme")


def test_suspending_and_resuming_are_recorded(staff: Client, acme: Organization, globex: Organization) -> None:
    run(staff, "organization", "suspend", acme.pk)
    assert Organization.objects.get(pk=acme.pk).is_suspended
    assert not Organization.objects.get(pk=globex.pk).is_suspended
    run(staff, "organization", "resume", acme.pk)
    assert not Organization.objects.get(pk=acme.pk).is_suspended
    assert actions() == ["organization.suspended", "organization.resumed"]
    assert last().actor_kind == "staff"


@pytest.mark.database
@pytest.mark.parametrize(
    ("user", "organization"),
    [("Dana@acme.example", "globex"), (" dana@acme.example ", "Globex"), ("dana@acme.example", "org_globex")],
)
def test_a_member_is_added_by_what_people_and_organizations_are_called(
    staff: Client, dana: User, user: str, organization: str
) -> None:
    globex = Organization.objects.create(pk="org_globex", name="Globex")
    sent = {"user": user, "organization": organization, "role": "member"}
    assert staff.post(f"{ADMIN}/membership/add/", sent).status_code == 302
    assert globex.memberships.get().user == dana
    assert last().action == "membership.created"


@pytest.mark.database
@pytest.mark.parametrize(
    ("user", "organization"),
    [("nobody@acme.example", "globex"), ("dana@acme.example", "Twin"), ("dana@acme.example", "\0"), ("dana", "globex")],
    ids=ascii,
)
def test_nobody_becomes_a_member_by_a_name_that_is_nobodys_or_two_organizations(
    staff: Client, dana: User, globex: Organization, user: str, organization: str
) -> None:
    for _ in range(2):
        Organization.objects.create(name="Twin")
    answer = staff.post(f"{ADMIN}/membership/add/", {"user": user, "organization": organization, "role": "member"})
    assert "None is called so, or several are." in answer.content.decode()
    assert dana.memberships.count() == 1


def test_a_membership_keeps_its_user_and_organization(
    staff: Client, dana: User, charlie: User, globex: Organization
) -> None:
    membership = dana.memberships.get()
    data = {"role": "admin", "user": charlie.pk, "organization": globex.pk}
    assert staff.post(page("membership", membership.pk, "change"), data).status_code == 302
    membership = Membership.objects.select_related("organization").get(pk=membership.pk)
    assert (membership.user, membership.organization.slug, membership.role) == (dana, "acme", "admin")


# API keys


def test_staff_disables_enables_and_deletes_a_key(staff: Client, alice_access: Access, acme: Organization) -> None:
    key, _ = ApiKey.issue(alice_access, "ci")
    other, _ = ApiKey.issue(alice_access, "other")
    run(staff, "apikey", "disable", key.pk)
    assert list(ApiKey.objects.filter(enabled=True)) == [other]
    run(staff, "apikey", "enable", key.pk)
    run(staff, "apikey", "delete_selected", key.pk)
    assert list(ApiKey.objects.all()) == [other]
    assert actions()[2:] == ["api_key.disabled", "api_key.enabled", "api_key.deleted"]
    assert set(AuditEvent.objects.filter(actor_kind="staff").values_list("organization_id", flat=True)) == {acme.pk}


def test_staff_deletes_a_key_with_its_assignments_and_no_assignment_by_itself(
    staff: Client, alice_access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample.letterbox(monkeypatch)
    key = sample.api_key(alice_access)
    provider_key = sample.stored(alice_access, api_keys=[key])
    [assignment] = provider_key.assignments.all()
    for name in ("change", "delete"):
        address = f"/admin/providerkeys/keyassignment/{quote(assignment.pk)}/{name}/"
        assert staff.post(address, {"post": "yes"}).status_code == 403
    assert staff.post(page("apikey", key.pk, "delete"), {"post": "yes"}).status_code == 302
    assert not ApiKey.objects.exists()
    assert last().action == "api_key.deleted"


def test_staff_issues_no_key_and_replaces_nothing(staff: Client, alice_access: Access) -> None:
    key, _ = ApiKey.issue(alice_access, "ci")
    assert staff.get(f"{ADMIN}/apikey/add/").status_code == 403
    staff.post(page("apikey", key.pk, "change"), {"name": "ci 2", "digest": "0" * 64, "lookup": "x", "hint": "h"})
    key.refresh_from_db()
    assert key.name == "ci 2"
    assert key.digest != "0" * 64
    assert key.hint.startswith("byok_…")


@pytest.mark.django_db(transaction=True)
def test_no_event_no_change(staff: Client, alice_access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    key, _ = ApiKey.issue(alice_access, "ci")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(AuditEvent, "save", fail)
    staff.raise_request_exception = False
    answers = [
        staff.post(page("apikey", key.pk, "change"), {"name": "ci 2"}),
        staff.post(page("apikey", key.pk, "delete"), {"post": "yes"}),
        run(staff, "apikey", "delete_selected", key.pk),
        run(staff, "apikey", "disable", key.pk),
    ]
    assert [answer.status_code for answer in answers] == [500] * 4
    assert list(ApiKey.objects.values_list("name", "enabled")) == [("ci", True)]


# The audit trail


def test_the_audit_trail_is_read_only_even_for_a_superuser(staff: Client, acme: Organization) -> None:
    event = AuditEvent.record(acme, Actor.system("test"), "organization.created", acme)
    assert staff.get(page("auditevent", event.pk, "change")).status_code == 200
    assert staff.post(page("auditevent", event.pk, "change"), {"action": "nothing.happened"}).status_code == 403
    assert staff.get(page("auditevent", event.pk, "delete")).status_code == 403
    assert staff.get(f"{ADMIN}/auditevent/add/").status_code == 403
    run(staff, "auditevent", "delete_selected", event.pk)
    assert AuditEvent.objects.get().action == "organization.created"


def test_a_hostile_label_forges_no_cell(staff: Client, acme: Organization) -> None:
    acme.name = "a\r\nb\x1b[2K\u202e<b>"
    event = AuditEvent.record(acme, Actor("", "x\ny", "user"), "organization.created", acme)
    for path in (f"{ADMIN}/auditevent/", page("auditevent", event.pk, "change")):
        shown = staff.get(path).content.decode()
        assert r"a\r\nb\x1b[2K\u202e&lt;b&gt;" in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_what_takes_something_away_asks_first(staff: Client, acme: Organization, dana: User) -> None:
    for model, action, pk in (("organization", "suspend", acme.pk), ("user", "deactivate", dana.pk)):
        asked = staff.post(f"{ADMIN}/{model}/", {"action": action, "_selected_action": [pk]}).content.decode()
        assert "Yes, do it" in asked
        assert "customers see it as done by Support" in asked
    assert not AuditEvent.objects.exists()
    assert not Organization.objects.get().is_suspended


def test_deactivating_ends_sessions_and_tells_the_organization(staff: Client, sam: User, dana: User) -> None:
    browser = client_for(dana)
    run(staff, "user", "deactivate", dana.pk, sam.pk)
    assert browser.get("/orgs/acme/provider-keys/").headers["Location"].startswith("/login/")
    assert User.objects.get(pk=sam.pk).is_active
    assert actions() == ["user.deactivated", "membership.deactivated"]


def test_only_a_superuser_deactivates_somebody_with_rights(helper: User, sam: User) -> None:
    run(client_for(helper), "user", "deactivate", sam.pk)
    assert User.objects.get(pk=sam.pk).is_active


@pytest.mark.parametrize(
    ("model", "action"), [("organization", "suspend"), ("user", "deactivate"), ("user", "unlock_login")]
)
def test_who_may_only_look_runs_no_action(model: str, action: str, acme: Organization, dana: User) -> None:
    viewer = User.objects.create_user("viewer@support.example", PASSWORD, is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    run(client_for(viewer), model, action, acme.pk if model == "organization" else dana.pk)
    assert not AuditEvent.objects.exists()


def test_members_of_a_suspended_organization_are_told(staff: Client, acme: Organization, dana: User) -> None:
    sentence = "Acme is suspended."
    assert sentence not in client_for(dana).get("/orgs/acme/provider-keys/").content.decode()
    run(staff, "organization", "suspend", acme.pk)
    assert sentence in client_for(dana).get("/orgs/acme/provider-keys/").content.decode()


@pytest.mark.parametrize("right", ["9" * 40, "0", "view_user"])
def test_a_right_that_is_none_is_refused_as_a_choice(staff: Client, right: str) -> None:
    answer = staff.post("/admin/auth/group/add/", {"name": "Readers", "permissions": [right]})
    assert answer.status_code == 200
    assert right in answer.content.decode()
    assert not Group.objects.exists()
