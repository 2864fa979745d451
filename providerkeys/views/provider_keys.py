"""The form that creates and edits a provider key."""

from http import HTTPStatus

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from organizations.access import Access, admin_view
from organizations.models import AuditEvent
from organizations.presses import MadeAlready
from providerkeys.forms import ProviderKeyForm
from providerkeys.forms.fields import NOT_YOURS
from providerkeys.models import CredentialCheck, ProviderKey, VersionConflict
from providerkeys.models.assignment import ForeignAssignment
from providerkeys.views.api_key_addresses import detail_behind
from providerkeys.views.form_page import Conflict, rows_asked_for, show_form, show_outlook
from providerkeys.views.htmx import leave, show
from providerkeys.views.key_list import back_to_list, list_url
from providerkeys.views.replacement import Stored
from providerkeys.views.saved import Save
from providerkeys.views.stored import key_to_edit

_form_methods = require_http_methods(["GET", "HEAD", "POST"])


@_form_methods
@sensitive_post_parameters()
@admin_view
def provider_key_new(request: HttpRequest, access: Access) -> HttpResponse:
    if request.method != "POST":
        asked_for = {"provider": request.GET.get("provider", ""), **rows_asked_for(request)}
        # An API key’s page leads here for a key of its own. The form knows which ids are the organization’s.
        asked_for |= {"api_key_ids": request.GET.getlist("api_key")}
        return show_form(request, access, ProviderKeyForm(access, initial=asked_for))
    form = ProviderKeyForm(access, request.POST)
    if not form.is_valid() or not _create(request, access, form):
        return show_form(request, access, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return leave(request, detail_behind(request, access) or list_url(access))


@_form_methods
@sensitive_post_parameters()
@admin_view
def provider_key_edit(request: HttpRequest, access: Access, pk: str) -> HttpResponse:
    try:
        key = key_to_edit(access, pk)
    except Http404:
        if request.method == "POST" and _was_deleted(access, pk):
            return _show_gone(request, access)
        raise
    if request.method != "POST":
        return show_form(request, access, ProviderKeyForm(access, key=key, initial=rows_asked_for(request)))
    form = ProviderKeyForm(access, request.POST, key=key)
    try:
        if not form.is_valid() or not _change(request, access, form, key):
            return show_form(request, access, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except VersionConflict:
        return _show_conflict(request, access, form, key)
    except ProviderKey.DoesNotExist:
        return _show_gone(request, access)
    return back_to_list(request, access)


@require_POST
@sensitive_post_parameters()
@admin_view
def outlook(request: HttpRequest, access: Access, pk: str = "") -> HttpResponse:
    """Say what saving the assignment that is chosen in a form would change. Nothing is changed, and no secret is sent."""
    key = access.get(ProviderKey, pk) if pk else None
    return show_outlook(request, access, ProviderKeyForm(access, request.POST, key=key))


def _create(request: HttpRequest, access: Access, form: ProviderKeyForm) -> bool:
    """Save a new key. Needs neither broker nor worker. False when the form has an error by now."""
    try:
        with transaction.atomic():
            key = ProviderKey.create(access, form.cleaned_data["provider"], form.draft(), form.one_press)
            check = CredentialCheck.follow_save(access, key)
    except MadeAlready:
        messages.info(request, "This provider key was saved by your first press.")
        return True
    except ForeignAssignment:
        # An API key that was there a moment ago, when the form asked.
        form.add_error("api_key_ids", NOT_YOURS)
        return False
    Save(request, access, form, key, check).tell_created()
    return True


def _change(request: HttpRequest, access: Access, form: ProviderKeyForm, key: ProviderKey) -> bool:
    """Save an edit. False when the form has an error by now. Raises what ``ProviderKey.change`` raises."""
    check, before = None, Stored.of(key)
    try:
        with transaction.atomic():
            changed = key.change(access, form.draft(), form.cleaned_data["version"])
            if "credentials" in changed:
                check = CredentialCheck.follow_save(access, key)
    except ForeignAssignment:
        form.add_error("api_key_ids", NOT_YOURS)
        return False
    Save(request, access, form, key, check).tell_changed(changed, before)
    return True


def _was_deleted(access: Access, pk: str) -> bool:
    """Whether this organization once had the key ``pk``: of any other there is nothing to tell."""
    # PostgreSQL refuses text with a NUL; no id has one.
    return access.all(AuditEvent).filter(target_id=pk.replace("\0", "?"), action="provider_key.deleted").exists()


def _show_gone(request: HttpRequest, access: Access) -> HttpResponse:
    """Tell who had the form open that its key was deleted meanwhile, in the form's place."""
    context = {"list_url": list_url(access)}
    return show(request, "providerkeys/gone.html", "form", context, HTTPStatus.NOT_FOUND)


def _show_conflict(request: HttpRequest, access: Access, form: ProviderKeyForm, key: ProviderKey) -> HttpResponse:
    """Say who saved first. Only somebody who was told what they would replace may save again."""
    conflict = Conflict.since(access, key, form.cleaned_data["version"])
    if conflict:
        form.accept_version(key.version)
    else:
        form.add_error(
            None, "This key was changed meanwhile. Open it again to see how it is now, then make your change."
        )
    return show_form(request, access, form, status=HTTPStatus.CONFLICT, conflict=conflict)
