"""What is told after a provider key was saved: what is known of it, what becomes of the old credentials, who is like it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from django.contrib import messages
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import get_text_list

from organizations.access import Access
from providerkeys import badges
from providerkeys.badges import Badge
from providerkeys.forms import ProviderKeyForm
from providerkeys.models import BedrockRegion, CredentialCheck, ProviderKey, holders_of, twins_of
from providerkeys.providers.aws_access_key import AccessKey
from providerkeys.providers.base import CredentialKind
from providerkeys.providers.verdicts import Verdict
from providerkeys.resolver import Scope
from providerkeys.views.answers import listed
from providerkeys.views.replaced import remember
from providerkeys.views.serving import Board
from providerkeys.views.twins import linked

_LEVELS: Final = {"green": messages.SUCCESS, "red": messages.ERROR}


@dataclass(frozen=True)
class Stored:
    """What a key holds: fingerprints and hints by the labels of its rows. Taken before a save, to compare."""

    fingerprints: Mapping[str, str]
    hints: Mapping[str, str]

    @classmethod
    def of(cls, key: ProviderKey) -> Self:
        records = key.secrets
        return cls({one.label: one.fingerprint for one in records}, {one.label: one.hint for one in records})

    def among(self, now: Self) -> Self:
        """Of those rows alone that are still there."""
        return type(self)(
            {label: one for label, one in self.fingerprints.items() if label in now.fingerprints},
            {label: hint for label, hint in self.hints.items() if label in now.hints},
        )

    def gone_in(self, now: Self) -> set[str]:
        """The fingerprints of what stands nowhere any more."""
        return {one for label, one in self.fingerprints.items() if now.fingerprints.get(label) != one}

    def hints_gone_in(self, now: Self) -> list[str]:
        """The hints of those. A secret that was mistyped and is typed right has the access key ID that it had."""
        gone = [self.hints[label] for label, one in self.fingerprints.items() if now.fingerprints.get(label) != one]
        return [hint for hint in dict.fromkeys(gone) if hint not in now.hints.values()]

    def hints_replaced_in(self, now: Self) -> list[str]:
        """The hints of what another access key took the place of, wherever else it may stand."""
        return [hint for label, hint in self.hints.items() if now.hints.get(label) != hint]

    def kept_in(self, now: Self) -> list[str]:
        """The labels of the rows that have what they had."""
        return [label for label, one in self.fingerprints.items() if now.fingerprints.get(label) == one]


def _in_one_piece(hints: Iterable[str]) -> SafeString:
    """The hints, each of them in one piece: it is compared with what the provider's console shows."""
    *others, last = (format_html('<span class="whole">{}</span>', hint) for hint in hints)
    return format_html("{} and {}", format_html_join(", ", "{}", ((one,) for one in others)), last) if others else last


def _aside(said: SafeString) -> SafeString:
    """A line of its own, after what is to be done."""
    return format_html(' <span class="toast__aside">{}</span>', said)


@dataclass(frozen=True)
class Save:
    """A save of ``key`` by ``form``, and the check that follows it, if any."""

    request: HttpRequest
    access: Access
    form: ProviderKeyForm
    key: ProviderKey
    check: CredentialCheck | None

    def tell_created(self) -> None:
        self._tell_verdict(self._marked(f"{self.key.name} was created."))
        self._warn_of_namesakes()
        self._warn_of_twins()

    def tell_changed(self, changed: list[str], before: Stored) -> None:
        """``changed`` is what ``ProviderKey.change`` returned."""
        if "credentials" in changed:
            self._tell_verdict(self._marked(f"{self.key.name} was saved."))
            self._tell_of_the_old(before)
        else:
            self._tell_unchanged()
        if "name" in changed:
            self._warn_of_namesakes()
        self._warn_of_twins()

    def _tell_unchanged(self) -> None:
        if badges.FAILING in self.key.status_badges:
            said = f"{self.key.name} was saved. Its credentials are unchanged, and failed their last test{self._failing_for()}."
            messages.warning(self.request, self._marked(said))
        else:
            messages.success(self.request, self._marked(f"{self.key.name} was saved. Its credentials are unchanged."))

    def _failing_for(self) -> str:
        """Whose requests fail with the key: those of the API keys for which no other one would be tried."""
        board = Board.load(self.access, self.key.provider)
        names = [board.names[pk] for pk in board.usable_ids if board.now.is_alone(pk, self.key.pk)]
        if not names or badges.not_routed(self.key.provider):
            return ""
        return f": while they fail, so do the {self.key.provider_label} requests of {listed(names)}"

    def _marked(self, saved: str) -> SafeString:
        """The sentence, from which the page takes which row to bring into view."""
        return format_html('<span data-saved="{}">{}</span>', self.key.pk, saved)

    def _tell_verdict(self, saved: SafeString) -> None:
        """Say what is known of the credentials. The page puts the verdict of the check in its place."""
        badge = self._partly_failing()
        if badge:
            messages.warning(self.request, format_html("{} {}: {}.", saved, badge.word, self._failing_regions()))
            return
        if self.check:
            running = format_html('<span data-running="{}">Its test is running.</span>', self.key.pk)
            messages.success(self.request, format_html("{} {}", saved, running))
            return
        key = self.key
        key.refresh_from_db(fields=["verdict", "reason", "verdict_at"])
        if not key.verdict:
            messages.success(self.request, saved)
            return
        told = badges.tell(key.provider, key.verdict, key.reason, key.verdict_at)
        level = _LEVELS.get(told.tone, messages.WARNING)
        context = {"saved": saved, "told": told, "regions": self._regions_by_word()}
        said = render_to_string("providerkeys/carried.html", context)
        messages.add_message(self.request, level, said)

    def _partly_failing(self) -> Badge | None:
        """That some regions can't be used, where that is known and no test is about to say it."""
        self.key.refresh_from_db(fields=["regions_failing", "regions_count"])
        failing, of = self.key.regions_failing, self.key.regions_count
        return badges.partly_failing(failing, of) if not self.check and 0 < failing < of else None

    def _regions_by_word(self) -> Mapping[str, str]:
        """Where verdicts differ from region to region: each verdict, and of which it was given."""
        words: dict[str, list[str]] = {}
        for row in self.key.regions.defer("credentials"):
            word = badges.VERDICT_BADGES[Verdict(row.verdict)].word if row.verdict else "untested"
            words.setdefault(word, []).append(row.region)
        return {word: get_text_list(some, "and") for word, some in words.items()} if len(words) > 1 else {}

    def _failing_regions(self) -> str:
        failing = self.key.regions.filter(verdict__in=badges.FAILING_VERDICTS)
        return get_text_list(list(failing.values_list("region", flat=True)), "and")

    def _tell_of_the_old(self, before: Stored) -> None:
        """Whoever revokes the old credentials before nothing runs on them any more stops what runs on them."""
        now = Stored.of(self.key)
        gone, kept = before.gone_in(now), self._without_typed(before.kept_in(now))
        regions = self.form.chosen and self.form.chosen.credential is CredentialKind.IAM_REGIONS
        if not gone or (regions and not kept and not before.hints_gone_in(now)):
            is_good = not (self._is_failing() or self._partly_failing())
            level = messages.SUCCESS if is_good else messages.INFO
            messages.add_message(self.request, level, self._used("what is stored now"))
            return
        if kept:
            # Of a row that was removed nothing was replaced.
            before = before.among(now)
            gone = before.gone_in(now)
        ids = before.hints_replaced_in(now) if regions else []
        elsewhere = linked(self.access, holders_of(self.access, gone, self.key, ids=ids))
        if kept:
            told = self._kept(get_text_list(kept, "and"), elsewhere)
            named = elsewhere and ids
            known_by = (
                _aside(format_html("The old access key ID: {}.", _in_one_piece(dict.fromkeys(ids)))) if named else ""
            )
            messages.warning(self.request, format_html("{}{}", told, known_by))
        elif elsewhere:
            messages.warning(self.request, self._held(elsewhere, self._known_by(before, now)))
        else:
            self._tell_to_revoke(self._known_by(before, now))

    def _kept(self, rows: str, elsewhere: SafeString) -> SafeString:
        too = format_html(", and the one that was replaced is stored in {} too", elsewhere) if elsewhere else ""
        return format_html(
            "{} {} kept what was stored before{}: revoke an old access key at {} only when no row has it.",
            *(self._used("what is stored now"), rows, too, self._link),
        )

    def _held(self, elsewhere: SafeString, known_by: str) -> SafeString:
        replace = format_html("replace the old one there, then revoke it at {}.", self._link)
        replace = self._by_verdict(
            unknown=format_html("once a test says that the new one is valid, {}", replace),
            valid=replace,
            limited=format_html("once the new one does what you need, {}", replace),
            failing=format_html("the new one failed its test. Replace it with one that works, then {}", replace),
        )
        used = self._used("the new key")
        return format_html("{} The old one is stored in {} too: {}{}", used, elsewhere, replace, known_by)

    def _by_verdict(self, unknown: SafeString, **then: SafeString) -> SafeString:
        """What follows from the verdict on the new credentials. Without one the page puts it there when the test has ended."""
        self.key.refresh_from_db(fields=["verdict"])
        known = "failing" if self.key.verdict in badges.FAILING_VERDICTS else self.key.verdict
        if known in then:
            return then[known]
        tones = {"valid": "green", "limited": "amber", "failing": "red"}
        said = format_html_join(
            "", '<template data-then="{}">{}</template>', ((tones[verdict], text) for verdict, text in then.items())
        )
        return format_html('<span data-awaits="{}">{}</span>{}', self.key.pk, unknown, said)

    def _known_by(self, before: Stored, now: Stored) -> str:
        """What tells one key from another, and what it replaced itself a moment ago; a service account has no hint that would."""
        kind = self.form.chosen.credential if self.form.chosen else None
        if kind is CredentialKind.IAM_REGIONS:
            return _aside(format_html("The old access key ID: {}.", _in_one_piece(before.hints_gone_in(now))))
        if kind is not CredentialKind.API_KEY:
            return ""
        [(fingerprint, hint)] = zip(before.fingerprints.values(), before.hints.values(), strict=True)
        same = " The new one has the same: tell them apart by when they were made." if self.key.hint == hint else ""
        told = _aside(format_html("The old one’s hint: {}.{}", _in_one_piece([hint]), same))
        earlier = remember(self.request, self.key, fingerprint, hint)
        if not earlier:
            return told
        verb, them = ("were", "them") if len(earlier) > 1 else ("was", "it")
        also = format_html("{} {} replaced shortly before: revoke {} too", _in_one_piece(earlier.values()), verb, them)
        held = linked(self.access, holders_of(self.access, set(earlier), self.key))
        first = "replace it first in" if them == "it" else "first replace those that are stored in"
        also = format_html("{}, but {} {}.", also, first, held) if held else format_html("{}.", also)
        return format_html("{}{}", told, _aside(also))

    def _without_typed(self, regions: list[str]) -> list[str]:
        """The regions whose access key is none of those that were typed: one typed again is no old one."""
        drafts = self.form.typed.get("regions", ())
        keys = [AccessKey.read(draft.credential.secret) for draft in drafts if draft.credential]
        typed = {key.id for key in keys if key}
        rows = {row.region: row for row in self.key.secrets if isinstance(row, BedrockRegion)}
        return [name for name in regions if not any(rows[name].holds_id(one) for one in typed if name in rows)]

    def _tell_to_revoke(self, known_by: str) -> None:
        used = self._used("the new key")
        said = self._by_verdict(
            unknown=format_html("Revoke the old one at {} once a test says that the new one is valid.", self._link),
            valid=format_html("Now revoke the old one at {}.", self._link),
            limited=format_html("Revoke the old one at {} once the new one does what you need.", self._link),
            failing=format_html(
                "It failed its test: replace it with one that works. If the old one leaked, revoke it at {} now.",
                self._link,
            ),
        )
        level = messages.INFO
        if self.key.verdict:
            level = messages.WARNING if self._is_failing() else messages.SUCCESS
        messages.add_message(self.request, level, format_html("{} {}{}", used, said, known_by))

    def _is_failing(self) -> bool:
        """Whether what is stored now is known to serve nothing."""
        self.key.refresh_from_db(fields=["verdict"])
        return self.key.verdict in badges.FAILING_VERDICTS

    def _used(self, what: str) -> str:
        """From when on requests run on ``what`` was saved, if they get to its provider at all."""
        if unused := self._unused():
            return unused
        not_routed = badges.not_routed(self.key.provider)
        return f"{not_routed} Once it does, they use {what}." if not_routed else f"Requests use {what} within 5 s."

    def _unused(self) -> str:
        """That no request uses the key, and why; empty where one may."""
        if not self.key.enabled:
            return "It is disabled: no request uses it."
        if self.key.scope == Scope.API_KEYS and not self.key.assigned_ids:
            return "It is assigned to nobody: no request uses it."
        return ""

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
            messages.info(self.request, format_html("The same credentials are stored in {} too.", twins))
