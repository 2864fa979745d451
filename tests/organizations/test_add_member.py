import io
import sys

import pytest
from django.core.management import CommandError, call_command

from organizations.models import AuditEvent, Membership, Organization, Role, User
from tests.cast import PASSWORD
from tests.organizations.conftest import actions

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    """A standard input that has a person in front of it, and must not be waited for."""

    def isatty(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> str:
        raise AssertionError("nobody was asked to type")

    readline = read  # type: ignore[assignment]


def add_member(
    monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO, email: str = "new@acme.example", role: str = "admin"
) -> tuple[str, str]:
    """Run the command for Acme and return its output and error output."""
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdin", stdin)
    call_command("add_member", organization="Acme", email=email, role=role, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_it_creates_what_is_missing_and_prints_the_slug(monkeypatch: pytest.MonkeyPatch) -> None:
    assert add_member(monkeypatch, io.StringIO(f"{PASSWORD}\nmore\n"), "New@Acme.example") == ("acme\n", "")
    membership = Membership.objects.select_related("user", "organization").get()
    assert (membership.organization.name, membership.role) == ("Acme", Role.ADMIN)
    assert membership.user.email == "new@acme.example"
    assert membership.user.check_password(PASSWORD)
    assert not membership.user.is_staff


def test_it_is_recorded_as_done_by_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    add_member(monkeypatch, io.StringIO(PASSWORD))
    assert actions() == ["organization.created", "user.created", "membership.created"]
    assert set(AuditEvent.objects.values_list("actor_kind", "actor_label")) == {("system", "add_member")}
    assert set(AuditEvent.objects.values_list("organization_id", flat=True)) == {Organization.objects.get().pk}
    assert PASSWORD not in str(list(AuditEvent.objects.values()))


def test_a_second_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    add_member(monkeypatch, io.StringIO(PASSWORD))
    assert add_member(monkeypatch, io.StringIO("another long password"), "NEW@acme.example") == ("acme\n", "")
    assert Membership.objects.count() == User.objects.count() == Organization.objects.count() == 1
    assert User.objects.get().check_password(PASSWORD)
    assert AuditEvent.objects.count() == 3


def test_it_changes_the_role(monkeypatch: pytest.MonkeyPatch, acme: Organization, dana: User) -> None:
    add_member(monkeypatch, Terminal(), dana.email, "admin")
    assert acme.memberships.get().role == Role.ADMIN
    assert actions() == ["membership.role_changed"]


def test_somebody_elses_admin_joins_as_a_member(
    monkeypatch: pytest.MonkeyPatch, acme: Organization, charlie: User
) -> None:
    add_member(monkeypatch, Terminal(), charlie.email, "member")
    assert set(charlie.memberships.values_list("organization__slug", "role")) == {
        ("globex", "admin"),
        ("acme", "member"),
    }


@pytest.mark.parametrize("stdin", [Terminal(), io.StringIO(), io.StringIO("\n")])
def test_without_a_password_one_is_generated_and_shown_once(
    monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO
) -> None:
    out, err = add_member(monkeypatch, stdin)
    assert out == "acme\n"
    password = err.strip().rpartition(" ")[2]
    assert len(password) == 20
    assert User.objects.get().check_password(password)
    assert add_member(monkeypatch, stdin) == ("acme\n", "")


@pytest.mark.parametrize(
    ("email", "password", "says"),
    [
        ("no-address", PASSWORD, "no-address cannot be used. Enter a valid email address."),
        ("", PASSWORD, "An empty address cannot be used."),
        ("new@acme.example", "tiny-pw", "The password for new@acme.example cannot be used."),
        ("new@acme.example", "newacmeexample", "too similar"),
    ],
)
def test_a_bad_value_creates_nothing_and_is_not_quoted_if_secret(
    monkeypatch: pytest.MonkeyPatch, email: str, password: str, says: str
) -> None:
    with pytest.raises(CommandError, match=says) as refusal:
        add_member(monkeypatch, io.StringIO(password), email)
    assert password not in str(refusal.value)
    assert not Organization.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb"])
def test_a_bad_name_creates_nothing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD))
    with pytest.raises(CommandError, match="name cannot be used"):
        call_command("add_member", organization=name, email="new@acme.example", role="admin")
    assert not User.objects.exists()


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("add_member", "--organization", "Acme", "--email", "new@acme.example", "--role", "owner")


def test_a_password_is_never_an_argument() -> None:
    arguments = ("--organization", "Acme", "--email", "new@acme.example", "--role", "admin", "--password", PASSWORD)
    with pytest.raises(CommandError, match="unrecognized arguments"):
        call_command("add_member", *arguments)


def test_two_organizations_of_one_name_are_not_guessed_between(monkeypatch: pytest.MonkeyPatch, dana: User) -> None:
    Organization.objects.create(name="Acme")
    with pytest.raises(CommandError, match="Several organizations are called Acme"):
        add_member(monkeypatch, Terminal(), dana.email)
