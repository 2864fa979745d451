"""The only door to an organization's data.

A view under `/orgs/<slug>/…` is decorated with `member_view` or `admin_view` and receives an `Access`; it reaches rows
through `access.all` and `access.get`, which know one organization only. What belongs to another organization cannot be
told from what does not exist: the same exception, after the same queries.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Final, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from organizations.actors import Actor
from organizations.models import Membership, Organization, Role, User

__all__ = [
    "Access",
    "Actor",
    "access_for",
    "admin_view",
    "client_ip",
    "hand_over",
    "is_admin",
    "member_view",
    "page_behind",
    "redirect_to_login",
    "staff_access",
    "staff_may",
]

_READ: Final = "_memberships_read"

type View = Callable[..., HttpResponseBase]
type AccessView = Callable[Concatenate[HttpRequest, Access, ...], HttpResponseBase]


@dataclass(frozen=True)
class Access:
    """What one user may reach in one organization. `organizations` are all that the user belongs to, by name."""

    organization: Organization
    user: User
    role: Role
    actor: Actor
    organizations: tuple[Organization, ...] = ()

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    def all[M: models.Model](self, model: type[M]) -> models.QuerySet[M]:
        """Return the organization's rows of a model that has an `organization_id`."""
        return model._default_manager.filter(organization_id=self.organization.pk)

    def get[M: models.Model](self, model: type[M], pk: str, **more: Any) -> M:
        """Return one row, with what is asked of it in `more`. Raises Http404 for a foreign id and an unknown one alike."""
        try:
            # PostgreSQL refuses text with a NUL; no id has one.
            row: M = self.all(model).annotate(**more).get(pk=pk.replace("\0", "?"))
        except ObjectDoesNotExist:
            raise Http404 from None
        return row


class AccessRequest(HttpRequest):
    """A request that has passed the door."""

    access: Access


def access_for(user: User, slug: str, ip: str = "") -> Access:
    """Return the user's access to the organization called `slug` in URLs.

    Looks at the database each time, so that a removed member or a deactivated user is out at once; only what was read
    with the user of a session is taken from there, once. Raises Http404 for strangers, whether the organization exists
    or not.
    """
    by_slug = {membership.organization.slug: membership for membership in _memberships(user)}
    if slug not in by_slug:
        raise Http404
    return Access(
        organization=by_slug[slug].organization,
        user=user,
        role=Role(by_slug[slug].role),
        actor=Actor.member(user, ip),
        organizations=tuple(membership.organization for membership in by_slug.values()),
    )


def _memberships(user: User) -> Iterable[Membership]:
    read = _take_over(user)
    return Membership.of(user.pk).filter(user__is_active=True) if read is None else read


def _take_over(user: User) -> Sequence[Membership] | None:
    read: Sequence[Membership] | None = getattr(user, _READ, None)
    if read is not None:
        delattr(user, _READ)
    return read


def hand_over(user: User, memberships: Sequence[Membership]) -> None:
    """Let the next ``access_for`` of this very object take memberships that were read with it a moment ago."""
    setattr(user, _READ, memberships)


def first_organization(user: User) -> Organization | None:
    """Return where somebody works who has named no organization: the first of theirs by name."""
    return Organization.objects.filter(memberships__user=user).order_by("name", "pk").first()


def is_admin(user_id: str | None, organization_id: str) -> bool:
    """Return whether this user is an Admin of the organization now: for what was ordered a while ago and begins later."""
    admins = Membership.objects.filter(organization_id=organization_id, role=Role.ADMIN, user__is_active=True)
    return admins.filter(user_id=user_id).exists()


def staff_may(user_id: str | None, permission: str) -> bool:
    """Return whether this user is staff with that permission now, as `is_admin` does for Admins."""
    user = User.objects.filter(pk=user_id, is_active=True, is_staff=True).first()
    return user is not None and user.has_perm(permission)


def staff_access(user: User, organization: Organization, ip: str = "") -> Access:
    """Return the access of somebody acting in Django admin, who needs no membership. Raises PermissionDenied."""
    if not (user.is_active and user.is_staff):
        raise PermissionDenied
    return Access(organization=organization, user=user, role=Role.ADMIN, actor=Actor.staff(user, ip))


def client_ip(request: HttpRequest) -> str:
    """Return the peer's address. No header is believed: behind trusted proxies the server has set the right one."""
    return request.META.get("REMOTE_ADDR") or ""


def member_view(view: AccessView) -> View:
    """Let Admins and Members in."""
    return _door(view, frozenset(Role))


def admin_view(view: AccessView) -> View:
    """Let Admins in; a Member, who may know that the page exists, gets 403."""
    return _door(view, frozenset({Role.ADMIN}))


def _door(view: AccessView, roles: frozenset[Role]) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if isinstance(user, AnonymousUser):
            return redirect_to_login(request)
        if request.method not in {"GET", "HEAD"}:
            # Whoever changes something is looked up when all of it has come, which may take a while.
            _take_over(user)
        access = access_for(user, slug, client_ip(request))
        # A refusal is told in the organization, by its name.
        cast(AccessRequest, request).access = access
        if access.role not in roles:
            raise PermissionDenied
        return view(request, access, **kwargs)

    return guarded


def redirect_to_login(request: HttpRequest) -> HttpResponseBase:
    """Answer somebody who is not logged in. htmx would swap the login page into a fragment: it is told to leave."""
    htmx = HtmxDetails(request)
    back = page_behind(request) if htmx else request.get_full_path() if request.method == "GET" else None
    query = {"next": back} if back and url_has_allowed_host_and_scheme(back, allowed_hosts=None) else {}
    if htmx or request.method == "POST" or settings.SESSION_COOKIE_NAME in request.COOKIES:
        # Only a page of somebody who was logged in asks like this: what they were at ended without their doing.
        query["ended"] = "1"
    login = resolve_url("login") + ("?" + urlencode(query) if query else "")
    return HttpResponseClientRedirect(login) if htmx else HttpResponseRedirect(login)


def page_behind(request: HttpRequest) -> str:
    """Return the path and query of the page that htmx asks from; empty where it is none of this site, or no URL at all."""
    try:
        return HtmxDetails(request).current_url_abs_path or ""
    except ValueError:
        # A header that is no URL.
        return ""
