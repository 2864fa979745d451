import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from organizations.actors import Actor
from organizations.models import Membership, Organization, Role, User
from organizations.provisioning import RefusedError, create_organization, create_user, generate_password

ACTOR = Actor.system("add_member")


class Command(BaseCommand):
    help = (
        "Make somebody a member of an organization, creating whichever does not exist, and print its slug. "
        "The password of a new user is the first line of standard input; without one it is generated and printed once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", required=True, metavar="NAME")
        parser.add_argument("--email", required=True)
        parser.add_argument("--role", required=True, choices=Role.values)

    def handle(self, *_: Any, **options: Any) -> None:
        email = options["email"].strip()
        password, generated = "", ""
        if not User.objects.filter(email=email).exists():
            password = _password_from_stdin() or (generated := generate_password())
        try:
            organization = add_member(options["organization"].strip(), email, password, Role(options["role"]))
        except RefusedError as refusal:
            raise CommandError(str(refusal)) from None
        if generated:
            # Not on standard output: scripts read the slug from there.
            self.stderr.write(f"Password for {email}, shown only now: {generated}", self.style.SUCCESS)
        self.stdout.write(organization.slug)


@transaction.atomic
def add_member(name: str, email: str, password: str, role: Role) -> Organization:
    """Create what is missing; the password is for a new user only. Doing it twice does no more than doing it once."""
    organization = _find_organization(name) or create_organization(name, ACTOR)
    user = User.objects.filter(email=email).first() or create_user(email, password, ACTOR, organization)
    Membership.grant(organization, user, role, ACTOR)
    return organization


def _find_organization(name: str) -> Organization | None:
    found = list(Organization.objects.filter(name=name)[:2])
    if len(found) > 1:
        raise RefusedError(f"Several organizations are called {name}. Use the administration pages instead.")
    return found[0] if found else None


def _password_from_stdin() -> str:
    """Return the first line. A password is never an argument: everybody on the machine can read those."""
    return "" if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
