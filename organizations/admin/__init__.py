from django.contrib import admin

from organizations.admin.api_key import ApiKeyAdmin
from organizations.admin.audit_event import AuditEventAdmin
from organizations.admin.base import AuditedAdmin, Inlined, ReadOnlyAdmin
from organizations.admin.failed_login import FailedLoginAdmin
from organizations.admin.group import GroupAdmin
from organizations.admin.organization import MembershipAdmin, OrganizationAdmin
from organizations.admin.user import UserAdmin
from organizations.forms import StaffLoginForm

__all__ = [
    "ApiKeyAdmin",
    "AuditEventAdmin",
    "AuditedAdmin",
    "FailedLoginAdmin",
    "GroupAdmin",
    "Inlined",
    "MembershipAdmin",
    "OrganizationAdmin",
    "ReadOnlyAdmin",
    "UserAdmin",
]

admin.site.login_form = StaffLoginForm
admin.site.index_title = "Administration"
