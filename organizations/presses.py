"""One press of a button makes one record, however often it is sent: by a double click, a reload, or both at once."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import models
from django.utils import timezone

from organizations.ids import PublicIdField, id_by
from organizations.models.audit_event import AuditEvent
from organizations.models.organization import Organization

if TYPE_CHECKING:
    from organizations.access import Access

_LATELY: Final = timedelta(days=1)
"""For how long what a press has made is known after its deletion: an id is not to be given away twice."""


class MadeAlready(Exception):
    """The very same press has made its record before. ``pk`` is its id, whatever has become of it since."""

    def __init__(self, pk: str) -> None:
        super().__init__(pk)
        self.pk = pk


def id_for[M: models.Model](access: "Access", model: type[M], press: str) -> str:
    """Return the id for what this user's ``press`` is to make. Without one it is any new id.

    ``press`` tells all that was sent: a form that a browser kept, and that somebody has filled in anew, is another press.
    Call it in the transaction that makes it. Raises ``MadeAlready``.
    """
    primary_key = model._meta.pk
    assert isinstance(primary_key, PublicIdField)  # noqa: S101 -- what people make has one.
    if not press:
        return str(primary_key.get_default())
    pk = id_by(primary_key.prefix, access.organization.pk, access.user.pk, press)
    # Who presses twice at once waits here, and then finds what the other one made.
    Organization.objects.select_for_update().get(pk=access.organization.pk)
    lately = access.all(AuditEvent).filter(at__gt=timezone.now() - _LATELY)
    if access.all(model).filter(pk=pk).exists() or lately.filter(target_id=pk).exists():
        raise MadeAlready(pk)
    return pk
