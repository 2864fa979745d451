from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import models

from providerkeys import badges
from providerkeys.models.bedrock_region import REGION_LENGTH
from providerkeys.models.secret_record import SecretRecord
from providerkeys.providers import registry

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from providerkeys.models.assignment import KeyAssignment


class ToldKey(SecretRecord):
    """A provider key as pages tell it: what it is to whom, in words. What its regions amount to is stored beside it."""

    if TYPE_CHECKING:
        provider: str
        scope: str
        enabled: bool
        assignments: RelatedManager[KeyAssignment]

    regions_count = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    regions_failing = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    last_check_region = models.CharField(max_length=REGION_LENGTH, blank=True, db_default="", editable=False)

    class Meta(SecretRecord.Meta):
        abstract = True

    @property
    def provider_label(self) -> str:
        return registry.label(self.provider)

    @property
    def status_badges(self) -> list[badges.Badge]:
        """Whether it serves, and what else is worth knowing."""
        counts = self.regions_failing, self.regions_count
        return badges.of_state(self.enabled, self.readable, self.verdict, *counts)

    @property
    def assignment_badges(self) -> list[badges.AssignmentBadge]:
        """For whom it serves: the organization, or one badge per API key."""
        return badges.of_assignment(self.scope, (one.api_key.name for one in self.assignments.all()))

    @property
    def last_check(self) -> badges.Told | None:
        """What the latest check said, in words, or ``None`` when there was none. Of several regions the worst one speaks."""
        told = self.told_last_check(self.provider)
        where = self.last_check_region
        return replace(told, sentence=f"{where}: {told.sentence}") if told and where else told
