"""Creating organizations and people from the command line: each step checked, and audited as the system's."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from organizations.actors import Actor
from organizations.ids import random_base62
from organizations.models import AuditEvent, Organization, User

GENERATED_PASSWORD_LENGTH = 20  # 119 random bits, and no character that a double-click would stop at


class RefusedError(ValueError):
    """A value cannot be used; the message says which and why, in a sentence, and never quotes a password."""


def generate_password() -> str:
    return random_base62(GENERATED_PASSWORD_LENGTH)


def create_organization(name: str, actor: Actor) -> Organization:
    """Create an organization. Raises RefusedError for a bad name."""
    organization = Organization(name=name.strip())
    try:
        organization.full_clean(exclude={"slug", "fingerprint_salt"})
    except ValidationError as error:
        raise RefusedError(f"The organization's name cannot be used. {' '.join(error.messages)}") from None
    organization.save()
    AuditEvent.record(organization, actor, "organization.created", organization)
    return organization


def create_user(
    email: str, password: str, actor: Actor, organization: Organization | None = None, *, superuser: bool = False
) -> User:
    """Create a user. Raises RefusedError for an address that is malformed or taken, and for a weak password."""
    user = User(email=email.strip().lower(), is_staff=superuser, is_superuser=superuser)
    try:
        user.full_clean(exclude={"password"})
    except ValidationError as error:
        raise RefusedError(f"{user.email or 'An empty address'} cannot be used. {' '.join(error.messages)}") from None
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise RefusedError(f"The password for {user.email} cannot be used. {' '.join(error.messages)}") from None
    user.set_password(password)
    user.save()
    AuditEvent.record(organization, actor, "user.created", user, superuser=superuser)
    return user
