import io
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from organizations.models import AuditEvent, Membership, Organization, Role, User
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db
VARIABLES = ("ORGANIZATION", "ADMIN_EMAIL", "ADMIN_PASSWORD", "STAFF_EMAIL", "STAFF_PASSWORD")


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(f"BYOK_{name}", raising=False)
        monkeypatch.delenv(f"BYOK_{name}_FILE", raising=False)


def bootstrap(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(f"BYOK_{name}", value)
    out = io.StringIO()
    call_command("bootstrap", stdout=out)
    return out.getvalue()


def test_an_empty_environment_makes_one_organization_and_its_admin(monkeypatch: pytest.MonkeyPatch) -> None:
    said = bootstrap(monkeypatch)
    shown = re.fullmatch(
        r"My organization: http://127\.0\.0\.1:8000/\n  Admin: admin@localhost, password (\w{20})\n", said
    )
    assert shown
    membership = Membership.objects.select_related("user", "organization").get()
    assert (membership.organization.slug, membership.role) == ("my-organization", Role.ADMIN)
    assert membership.user.check_password(shown[1])
    assert not membership.user.is_staff
    assert set(AuditEvent.objects.values_list("actor_kind", "actor_label")) == {("system", "bootstrap")}


def test_the_environment_names_organization_admin_and_staff(monkeypatch: pytest.MonkeyPatch) -> None:
    staff_password = "another long sample password"
    said = bootstrap(
        monkeypatch,
        ORGANIZATION="Acme",
        ADMIN_EMAIL="Alice@acme.example",
        ADMIN_PASSWORD=PASSWORD,
        STAFF_EMAIL="sam@support.example",
        STAFF_PASSWORD=staff_password,
    )
    alice, sam = User.objects.get(email="alice@acme.example"), User.objects.get(email="sam@support.example")
    assert alice.check_password(PASSWORD)
    assert sam.check_password(staff_password)
    assert sam.is_superuser
    assert sam.is_staff
    assert [membership.user for membership in Membership.objects.select_related("user")] == [alice]
    # What the operator chose is not written into their logs.
    assert PASSWORD not in said
    assert staff_password not in said


def test_a_staff_password_is_generated_and_shown_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said = bootstrap(monkeypatch, STAFF_EMAIL="sam@support.example")
    shown = re.search(r"Staff: sam@support\.example, password (\w{20})", said)
    assert shown
    assert User.objects.get(email="sam@support.example").check_password(shown[1])
    assert bootstrap(monkeypatch) == ""


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    bootstrap(monkeypatch, ADMIN_PASSWORD_FILE=str(tmp_path / "password"))
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize("given", ["organization", "user"])
def test_a_database_that_has_anybody_is_left_alone(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    if given == "organization":
        Organization.objects.create(name="Globex")
    else:
        User.objects.create_user("charlie@globex.example")
    assert bootstrap(monkeypatch, ORGANIZATION="Acme", ADMIN_PASSWORD="tiny-pw") == ""
    assert Organization.objects.count() + User.objects.count() == 1


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"ADMIN_EMAIL": "no-address"}, "no-address cannot be used"),
        ({"ADMIN_PASSWORD": "tiny-pw"}, "The password for admin@localhost cannot be used"),
        ({"ORGANIZATION": "x" * 101}, "name cannot be used"),
        ({"STAFF_EMAIL": "admin@localhost"}, "already exists"),
        ({"STAFF_EMAIL": "sam@support.example", "STAFF_PASSWORD": "tiny-pw"}, "The password for sam@support.example"),
        ({"STAFF_PASSWORD": PASSWORD}, "BYOK_STAFF_PASSWORD is set, but BYOK_STAFF_EMAIL is not"),
        ({"ADMIN_PASSWORD_FILE": "/no/such/file"}, "BYOK_ADMIN_PASSWORD_FILE names a file that cannot be read"),
    ],
)
def test_a_bad_value_is_refused_in_a_sentence_and_creates_nothing(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: str
) -> None:
    with pytest.raises(CommandError, match=says) as refusal:
        bootstrap(monkeypatch, **variables)
    assert "tiny-pw" not in str(refusal.value)
    assert not User.objects.exists()
    assert not Organization.objects.exists()
    assert not AuditEvent.objects.exists()
