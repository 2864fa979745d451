"""Records as pages show them: the record itself, and what only a page knows beside it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils.text import get_text_list

from organizations.access import Access
from providerkeys import badges
from providerkeys.models import CredentialCheck
from providerkeys.providers.verdicts import Verdict

_WORKS: Final = frozenset({Verdict.VALID, Verdict.LIMITED})


@dataclass(frozen=True)
class OpenCheck:
    """A check that has not ended: where to ask for it."""

    url: str

    @classmethod
    def of(cls, access: Access, check_id: str | None) -> "OpenCheck | None":
        return cls(check_url(access, check_id)) if check_id else None


@dataclass(frozen=True)
class Worse:
    """What would be given up: the ``regions`` in words, empty for a key without."""

    regions: str


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

    @cached_property
    def worse(self) -> Worse | None:
        """Which stored credentials that work a save would give up for typed ones that were refused; none while it runs."""
        key = self.check.provider_key
        if key is None or self.check.state_now != "done":
            return None
        refused = [
            result.label
            for result in self.check.results.all()
            if not result.record and result.verdict in badges.FAILING_VERDICTS
        ]
        if not refused:
            return None
        works = {record.label for record in key.secrets if record.readable and record.verdict in _WORKS}
        lost = [label for label in refused if label in works]
        return Worse(get_text_list(lost, "and")) if lost else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.check, name)


def check_url(access: Access, check_id: str) -> str:
    return reverse("check_detail", kwargs={"slug": access.organization.slug, "chk": check_id})
