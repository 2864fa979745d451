import os
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from environ.fileaware_mapping import FileAwareMapping

from organizations.actors import Actor
from organizations.models import Membership, Organization, Role, User
from organizations.provisioning import RefusedError, create_organization, create_user, generate_password

ACTOR = Actor.system("bootstrap")


@dataclass(frozen=True)
class Person:
    """Somebody to create. The password is theirs if the environment gave one, else a generated one to print."""

    email: str
    password: str
    generated: bool

    def __str__(self) -> str:
        return f"{self.email}, password {self.password if self.generated else 'as you set it'}"

    def __repr__(self) -> str:
        return f"Person({self.email})"


class Command(BaseCommand):
    help = (
        "On an empty database create an organization with its first Admin, and with BYOK_STAFF_EMAIL a superuser. "
        "Reads BYOK_ORGANIZATION, BYOK_ADMIN_EMAIL, BYOK_ADMIN_PASSWORD, BYOK_STAFF_EMAIL, BYOK_STAFF_PASSWORD. "
        "What is generated is printed once. Does nothing when there is anybody already."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        if User.objects.exists() or Organization.objects.exists():
            return
        try:
            organization, admin, staff = bootstrap()
        except RefusedError as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{organization.name}: {settings.BASE_URL}/")
        self.stdout.write(f"  Admin: {admin}")
        if staff:
            self.stdout.write(f"  Staff: {staff} ({settings.BASE_URL}/admin/)")


@transaction.atomic
def bootstrap() -> tuple[Organization, Person, Person | None]:
    """Create what the environment names. Raises RefusedError, and creates nothing, if a value is bad."""
    admin, staff = _person("ADMIN", default_email="admin@localhost"), _staff()
    organization = create_organization(_variable("BYOK_ORGANIZATION") or "My organization", ACTOR)
    user = create_user(admin.email, admin.password, ACTOR, organization)
    Membership.grant(organization, user, Role.ADMIN, ACTOR)
    if staff:
        create_user(staff.email, staff.password, ACTOR, superuser=True)
    return organization, admin, staff


def _staff() -> Person | None:
    if _variable("BYOK_STAFF_EMAIL"):
        return _person("STAFF")
    if _variable("BYOK_STAFF_PASSWORD"):
        raise RefusedError("BYOK_STAFF_PASSWORD is set, but BYOK_STAFF_EMAIL is not.")
    return None


def _person(role: str, default_email: str = "") -> Person:
    password = _variable(f"BYOK_{role}_PASSWORD")
    email = _variable(f"BYOK_{role}_EMAIL") or default_email
    return Person(email, password or generate_password(), generated=not password)


def _variable(name: str) -> str:
    """Return an environment variable, or the content of the file that `<name>_FILE` names. Raises RefusedError."""
    try:
        return str(FileAwareMapping(os.environ).get(name, "")).rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise RefusedError(f"{name}_FILE names a file that cannot be read.") from None
