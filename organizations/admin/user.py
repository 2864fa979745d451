from typing import Any, cast

from axes.utils import reset
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from organizations import password_link
from organizations.admin.base import AuditedAdmin
from organizations.models import User
from organizations.throttling import forget_links

PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(User)
class UserAdmin(AuditedAdmin):
    """No page sets or shows a password: people set their own by a link to their mailbox."""

    list_display = ("email", "name", "is_active", "is_staff", "last_login", "created_at")
    list_filter = ("is_active", "is_staff", "is_superuser", "last_login", "created_at")
    search_fields = ("email", "name", "id")
    ordering = ("email",)
    fields = ("email", "name", "id", "is_active", *PRIVILEGES, "last_login", "created_at")
    readonly_fields = ("id", "last_login", "created_at")
    filter_horizontal = ("groups", "user_permissions")
    actions = ("send_set_password_link", "unlock_login", "deactivate")
    secret_fields = frozenset({"password"})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Whoever could raise their own rights would be a superuser already.
        superuser = cast(User, request.user).is_superuser
        return tuple(self.readonly_fields) if superuser else (*self.readonly_fields, *PRIVILEGES)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    @staticmethod
    def _may_touch(request: HttpRequest, obj: User | None) -> bool:
        # Changing the address of somebody with rights, and asking for a reset link, would be a way to those rights.
        mine = cast(User, request.user)
        return obj is None or not (obj.is_superuser or obj.is_staff) or mine.is_superuser

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)

    def record_deletion(self, request: HttpRequest, obj: User) -> None:
        # Each organization sees that it lost a member, which the deletion of the user alone would not tell it.
        for membership in obj.memberships.select_related("organization"):
            self.record(request, membership, "deleted")
        super().record_deletion(request, obj)

    @admin.action(description="Send a link for setting the password", permissions=["change"])
    def send_set_password_link(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset.filter(is_active=True):
            with transaction.atomic():
                self.record(request, user, "set_password_link_sent")
            if not password_link.ask(user.pk):
                with transaction.atomic():
                    self.record(request, user, "set_password_link_sent", result="no worker was told")
                self.message_user(request, f"No link was sent to {user.email}: no worker can be told.", messages.ERROR)

    @admin.action(description="Unlock login", permissions=["change"])
    def unlock_login(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            with transaction.atomic():
                self.record(request, user, "login_unlocked")
                reset(username=user.email)
                forget_links(user.email)

    @admin.action(description="Deactivate: ends their sessions", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        text = (
            "They are logged out at once, and can't log in again. What they made stays. You can't deactivate yourself."
        )
        if page := self.ask_first(request, queryset, "Deactivate these users?", text):
            return page
        for user in queryset.filter(is_active=True).exclude(pk=request.user.pk):
            if self._may_touch(request, user):
                self._deactivate(request, user)
        return None

    @transaction.atomic
    def _deactivate(self, request: HttpRequest, user: User) -> None:
        User.objects.filter(pk=user.pk).update(is_active=False)
        self.record(request, user, "deactivated")
        # Each organization sees why its member is gone.
        for membership in user.memberships.select_related("organization"):
            self.record(request, membership, "deactivated")
