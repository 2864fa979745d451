"""Rows of region, access key ID and secret access key: one field of the form, with a small form for each row."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from providerkeys.forms.fields import ONE_OF_TWO, Secret, SecretInput, TextField
from providerkeys.models import BedrockRegion, RegionDraft
from providerkeys.providers.aws_access_key import AccessKey, clean_id, clean_secret, missing
from providerkeys.providers.aws_regions import CHOICES
from providerkeys.providers.base import Credential
from providerkeys.providers.refusals import Refused

MOST_ROWS: Final = 40
_NAME: Final = re.compile(r"regions-([0-9]{1,4})-(region|access_key_id|secret_access_key|emptied|keep_stored)")
# What may be shown again: no secret that was pasted into the wrong field.
_LIKE_AN_ID: Final = re.compile(r"[A-Z0-9]{16,24}")
_CHOOSE: Final = "Choose a region from the list."
_NO_REGION: Final = "Choose a region."
_NO_ROW: Final = "Add at least one region."
_TOO_MANY: Final = f"Use at most {MOST_ROWS} regions."
_OTHER_ID: Final = "A changed access key ID needs its secret access key: type it here."
_TYPE_AGAIN: Final = "Type the new secret access key again, or tick “Keep the stored key”."
_NEW_REGION: Final = "A stored secret never moves to another region: type the secret access key."

type Sent = Mapping[int, Mapping[str, str]]
"""What a browser sent of each row, by the number in its fields' names."""


@dataclass(frozen=True, slots=True)
class Regions:
    """The cleaned rows, in their order, and what is unusual about the shape of one of them."""

    drafts: tuple[RegionDraft, ...]
    hint: str = ""


class RegionForm(forms.Form):
    """One row. ``stored`` is the record whose secret a blank one stands for.

    Once a new one was typed and emptied for safety (``emptied``), blank needs a word: ``keep_stored``.
    """

    region = forms.ChoiceField(
        label="Region",
        choices=[("", "Choose"), *((one, one) for one in CHOICES)],
        error_messages={"required": _NO_REGION, "invalid_choice": _CHOOSE},
    )
    access_key_id = TextField(
        label="Access Key ID", required=False, strip=False, error_messages={"required": missing("access key ID")}
    )
    secret_access_key = TextField(
        label="Secret Access Key",
        required=False,
        widget=SecretInput,
        strip=False,
        error_messages={"required": missing("secret access key")},
    )
    emptied = forms.BooleanField(required=False, widget=forms.HiddenInput)
    keep_stored = forms.BooleanField(label="Keep the stored key", required=False)

    def __init__(
        self,
        number: int,
        data: Mapping[str, str] | None = None,
        *,
        stored: Mapping[str, BedrockRegion] | None = None,
        region: str = "",
    ) -> None:
        super().__init__(data, initial={"region": region}, prefix=f"regions-{number}")
        self.stored = (stored or {}).get(data.get(self.add_prefix("region"), "") if data is not None else region)
        self.row_number = number + 1
        self.is_edit = bool(stored)

    @property
    def hint(self) -> str:
        """The mask of the stored access key id; empty in a new row."""
        return self.stored.hint if self.stored else ""

    @property
    def shown_id(self) -> str:
        """The access key id to show again."""
        key_id = str(self["access_key_id"].value() or "").strip()
        return key_id if _LIKE_AN_ID.fullmatch(key_id) else ""

    @property
    def without_secret(self) -> str:
        """What is said of a row that is begun and whose secret is blank."""
        again = self.stored and self.secret_was_typed
        return _TYPE_AGAIN if again else str(self.fields["secret_access_key"].error_messages["required"])

    @property
    def secret_was_typed(self) -> bool:
        """Whether somebody who sees this row again has its secret to type again."""
        names = ("secret_access_key", "emptied") if self.stored else ("secret_access_key",)
        return self.is_bound and any(self.data.get(self.add_prefix(name), "").strip() for name in names)

    def clean(self) -> None:
        """Put ``draft`` and ``hint`` beside the fields, or the objections at them."""
        key_id, secret = (self.cleaned_data.get(part, "").strip() for part in ("access_key_id", "secret_access_key"))
        if self.stored and not secret and self._is_stored_id(key_id):
            self._keep(self.stored)
            return
        if self.stored and secret and self.cleaned_data["keep_stored"]:
            self.add_error("secret_access_key", ONE_OF_TWO)
        key_id, secret = self._refine("access_key_id", key_id, clean_id), self._refine_secret(key_id, secret)
        if self.errors:
            return
        key, region = AccessKey(key_id, secret), self.cleaned_data["region"]
        self.cleaned_data["draft"] = RegionDraft(region, Credential(key.stored, {"region": region}))
        self.cleaned_data["hint"] = key.shape_hint

    def _keep(self, stored: BedrockRegion) -> None:
        if self.cleaned_data["emptied"] and not self.cleaned_data["keep_stored"]:
            self.add_error("secret_access_key", _TYPE_AGAIN)
        else:
            self.cleaned_data["draft"] = RegionDraft(stored.region)

    def _is_stored_id(self, key_id: str) -> bool:
        if not self.stored or not key_id or key_id == self.stored.hint:
            return True
        try:
            return self.stored.holds_id(clean_id(key_id))
        except Refused:
            return False

    def _refine_secret(self, key_id: str, secret: str) -> str:
        if not secret and self.is_edit:
            self.add_error("secret_access_key", _OTHER_ID if self.stored else _NEW_REGION)
            return ""
        return self._refine("secret_access_key", secret, clean_secret)

    def _refine(self, part: str, text: str, cleaner: Callable[[str], str]) -> str:
        try:
            return cleaner(text)
        except Refused as refused:
            sentence = str(refused)
        # Outside the handler, so that nothing of the paste hangs on the error as its context.
        self.add_error(part, ValidationError(sentence, code="refused"))
        return ""


class _RegionsInput(Secret):
    """Collects the rows of a request, whatever their numbers; a row in which nothing is said is none."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Sent:
        rows: dict[int, dict[str, str]] = {}
        for key, value in data.items():
            found = _NAME.fullmatch(key)
            if found and str(value).strip():
                rows.setdefault(int(found[1]), {})[key] = str(value)
        return {number: rows[number] for number in sorted(rows)[: MOST_ROWS + 1]}

    def was_typed(self, data: Mapping[str, Any], name: str) -> bool:
        rows = self.value_from_datadict(data, None, name).values()
        return any(key.endswith("secret_access_key") for row in rows for key in row)


class RegionsField(forms.Field):
    """The rows: cleans to ``Regions``. ``rows`` are those to show, with what is wrong in them.

    Where nothing is ``required``, no row at all stands for the stored ones.
    """

    widget = _RegionsInput

    def __init__(self, stored: Sequence[BedrockRegion], blank: int = 1) -> None:
        super().__init__(label="Regions", required=not stored)
        self._stored = {record.region: record for record in stored}
        shown = [*self._stored, *[""] * (min(blank, MOST_ROWS) - len(stored))] or [""]
        self.rows = [RegionForm(number, stored=self._stored, region=region) for number, region in enumerate(shown)]

    @property
    def stored(self) -> list[BedrockRegion]:
        """The records whose secrets blank rows stand for, in their order."""
        return list(self._stored.values())

    @property
    def global_region(self) -> str:
        """Where a row for ``global`` is tested."""
        return str(settings.BEDROCK_GLOBAL_REGION)

    @property
    def most(self) -> int:
        return MOST_ROWS

    def clean(self, value: Sent) -> Regions:
        self.rows = [
            RegionForm(place, _renumbered(row, place), stored=self._stored) for place, row in enumerate(value.values())
        ]
        if not self.rows and not self.required:
            return Regions(())
        if not self.rows:
            self.rows = [RegionForm(0)]
            raise ValidationError(_NO_ROW, code="required")
        if len(self.rows) > MOST_ROWS:
            del self.rows[MOST_ROWS:]
            raise ValidationError(_TOO_MANY, code="too_many")
        valid = [row.is_valid() for row in self.rows]
        if _refuse_duplicates(self.rows) or not all(valid):
            # Said at its place in the row; here stands only that something is.
            raise ValidationError([ValidationError("", code="row")])
        cleaned = [row.cleaned_data for row in self.rows]
        return Regions(
            tuple(row["draft"] for row in cleaned), next((row["hint"] for row in cleaned if row.get("hint")), "")
        )

    @property
    def was_emptied_unsaid(self) -> bool:
        """Whether a row's secret was emptied for safety at a field that has no error to say so."""
        return any(row.secret_was_typed and not row["secret_access_key"].errors for row in self.rows)

    @property
    def refused(self) -> list[BoundField]:
        """The fields of the rows that need the person again."""
        return [field for row in self.rows if row.is_bound for field in row if field.errors]

    def another(self, numbers: Iterable[int]) -> RegionForm:
        """A blank row behind those that are numbered so."""
        return RegionForm(max(numbers, default=-1) + 1)


def numbers_in(names: Iterable[str]) -> Iterator[int]:
    """The numbers of the rows whose fields have these ``names``."""
    return (int(found[1]) for name in names if (found := _NAME.fullmatch(name)))


def _renumbered(row: Mapping[str, str], place: int) -> dict[str, str]:
    return {f"regions-{place}-{name.rpartition('-')[2]}": value for name, value in row.items()}


def _refuse_duplicates(rows: Sequence[RegionForm]) -> bool:
    first: dict[str, int] = {}
    found = False
    for number, row in enumerate(rows, start=1):
        region = row.cleaned_data.get("region")
        if region and first.setdefault(region, number) != number:
            row.add_error(
                "region", f"Row {first[region]} is for {region} already. Choose another region, or remove this row."
            )
            found = True
    return found
