from typing import Any, cast

from django.contrib import admin
from django.contrib.auth import admin as _theirs  # noqa: F401  It registers first what is taken back here.
from django.contrib.auth.models import Group, Permission
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest

from organizations.admin.base import AuditedAdmin
from organizations.models import User

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(AuditedAdmin):
    """Rights for several people at once. A group's rights are its members' own, so that a superuser alone changes one."""

    list_display = ("name",)
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("name", "permissions")
    filter_horizontal = ("permissions",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Read the group's rights with the kinds of objects that they are called by, before the form asks for each."""
        if obj:
            prefetch_related_objects([obj], Prefetch("permissions", Permission.objects.select_related("content_type")))
        return super().get_form(request, obj, change, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return cast(User, request.user).is_superuser
