from collections.abc import Iterator
from functools import partial
from typing import Any, cast

from axes.models import AccessAttempt
from axes.utils import reset
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.http import urlencode

from organizations import password_link
from organizations.admin.actions import action
from organizations.admin.base import AuditedAdmin
from organizations.admin.belongings import read_belongings
from organizations.admin.links import link
from organizations.models import Membership, User
from organizations.throttling import forget_links, is_locked

PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(User)
class UserAdmin(AuditedAdmin):
    """No page sets or shows a password: people set their own by a link to their mailbox."""

    list_display = ("email", "name", "in_organizations", "is_active", "is_staff", "last_login", "created_at")
    list_filter = ("is_active", "is_staff", "is_superuser", "last_login", "created_at")
    search_fields = ("email", "name", "id", "memberships__organization__slug")
    search_help_text = "By address, name, id, or an organization’s slug"
    ordering = ("email",)
    fields = ("email", "name", "id", "member_of", "is_active", "login", *PRIVILEGES, "last_login", "created_at")
    readonly_fields = ("id", "member_of", "login", "last_login", "created_at")
    filter_horizontal = ("groups", "user_permissions")
    actions = ("send_set_password_link", "unlock_login", "deactivate")
    secret_fields = frozenset({"password"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users: QuerySet[User] = super().get_queryset(request).annotate(is_locked=is_locked())
        return users

    def read_along(self, rows: QuerySet[User]) -> QuerySet[User]:
        return rows.prefetch_related(Prefetch("memberships", Membership.objects.select_related("organization")))

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj:
            read_belongings(obj)
        return super().get_form(request, obj, change, **kwargs)

    @admin.display(description="organizations")
    def in_organizations(self, user: User) -> str:
        return format_html_join(", ", "{}", ((link(one.organization),) for one in user.memberships.all()))

    @admin.display
    def member_of(self, user: User) -> str:
        lines = ((link(one.organization), link(one, one.get_role_display())) for one in user.memberships.all())
        return format_html_join("", "<p>{}: {}</p>", lines) or "-"

    @admin.display
    def login(self, user: Any) -> str:
        """Why somebody can't come in, in the words of whoever answers them."""
        if not user.is_active:
            return "Deactivated: they can’t log in."
        if user.is_locked:
            return "Locked after too many failed tries. It opens by itself, or by “Unlock login”."
        return "Open." if user.has_usable_password() else "No password yet: send them a link for setting one."

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

    def lists_of(self, request: HttpRequest, obj: User) -> list[tuple[str, str]]:
        attempts = self.admin_site.get_model_admin(AccessAttempt)
        address = f"{reverse('admin:axes_accessattempt_changelist')}?{urlencode({'q': obj.email})}"
        failed = [("Failed logins", address)] if attempts.has_view_permission(request) else []
        return [*super().lists_of(request, obj), *failed]

    def idle_actions(self, obj: User) -> frozenset[str]:
        return frozenset() if obj.is_active else frozenset({"send_set_password_link", "deactivate"})

    def _within_reach(self, request: HttpRequest, queryset: QuerySet[User]) -> Iterator[User]:
        """The chosen users that this person may act on. Of the others it is said that they were left alone."""
        for user in queryset:
            if self._may_touch(request, user):
                yield user
            else:
                self.message_user(request, f"{user} is staff: only a superuser may do that.", messages.WARNING)

    @action("Send a link for setting the password")
    def send_set_password_link(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        told = list(self._within_reach(request, queryset.filter(is_active=True)))
        for user in told:
            with transaction.atomic():
                self.record(request, user, "set_password_link_sent")
                # An object's own page acts inside a transaction. Nothing is enqueued in one.
                transaction.on_commit(partial(self._ask_for_link, request, user))
        if not told:
            self.message_user(request, "No link was sent: nobody of them can log in.", messages.WARNING)

    def _ask_for_link(self, request: HttpRequest, user: User) -> None:
        if password_link.ask(user.pk):
            self.message_user(request, f"A link is on its way to {user.email}.", messages.SUCCESS)
            return
        with transaction.atomic():
            self.record(request, user, "set_password_link_sent", result="no worker was told")
        self.message_user(request, f"No link was sent to {user.email}: no worker can be told.", messages.ERROR)

    @action("Unlock login")
    def unlock_login(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        unlocked = [user for user in self._within_reach(request, queryset) if self._unlock(request, user)]
        self.say(request, "Unlocked", unlocked)

    @transaction.atomic
    def _unlock(self, request: HttpRequest, user: User) -> bool:
        """Forget what was counted against this user; whether there was anything."""
        counted = reset(username=user.email) + forget_links(user.email)
        if counted:
            self.record(request, user, "login_unlocked")
        return bool(counted)

    @action("Deactivate", "ends their sessions")
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        text = (
            "They are logged out at once, and can't log in again. What they made stays. You can't deactivate yourself."
        )
        if page := self.ask_first(request, queryset, "Deactivate these users?", text):
            return page
        others = queryset.filter(is_active=True).exclude(pk=request.user.pk)
        ended = [user for user in self._within_reach(request, others) if self._deactivate(request, user)]
        self.say(request, "Deactivated", ended)
        return None

    @transaction.atomic
    def _deactivate(self, request: HttpRequest, user: User) -> bool:
        ended = User.objects.filter(pk=user.pk, is_active=True).update(is_active=False)
        if ended:
            self.record(request, user, "deactivated")
            # Each organization sees why its member is gone.
            for membership in user.memberships.select_related("organization"):
                self.record(request, membership, "deactivated")
        return bool(ended)
