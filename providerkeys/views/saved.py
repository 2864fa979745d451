"""What is told after a provider key was saved: what is known of it, what becomes of the old credentials, who is like it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from django.contrib import messages
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import get_text_list

from organizations.access import Access
from providerkeys import badges
from providerkeys.forms import ProviderKeyForm
from providerkeys.models import BedrockRegion, CredentialCheck, ProviderKey, holders_of, twins_of
from providerkeys.providers.aws_access_key import AccessKey
from providerkeys.providers.base import CredentialKind
from providerkeys.providers.verdicts import Verdict
from providerkeys.views.twins import linked


@dataclass(frozen=True)
class Stored:
    """What a key holds: fingerprints by the labels of their rows, and its hint. Taken before a save, to compare."""

    fingerprints: Mapping[str, str]
    hint: str

    @classmethod
    def of(cls, key: ProviderKey) -> Self:
        return cls({record.label: record.fingerprint for record in key.secrets}, key.hint)

    def gone_in(self, now: Self) -> set[str]:
        """The fingerprints of what stands nowhere any more."""
        return {one for label, one in self.fingerprints.items() if now.fingerprints.get(label) != one}

    def kept_in(self, now: Self) -> list[str]:
        """The labels of the rows that have what they had."""
        return [label for label, one in self.fingerprints.items() if now.fingerprints.get(label) == one]


@dataclass(frozen=True)
class Save:
    """A save of ``key`` by ``form``, and the check that follows it, if any."""

    request: HttpRequest
    access: Access
    form: ProviderKeyForm
    key: ProviderKey
    check: CredentialCheck | None

    def tell_created(self) -> None:
        self._tell_verdict(f"{self.key.name} was created.")
        self._warn_of_namesakes()
        self._warn_of_twins()

    def tell_changed(self, changed: list[str], before: Stored) -> None:
        """``changed`` is what ``ProviderKey.change`` returned."""
        if "credentials" in changed:
            self._tell_verdict(f"{self.key.name} was saved.")
            self._tell_of_the_old(before)
        else:
            messages.success(self.request, f"{self.key.name} was saved. Its credentials are unchanged.")
        if "name" in changed:
            self._warn_of_namesakes()
        self._warn_of_twins()

    def _tell_verdict(self, saved: str) -> None:
        """Say what is known of the credentials. The page puts the verdict of the check in its place."""
        if self.check:
            running = format_html('<span data-running="{}">Its test is running.</span>', self.key.pk)
            messages.success(self.request, format_html("{} {}", saved, running))
            return
        key = self.key
        key.refresh_from_db(fields=["verdict", "reason", "verdict_at"])
        if key.verdict in {"", Verdict.VALID}:
            messages.success(self.request, saved)
            return
        told = badges.tell(key.provider, key.verdict, key.reason, key.verdict_at)
        level = messages.ERROR if told.tone == "red" else messages.WARNING
        said = format_html("{} Its test said: <strong>{}</strong> {}", saved, told.word, told.sentence)
        messages.add_message(self.request, level, said)

    def _tell_of_the_old(self, before: Stored) -> None:
        """Whoever revokes the old credentials before nothing runs on them any more stops what runs on them."""
        now = Stored.of(self.key)
        gone, kept = before.gone_in(now), self._without_typed(before.kept_in(now))
        if not gone:
            messages.success(self.request, "Requests use what is stored now within 5 s.")
        elif kept:
            messages.warning(self.request, self._kept(get_text_list(kept, "and")))
        elif elsewhere := linked(self.access, holders_of(self.access, gone, self.key)):
            messages.warning(self.request, self._held(elsewhere, before.hint))
        else:
            messages.success(self.request, self._to_revoke(before.hint))

    def _kept(self, rows: str) -> SafeString:
        return format_html(
            "Requests use what is stored now within 5 s. {} kept what was stored before:"
            " revoke an old access key at {} only when no row has it.",
            rows,
            self._link,
        )

    def _held(self, elsewhere: SafeString, hint: str) -> SafeString:
        return format_html(
            "Requests use the new key within 5 s. The old one is stored in {} too: replace it there, then revoke it at {}.{}",
            elsewhere,
            self._link,
            self._known_by(hint),
        )

    def _known_by(self, hint: str) -> str:
        """What tells one API key from another; a service account or an access key has no hint that would."""
        one_key = self.form.chosen and self.form.chosen.credential is CredentialKind.API_KEY
        return f" Its hint was {hint}." if one_key else ""

    def _without_typed(self, regions: list[str]) -> list[str]:
        """The regions whose access key is none of those that were typed: one typed again is no old one."""
        drafts = self.form.typed.get("regions", ())
        keys = [AccessKey.read(draft.credential.secret) for draft in drafts if draft.credential]
        typed = {key.id for key in keys if key}
        rows = {row.region: row for row in self.key.secrets if isinstance(row, BedrockRegion)}
        return [name for name in regions if not any(rows[name].holds_id(one) for one in typed if name in rows)]

    def _to_revoke(self, hint: str) -> SafeString:
        self.key.refresh_from_db(fields=["verdict"])
        known_by = self._known_by(hint)
        if self.key.verdict == Verdict.VALID:
            return format_html(
                "Requests use the new key within 5 s. Now revoke the old one at {}.{}", self._link, known_by
            )
        return format_html(
            "Requests use the new key within 5 s. Revoke the old one at {} once this one is shown as valid.{}",
            self._link,
            known_by,
        )

    @property
    def _link(self) -> SafeString:
        """Where its provider's keys are made and revoked."""
        url = self.form.chosen.keys_url if self.form.chosen else ""
        return format_html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', url, self.form.keys_at)

    def _warn_of_namesakes(self) -> None:
        """Two keys of one provider may bear one name; whoever has to choose between them in a hurry can't."""
        key = self.key
        others = self.access.all(ProviderKey).filter(provider=key.provider, name=key.name).exclude(pk=key.pk)
        if others.exists():
            text = f"Another {key.provider_label} key is called {key.name} too. Rename one to tell them apart."
            messages.warning(self.request, text)

    def _warn_of_twins(self) -> None:
        """Whoever saved without a test has not been told yet."""
        twins = linked(self.access, twins_of(self.access, self.form.rows(), self.key))
        if twins:
            messages.warning(self.request, format_html("The same credentials are stored in {} too.", twins))
