from django.contrib import admin

from organizations.admin.api_key import ApiKeyAdmin
from organizations.admin.audit_event import AuditEventAdmin
from organizations.admin.base import AuditedAdmin
from organizations.admin.organization import MembershipAdmin, OrganizationAdmin
from organizations.admin.user import UserAdmin
from organizations.forms import StaffLoginForm

__all__ = ["ApiKeyAdmin", "AuditEventAdmin", "AuditedAdmin", "MembershipAdmin", "OrganizationAdmin", "UserAdmin"]

admin.site.login_form = StaffLoginForm
