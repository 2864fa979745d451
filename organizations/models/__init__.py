from organizations.models.api_key import ApiKey
from organizations.models.audit_event import AuditEvent
from organizations.models.organization import Membership, Organization, Role
from organizations.models.user import User

__all__ = ["ApiKey", "AuditEvent", "Membership", "Organization", "Role", "User"]
