from dataclasses import dataclass, field

from organizations.models import AuditEvent
from providerkeys.models.bedrock_region import RegionDraft
from providerkeys.providers.base import Credential
from providerkeys.resolver import Scope


@dataclass(frozen=True, slots=True)
class Draft:
    """What a form says of a provider key. Without a ``credential`` and without ``regions`` the stored ones stay."""

    name: str
    scope: Scope
    api_key_ids: frozenset[str] = frozenset()
    credential: Credential | None = field(default=None, repr=False)
    regions: tuple[RegionDraft, ...] = ()

    @property
    def assigned_ids(self) -> frozenset[str]:
        """The API keys to assign: none beside the whole organization, whatever else the form names."""
        return self.api_key_ids if self.scope == Scope.API_KEYS else frozenset()


class VersionConflict(Exception):
    """Somebody else saved first. ``event`` is the audit event of their save, when it is still there."""

    def __init__(self, event: AuditEvent | None) -> None:
        super().__init__("Somebody else saved this provider key first.")
        self.event = event
