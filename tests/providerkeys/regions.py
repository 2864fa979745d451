"""AWS Bedrock keys to test with: one access key in several regions, and where which verdict is to be had."""

from collections.abc import Iterable, Mapping
from typing import Any

from organizations.access import Access
from providerkeys import vault
from providerkeys.models import BedrockRegion, CredentialCheck, Draft, ProviderKey, RegionDraft, Row
from providerkeys.providers.base import Credential
from providerkeys.resolver import Scope
from tests.fakeproviders import samples
from tests.fakeproviders.access_keys import halves

GOOD = samples.key("bedrock", "good")
# The good key's account has not opted in to the last one: three verdicts of one key, of which one is bad.
THREE = ("us-east-1", "eu-central-1", "eu-south-1")
BAD = "eu-south-1"


def credential(region: str, key: str = GOOD) -> Credential:
    return Credential(key, {"region": region})


def rows(*regions: str, key: str = GOOD) -> tuple[RegionDraft, ...]:
    """Rows of a form in which ``key`` is typed for each of ``regions``."""
    return tuple(RegionDraft(region, credential(region, key)) for region in regions)


def kept(*regions: str) -> tuple[RegionDraft, ...]:
    """Rows of a form in which nothing is typed."""
    return tuple(RegionDraft(region) for region in regions)


def draft(regions: Iterable[RegionDraft], name: str = "Bedrock shared") -> Draft:
    return Draft(name, Scope.ORGANIZATION, regions=tuple(regions))


def stored(access: Access, *regions: str, key: str = GOOD) -> ProviderKey:
    """A saved key that no check has looked at."""
    return ProviderKey.create(access, "bedrock", draft(rows(*(regions or THREE), key=key)))


def changed(access: Access, key: ProviderKey, *regions: RegionDraft) -> list[str]:
    current = ProviderKey.objects.get(pk=key.pk)
    return current.change(access, draft(regions), current.version)


def typed(access: Access, *drafts: RegionDraft) -> list[Row]:
    salt = access.organization.fingerprint_salt
    return [
        Row(
            vault.fingerprint(salt, one.credential.secret, one.credential.destination),
            one.region,
            credential=one.credential,
        )
        for one in drafts
        if one.credential
    ]


def pressed(access: Access, *drafts: RegionDraft) -> CredentialCheck:
    """A press of the button in a new key's form."""
    return CredentialCheck.press(access, "bedrock", typed(access, *drafts))


def region(key: ProviderKey, name: str) -> BedrockRegion:
    return BedrockRegion.objects.select_related("provider_key__organization").get(provider_key=key, region=name)


def order(key: ProviderKey) -> list[str]:
    return list(BedrockRegion.objects.filter(provider_key=key).order_by("position").values_list("region", flat=True))


def ciphertexts(key: ProviderKey) -> Mapping[str, str]:
    """What the database holds, byte for byte, by region."""
    return {
        row.region: row.credentials._token for row in BedrockRegion.objects.filter(provider_key=key) if row.credentials
    }


def verdicts(key: ProviderKey) -> Mapping[str, str]:
    return dict(BedrockRegion.objects.filter(provider_key=key).values_list("region", "verdict"))


def said(check: CredentialCheck) -> dict[str, str]:
    """The verdict of each region of a check."""
    return dict(check.results.order_by("position").values_list("label", "verdict"))


def posted(number: int, region: str, key: str = GOOD, **instead: Any) -> dict[str, Any]:
    """One row of the form as a browser sends it."""
    key_id, secret = halves(key)
    fields = {"region": region, "access_key_id": key_id, "secret_access_key": secret, **instead}
    return {f"regions-{number}-{name}": value for name, value in fields.items()}
