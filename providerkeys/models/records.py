"""The records that hold secrets, by the id that a check's result names: an id begins with its kind."""

from collections.abc import Mapping
from typing import Final

from providerkeys.models.bedrock_region import BedrockRegion
from providerkeys.models.provider_key import ProviderKey
from providerkeys.models.secret_record import SecretRecord

_KINDS: Final[Mapping[str, type[SecretRecord]]] = {"pk": ProviderKey, "reg": BedrockRegion}


def kind_of(record: str) -> type[SecretRecord]:
    """The model of the record with this id. Raises ``KeyError`` for an id of anything else."""
    return _KINDS[record.partition("_")[0]]


def find(record: str) -> SecretRecord | None:
    """The record with this id, with all that its secret is bound to; ``None`` when it is gone."""
    kind = kind_of(record)
    owner = "organization" if kind is ProviderKey else "provider_key__organization"
    return kind._default_manager.select_related(owner).filter(pk=record).first()
