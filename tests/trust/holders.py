"""The kinds of records that hold a secret. What a case of ENC says of the column holds in each of them."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest

from organizations.access import Access
from providerkeys.models import BedrockRegion, Draft, ProviderKey
from providerkeys.models.secret_record import SecretRecord
from providerkeys.providers.base import Credential
from providerkeys.resolver import Scope
from tests.fakeproviders import samples
from tests.providerkeys import regions, sample

_REGION: Final = "eu-central-1"
_SIBLING: Final = "us-east-1"


@dataclass(frozen=True)
class Holder:
    """``fresh`` makes a credential that no other test has used, ``store`` a record with it, ``replace`` puts in another."""

    id: str
    provider: str
    fresh: Callable[[], str]
    store: Callable[[Access, str], SecretRecord]
    replace: Callable[[Access, SecretRecord, str], object]

    def stored(self, access: Access, secret: str = "") -> SecretRecord:
        """A record that no check has looked at."""
        return self.store(access, secret or self.fresh())


def _fresh_account() -> str:
    """Another document with the key of the sample: a key of its own takes a tenth of a second."""
    document = json.loads(samples.key("google_vertex_ai", "good"))
    return json.dumps({**document, "client_id": str(secrets.randbelow(10**21))}, indent=2)


def _account(secret: str) -> Draft:
    return Draft("EU analytics", Scope.ORGANIZATION, credential=Credential(secret, {"location": "europe-west4"}))


def _store_account(access: Access, secret: str) -> ProviderKey:
    return ProviderKey.create(access, "google_vertex_ai", _account(secret))


def _replace_account(access: Access, record: SecretRecord, secret: str) -> None:
    current = ProviderKey.objects.get(pk=record.pk)
    current.change(access, _account(secret), current.version)


def _store_region(access: Access, secret: str) -> BedrockRegion:
    """The second row of its key; the first one holds a sample."""
    rows = (*regions.rows(_SIBLING), *regions.rows(_REGION, key=secret))
    return regions.region(ProviderKey.create(access, "bedrock", regions.draft(rows)), _REGION)


def _replace_region(access: Access, record: SecretRecord, secret: str) -> None:
    regions.changed(access, record.owner, *regions.kept(_SIBLING), *regions.rows(_REGION, key=secret))


KEY: Final = Holder(
    "key",
    "openai",
    lambda: samples.fresh_key("openai", "good"),
    sample.stored,
    lambda access, record, secret: sample.replaced(access, record.owner, secret),
)
ACCOUNT: Final = Holder("account", "google_vertex_ai", _fresh_account, _store_account, _replace_account)
REGION: Final = Holder(
    "region", "bedrock", lambda: samples.fresh_key("bedrock", "good"), _store_region, _replace_region
)
HOLDERS: Final = (KEY, ACCOUNT, REGION)
each_holder = pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: holder.id)


def sibling_of(record: SecretRecord) -> BedrockRegion:
    """The other row of a region's key."""
    return regions.region(record.owner, _SIBLING)
