"""What `./dev demo` shows: two organizations, people, API keys, and provider keys in every state.

The verdicts are not written here: each key is a sample credential, and the running product tests it against the local
stand-ins. Sample credentials are obviously fake; the demo's folder is its own.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from organizations.access import Access, access_for
from organizations.actors import Actor
from organizations.models import ApiKey, Membership, Organization, Role, User
from providerkeys.models import CredentialCheck, Draft, ProviderKey, RegionDraft
from providerkeys.providers import registry, service_account
from providerkeys.providers.aws_access_key import AccessKey
from providerkeys.providers.base import Credential, CredentialKind
from providerkeys.resolver import Scope
from tests.fakeproviders import samples
from tests.fakeproviders.samples import Sample

ORGANIZATION = "Acme"
PASSWORD = "demo-password"  # noqa: S105  For the demo's own people, on this machine.
ADMIN, MEMBER, STRANGER, STAFF = (f"{name}@byok.example" for name in ("alice", "dana", "charlie", "sam"))
_SYSTEM = Actor.system("demo")

# provider, name, scenario of the sample key, API keys (none: the whole organization)
_KEYS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("anthropic", "Production Key", "good", ()),
    ("anthropic", "Batch account", "usage", ("nightly-batch",)),
    ("anthropic", "Research grant", "disabled", ("research",)),
    ("openai", "Production Key", "good", ()),
    ("openai", "Overflow account", "credit", ()),
    ("openai", "Staging account", "scope", ("staging",)),
    ("openai", "CI account", "wrong", ("ci", "playground")),
    ("openai", "Backup account", "error500", ("research",)),
    ("openai", "Last year’s account", "good", ("nightly-batch",)),
    ("openai", "Trial key", "good", ("leaving",)),
    ("google_vertex_ai", "EU analytics", "good", ("batch-eu",)),
    ("google_vertex_ai", "Research project", "apidisabled", ("research",)),
    ("google_vertex_ai", "Former owner’s key", "rotated", ("staging",)),
)

# The same for keys with rows: region and scenario of each.
_FLEETS: tuple[tuple[str, str, tuple[tuple[str, str], ...], tuple[str, ...]], ...] = (
    ("bedrock", "Bedrock fleet", (("us-east-1", "good"), ("eu-central-1", "good"), ("eu-south-1", "good")), ()),
    ("bedrock", "Bedrock EU", (("eu-central-1", "nolist"), ("global", "good")), ("batch-eu",)),
    ("bedrock", "Former contractor", (("us-west-2", "wrong"),), ("ci",)),
)


def seed() -> str:
    """Fill the demo's database, which holds `ORGANIZATION` and its first admin. Workers run the checks that it queues.

    Returns the API key called production, for programs to try.
    """
    acme, globex = (Organization.objects.get_or_create(name=name)[0] for name in (ORGANIZATION, "Globex"))
    alice = _person("Alice Keller", ADMIN, (acme, Role.ADMIN), (globex, Role.MEMBER))
    _person("Dana Ortiz", MEMBER, (acme, Role.MEMBER))
    _person("Charlie Voss", STRANGER, (globex, Role.ADMIN))
    User.objects.create_superuser(STAFF, PASSWORD, name="Sam Reyes")
    access = access_for(alice, acme.slug)
    minted = {name: _api_key(access, name) for name in _api_key_names()}
    issued = {name: key for name, (key, _) in minted.items()}
    for provider, name, scenario, served in _KEYS:
        _provider_key(access, provider, name, scenario, [issued[one].pk for one in served])
    for provider, name, rows, served in _FLEETS:
        _fleet(access, provider, name, rows, [issued[one].pk for one in served])
    access.all(ProviderKey).get(name="Last year’s account").disable(access)
    issued["leaving"].delete_by(access)
    issued["playground"].disable(access)
    return minted["production"][1]


def introduction(api_key: str) -> Iterator[str]:
    """Who can log in, what a program may send with `api_key`, and what to paste to see each verdict."""
    yield f"Log in at {settings.BASE_URL} with the password `{PASSWORD}` as"
    yield f"  {ADMIN:<24} admin of Acme, member of Globex"
    yield f"  {MEMBER:<24} member of Acme, who may look"
    yield f"  {STRANGER:<24} admin of Globex"
    yield f"  {STAFF:<24} staff, at {settings.BASE_URL}/admin/"
    yield f"Mails are files in {settings.DATA_DIR / 'mail'}"
    yield "Programs send requests with an API key; its provider keys pay for them:"
    yield f"  BYOK_URL={settings.GATEWAY_URL} BYOK_API_KEY={api_key}"
    yield f"  curl {settings.GATEWAY_URL}/v1/chat/completions -H 'Authorization: Bearer {api_key}' \\"
    yield """       -d '{"model": "openai/gpt-6.2-sol", "messages": [{"role": "user", "content": "hello"}]}'"""
    yield "Credentials to try, by provider and verdict:"
    for provider in registry.all():
        for verdict, sample in samples.one_of_each_verdict(provider.slug).items():
            yield f"  {provider.label:<16} {verdict:<12} {_to_paste(sample)}"


def _to_paste(sample: Sample) -> str:
    """The sample's key, or its parts; what is a file at its provider is one here too, to be chosen or dropped."""
    access_key = AccessKey.read(sample.key)
    if access_key:
        region = samples.destination(sample.provider, sample.key)["region"]
        return f"{region}  {access_key.id}  {access_key.secret}"
    if "\n" not in sample.key:
        return sample.key
    file = settings.DATA_DIR / "samples" / f"{sample.provider}-{sample.verdict}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(sample.key, encoding="utf-8")
    return str(file)


def _person(name: str, email: str, *memberships: tuple[Organization, Role]) -> User:
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, PASSWORD)
    user.name = name
    user.save(update_fields=["name"])
    for organization, role in memberships:
        Membership.grant(organization, user, role, _SYSTEM)
    return user


def _api_key_names() -> list[str]:
    return sorted({name for *_, served in _KEYS for name in served} | {"production"})


def _api_key(access: Access, name: str) -> tuple[ApiKey, str]:
    expires_at = timezone.now() + timedelta(days=90) if name == "ci" else None
    return ApiKey.issue(access, name, expires_at)


@transaction.atomic
def _provider_key(access: Access, provider: str, name: str, scenario: str, served: list[str]) -> None:
    scope = Scope.API_KEYS if served else Scope.ORGANIZATION
    credential = _credential(provider, samples.key(provider, scenario))
    key = ProviderKey.create(access, provider, Draft(name, scope, frozenset(served), credential))
    CredentialCheck.follow_save(access, key)


@transaction.atomic
def _fleet(access: Access, provider: str, name: str, rows: tuple[tuple[str, str], ...], served: list[str]) -> None:
    scope = Scope.API_KEYS if served else Scope.ORGANIZATION
    keys = ((region, samples.key(provider, scenario)) for region, scenario in rows)
    regions = tuple(RegionDraft(region, Credential(key, {"region": region})) for region, key in keys)
    key = ProviderKey.create(access, provider, Draft(name, scope, frozenset(served), regions=regions))
    CredentialCheck.follow_save(access, key)


def _credential(provider: str, key: str) -> Credential:
    """What the form makes of a sample."""
    if registry.get(provider).credential == CredentialKind.SERVICE_ACCOUNT:
        return Credential(service_account.parse(key).document, {"location": "global"})
    return Credential(key, samples.destination(provider, key))
