"""What staff see of provider keys: everything but secrets, which are absent. Staff test and pause; customers change."""

from providerkeys.admin.api_key import ServedApiKeyAdmin
from providerkeys.admin.check import CheckResultAdmin, CredentialCheckAdmin
from providerkeys.admin.provider_key import BedrockRegionAdmin, KeyAssignmentAdmin, ProviderKeyAdmin
from providerkeys.admin.service import HeartbeatAdmin, SentinelAdmin

__all__ = [
    "BedrockRegionAdmin",
    "CheckResultAdmin",
    "CredentialCheckAdmin",
    "HeartbeatAdmin",
    "KeyAssignmentAdmin",
    "ProviderKeyAdmin",
    "SentinelAdmin",
    "ServedApiKeyAdmin",
]
