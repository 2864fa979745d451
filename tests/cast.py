"""The cast that all tests share.

Alice is an Admin of Acme and Dana a Member of it; Charlie is an Admin of Globex; Sam is staff without a membership. A
rule is two lines: who may, and who may not.
"""

import pytest
from django.test import Client

from organizations.access import Access, access_for
from organizations.models import Membership, Organization, Role, User

PASSWORD = "a long sample password"
IP = "192.0.2.7"


def client_for(user: User) -> Client:
    """Return a browser in which this user is logged in. (`Client.login` is refused by the login throttle.)"""
    client = Client(REMOTE_ADDR=IP)
    client.force_login(user, backend="organizations.backends.MemberBackend")
    return client


def member_of(organization: Organization, name: str, role: Role) -> User:
    """Make a user `<name>@<slug>.example` with that role."""
    user = User.objects.create_user(f"{name.lower()}@{organization.slug}.example", PASSWORD, name=name)
    Membership.objects.create(organization=organization, user=user, role=role)
    return user


@pytest.fixture
def acme(db: None) -> Organization:
    return Organization.objects.create(name="Acme")


@pytest.fixture
def globex(db: None) -> Organization:
    return Organization.objects.create(name="Globex")


@pytest.fixture
def alice(acme: Organization) -> User:
    return member_of(acme, "Alice", Role.ADMIN)


@pytest.fixture
def dana(acme: Organization) -> User:
    return member_of(acme, "Dana", Role.MEMBER)


@pytest.fixture
def charlie(globex: Organization) -> User:
    return member_of(globex, "Charlie", Role.ADMIN)


@pytest.fixture
def sam(db: None) -> User:
    return User.objects.create_superuser("sam@support.example", PASSWORD, name="Sam")


@pytest.fixture
def alice_access(alice: User) -> Access:
    return access_for(alice, "acme", IP)


@pytest.fixture
def dana_access(dana: User) -> Access:
    return access_for(dana, "acme", IP)


@pytest.fixture
def charlie_access(charlie: User) -> Access:
    return access_for(charlie, "globex", IP)
