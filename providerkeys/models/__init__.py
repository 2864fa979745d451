from providerkeys.models.assignment import KeyAssignment
from providerkeys.models.bedrock_region import BedrockRegion, RegionDraft
from providerkeys.models.check import CredentialCheck, TooManyChecks
from providerkeys.models.check_result import CheckResult
from providerkeys.models.draft import Draft, VersionConflict
from providerkeys.models.granting import grant
from providerkeys.models.heartbeat import Heartbeat
from providerkeys.models.key_order import Direction
from providerkeys.models.provider_key import ProviderKey
from providerkeys.models.row import Row
from providerkeys.models.twins import holders_of, holders_with, twins_of
from providerkeys.vault import Sentinel

__all__ = [
    "BedrockRegion",
    "CheckResult",
    "CredentialCheck",
    "Direction",
    "Draft",
    "Heartbeat",
    "KeyAssignment",
    "ProviderKey",
    "RegionDraft",
    "Row",
    "Sentinel",
    "TooManyChecks",
    "VersionConflict",
    "grant",
    "holders_of",
    "holders_with",
    "twins_of",
]
