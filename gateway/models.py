from django.db import models
from django.utils import timezone

from organizations.ids import PublicIdField
from organizations.text import NAME_LENGTH

_ID_LENGTH = 40


class RequestRecord(models.Model):
    """One request of a known API key, as it was served or refused. Bodies are never stored.

    Without foreign keys: it says what was so at that time, and outlives the keys that it names.
    """

    id = PublicIdField(prefix="req")
    at = models.DateTimeField(default=timezone.now, editable=False)
    organization_id = models.CharField(max_length=_ID_LENGTH, editable=False)
    api_key_id = models.CharField(max_length=_ID_LENGTH, editable=False)
    api_key_name = models.CharField(max_length=NAME_LENGTH, editable=False)
    api_key_hint = models.CharField(max_length=20, editable=False)
    api = models.CharField(max_length=40, editable=False)
    provider = models.CharField(max_length=40, blank=True, editable=False)
    model = models.CharField(max_length=200, blank=True, editable=False)
    region = models.CharField(max_length=30, blank=True, editable=False)
    provider_key_id = models.CharField(max_length=_ID_LENGTH, blank=True, editable=False)
    provider_key_name = models.CharField(max_length=NAME_LENGTH, blank=True, editable=False)
    provider_key_hint = models.CharField(max_length=200, blank=True, editable=False)
    provider_key_version = models.PositiveIntegerField(null=True, editable=False)
    provider_request_id = models.CharField(max_length=200, blank=True, editable=False)
    status = models.PositiveSmallIntegerField(editable=False)
    reason = models.CharField(max_length=60, blank=True, editable=False)
    attempts = models.JSONField(default=list, editable=False)
    """One object a try: ``provider_key``, ``status`` (0: no answer), ``reason``, ``milliseconds``."""
    streamed = models.BooleanField(default=False, editable=False)
    first_byte_ms = models.PositiveIntegerField(null=True, editable=False)
    total_ms = models.PositiveIntegerField(editable=False)
    tokens_in = models.PositiveIntegerField(null=True, editable=False)
    tokens_out = models.PositiveIntegerField(null=True, editable=False)

    class Meta:
        verbose_name = "request"
        indexes = (
            models.Index(fields=["organization_id", "at"], name="request_of_organization"),
            models.Index(fields=["at"], name="request_at"),
        )

    def __str__(self) -> str:
        return self.pk
