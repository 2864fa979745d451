"""The fields of a Google service account: its JSON, and where Vertex AI is asked."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError

from providerkeys.forms.fields import SecretTextarea, TextField
from providerkeys.providers import google_locations, service_account
from providerkeys.providers.refusals import Refused
from providerkeys.providers.service_account import ServiceAccount

_LIKE_A_LOCATION: Final = re.compile(r"[a-z0-9-]{1,30}", re.IGNORECASE)
_CHOOSE: Final = "Choose a Google Cloud region such as europe-west4, or us, eu or global; leave it empty for global."


class ServiceAccountField(TextField):
    """A service account key: cleans to ``ServiceAccount``, or to ``None`` where blank keeps the stored one."""

    widget = SecretTextarea

    def __init__(self, *, required: bool) -> None:
        super().__init__(
            label="Service account JSON",
            required=required,
            error_messages={"required": "Paste the service account JSON, or choose its file."},
        )

    def clean(self, value: Any) -> ServiceAccount | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return service_account.parse(text)
        except Refused as refused:
            sentence = str(refused)
        # Outside the handler, so that nothing of the paste hangs on the error as its context.
        raise ValidationError(sentence, code="refused")


class LocationField(TextField):
    """A location of the closed list. Empty means global; a form without the field at all means the ``stored`` one."""

    def __init__(self, stored: Mapping[str, str] | None) -> None:
        self.stored = (stored or {}).get("location", google_locations.DEFAULT)
        super().__init__(label="Location", required=False, initial=None if stored is None else self.stored)

    def clean(self, value: Any) -> str:
        location = (super().clean(value) or google_locations.DEFAULT).lower() if value is not None else self.stored
        if location not in google_locations.ENDPOINTS:
            raise ValidationError(_CHOOSE, code="unknown")
        return location

    def prepare_value(self, value: Any) -> Any:
        # Whatever else was pasted here by mistake, a whole key perhaps, is not shown again.
        return value if value and _LIKE_A_LOCATION.fullmatch(str(value)) else ""

    @property
    def choices(self) -> list[str]:
        """What may be typed."""
        return list(google_locations.ENDPOINTS)
