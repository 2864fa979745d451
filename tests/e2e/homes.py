"""Organizations for the tests, one each, made in one go inside the product: nobody waits for a password hash per test."""

import json
from dataclasses import asdict, dataclass
from typing import Final, Self

from tests.product import PASSWORD, Product

SESSION: Final = "session"


@dataclass(frozen=True)
class Person:
    """Somebody with an account. ``session`` is the cookie of a browser in which they are logged in."""

    email: str
    session: str


@dataclass(frozen=True)
class Home:
    """An organization of one test's own. Alice and Bob are its admins, Dana is a member of it."""

    name: str
    slug: str
    alice: Person
    bob: Person
    dana: Person

    @classmethod
    def many(cls, product: Product, count: int) -> list[Self]:
        """Make ``count`` homes in a running product."""
        said = product.manage("shell", "--no-imports", "-c", f"from tests.e2e import homes; homes.seed({count})")
        return [cls.read(line) for line in said.splitlines() if line.startswith("{")]

    @classmethod
    def read(cls, line: str) -> Self:
        row = json.loads(line)
        return cls(row["name"], row["slug"], *(Person(**row[name]) for name in ("alice", "bob", "dana")))

    @property
    def keys(self) -> str:
        """The path of the list of provider keys."""
        return f"/orgs/{self.slug}/provider-keys/"

    @property
    def api_keys(self) -> str:
        """The path of the list of API keys."""
        return f"/orgs/{self.slug}/api-keys/"


def staff(product: Product) -> Person:
    """Make somebody of the staff in a running product."""
    said = product.manage("shell", "--no-imports", "-c", "from tests.e2e import homes; homes.seed_staff()")
    [line] = [line for line in said.splitlines() if line.startswith("{")]
    return Person(**json.loads(line))


def seed(count: int) -> None:
    """Make the homes and print them, a line each. Runs inside the product, by ``manage.py shell``."""
    from django.contrib.auth.hashers import make_password  # noqa: PLC0415  Only the product's own Django is set up here.
    from django.db import transaction  # noqa: PLC0415

    from organizations.models import Membership, Organization, Role, User  # noqa: PLC0415

    hashed = make_password(PASSWORD)

    def person(organization: Organization, name: str, role: Role) -> Person:
        user = User.objects.create(email=f"{name}@{organization.slug}.example", name=name.title(), password=hashed)
        Membership.objects.create(organization=organization, user=user, role=role)
        return Person(user.email, _log_in(user))

    with transaction.atomic():
        taken = Organization.objects.count()
        for number in range(taken, taken + count):
            organization = Organization.objects.create(name=f"Acme {number}")
            people = {
                "alice": person(organization, "alice", Role.ADMIN),
                "bob": person(organization, "bob", Role.ADMIN),
                "dana": person(organization, "dana", Role.MEMBER),
            }
            print(json.dumps(asdict(Home(organization.name, organization.slug, **people))))  # noqa: T201


def furnish(slug: str, provider_keys: int, api_keys: int) -> None:
    """Fill a home with keys that nobody uses, and print one of each kind. Runs there too."""
    from organizations.access import access_for  # noqa: PLC0415
    from organizations.models import ApiKey, User  # noqa: PLC0415
    from tests.fakeproviders import samples  # noqa: PLC0415
    from tests.providerkeys import sample  # noqa: PLC0415

    access = access_for(User.objects.get(email=f"alice@{slug}.example"), slug)
    services = [ApiKey.issue(access, f"Service {number}")[0] for number in range(api_keys)]
    for number in range(provider_keys):
        key = sample.stored(access, samples.fresh_key("openai", "good"), "openai", [services[number % api_keys]])
    print(json.dumps({"provider_key": key.pk, "api_key": services[0].pk}))  # noqa: T201


def _log_in(user: object) -> str:
    from django.test import Client  # noqa: PLC0415

    client = Client()
    client.force_login(user, backend="organizations.backends.MemberBackend")  # type: ignore[arg-type]
    return client.cookies[SESSION].value


def seed_staff() -> None:
    """Make Sam, a superuser of no organization, and print them as a person is read. Runs inside the product, like ``seed``."""
    from organizations.models import User  # noqa: PLC0415

    sam = User.objects.create_superuser("sam@support.example", PASSWORD, name="Sam")
    print(json.dumps(asdict(Person(sam.email, _log_in(sam)))))  # noqa: T201


def staff_pages() -> None:
    """Print the address of every page of the administration that a superuser may see. Runs there too."""
    from django.contrib import admin  # noqa: PLC0415
    from django.contrib.admin.utils import quote  # noqa: PLC0415
    from django.test import RequestFactory  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    from organizations.models import User  # noqa: PLC0415

    request = RequestFactory().get("/")
    request.user = User.objects.get(email="sam@support.example")
    found = [reverse(f"admin:{name}") for name in ("index", "password_change", "password_change_done")]
    for its_admin in admin.site._registry.values():
        model = its_admin.model
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{name}_changelist"))
        if its_admin.has_add_permission(request):
            found.append(reverse(f"{name}_add"))
        one = model._default_manager.order_by("pk").last()
        if one is not None:
            pages = ("change", "history", *(["delete"] if its_admin.has_delete_permission(request, one) else []))
            found += [reverse(f"{name}_{page}", args=[quote(one.pk)]) for page in pages]
    print(json.dumps(found))  # noqa: T201
