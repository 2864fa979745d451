"""Records as pages show them: the record itself, and what only a page knows beside it."""

from dataclasses import dataclass
from typing import Any

from django.db.models import prefetch_related_objects
from django.urls import reverse

from organizations.access import Access
from providerkeys.models import CredentialCheck


@dataclass(frozen=True)
class OpenCheck:
    """A check that has not ended: where to ask for it."""

    url: str

    @classmethod
    def of(cls, access: Access, check_id: str | None) -> "OpenCheck | None":
        return cls(check_url(access, check_id)) if check_id else None


@dataclass(frozen=True)
class ShownCheck:
    """A check and its address. Everything else a template reads is the check's own."""

    check: CredentialCheck
    url: str

    @classmethod
    def of(cls, access: Access, check: CredentialCheck) -> "ShownCheck":
        """Load the check's results, in one query."""
        prefetch_related_objects([check], "results")
        return cls(check, check_url(access, check.pk))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.check, name)


def check_url(access: Access, check_id: str) -> str:
    return reverse("check_detail", kwargs={"slug": access.organization.slug, "chk": check_id})
