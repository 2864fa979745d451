"""What becomes of the credentials that a save has replaced: who still holds them, and when they can be revoked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

from django.contrib import messages
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import get_text_list

from organizations.access import Access
from providerkeys import badges
from providerkeys.forms import ProviderKeyForm
from providerkeys.models import BedrockRegion, ProviderKey, holders_of
from providerkeys.providers.aws_access_key import AccessKey
from providerkeys.providers.base import CredentialKind
from providerkeys.providers.verdicts import Verdict
from providerkeys.resolver import Scope
from providerkeys.views.replaced import recall, remember
from providerkeys.views.serving import failing_with
from providerkeys.views.twins import form_url, linked

UNKNOWN_KEY: Final = "unknown_key"
"""The reason of a key that its provider doesn't recognize, at each provider of API keys."""
_UNKNOWN_ID: Final = "unknown_id"
_TONES: Final = {"valid": "green", "limited": "amber", "failing": "red"}


@dataclass(frozen=True)
class Stored:
    """What a key holds: fingerprints and hints by the labels of its rows. Taken before a save, to compare."""

    fingerprints: Mapping[str, str]
    hints: Mapping[str, str]
    is_unknown: bool = False
    """Whether its provider didn't recognize it: then it is hardly what leaked."""
    is_doubtful: bool = False
    """Whether AWS didn't know its access keys: they may be inactive, or of GovCloud or China, so they may be live."""

    @classmethod
    def of(cls, key: ProviderKey) -> Self:
        records = key.secrets
        refused = {one.reason if one.verdict == Verdict.INVALID else "" for one in records}
        return cls(
            {one.label: one.fingerprint for one in records},
            {one.label: one.hint for one in records},
            is_unknown=refused == {UNKNOWN_KEY},
            is_doubtful=refused == {_UNKNOWN_ID},
        )

    def among(self, now: Self) -> Self:
        """Of those rows alone that are still there."""
        return replace(
            self,
            fingerprints={label: one for label, one in self.fingerprints.items() if label in now.fingerprints},
            hints={label: hint for label, hint in self.hints.items() if label in now.hints},
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


@dataclass(frozen=True)
class _Old:
    """How what was replaced is spoken of: at the start of a sentence, in it, again after that, and by a pronoun."""

    subject: str
    what: str
    again: str
    several: bool

    @property
    def it(self) -> str:
        return "them" if self.several else "it"

    @property
    def it_is(self) -> str:
        return "they are" if self.several else "it is"

    @property
    def verb(self) -> str:
        return "are" if self.several else "is"


_ONE: Final = _Old("The old one", "the old one", "the old one", several=False)
_SEVERAL: Final = _Old("Some of the old ones", "the old ones", "the old ones", several=True)


@dataclass(frozen=True)
class Replacement:
    """The save of ``form`` that has put other credentials into ``key``, which held ``before``.

    ``key`` is as it is stored now, with what is known of its new credentials.
    """

    request: HttpRequest
    access: Access
    form: ProviderKeyForm
    key: ProviderKey
    before: Stored

    def tell(self) -> None:
        """Whoever revokes the old credentials before nothing runs on them any more stops what runs on them."""
        now = Stored.of(self.key)
        kept, earlier = self._kept_rows(now), self._remembered(now)
        nothing_to_revoke = self._has_regions and not kept and not self.before.hints_gone_in(now)
        if nothing_to_revoke or not self.before.gone_in(now):
            self._say(messages.SUCCESS if self._is_good else messages.INFO, self._used("what is stored now"))
        elif kept:
            self._say(messages.WARNING, self._some_kept(kept, now), self.key.pk)
        elif self.before.is_unknown:
            self._say(self._level, self._unknown_replaced(earlier), self.key.pk if earlier else "")
        elif self.before.is_doubtful and earlier:
            said = format_html("{}{}", self._unknown_replaced(earlier), self._doubtful(now))
            self._say(self._level, said, self.key.pk)
        elif elsewhere := self._holders(self.before, now):
            old = self._old(self.before.hints_replaced_in(now))
            said = format_html("{}{}", self._held(elsewhere, old), self._known_by(now, earlier))
            self._say(messages.WARNING, said, self.key.pk)
        elif self.before.is_doubtful:
            self._say(self._level, self._doubtful_replaced(now))
        else:
            said = self._to_revoke(self._old(self.before.hints_gone_in(now)))
            known_by = self._known_by(now, earlier)
            self._say(self._level, format_html("{} {}{}", self._used("the new key"), said, known_by), self.key.pk)

    def _say(self, level: int, said: str, of: str = "") -> None:
        """It takes the place of the page's own reminder ``of`` what is still to be revoked after a save of that key."""
        messages.add_message(self.request, level, said, of)

    # What is known

    @property
    def _level(self) -> int:
        if self._is_failing:
            return messages.WARNING
        return messages.SUCCESS if self.key.verdict else messages.INFO

    @property
    def _has_regions(self) -> bool:
        return self._kind is CredentialKind.IAM_REGIONS

    @property
    def _kind(self) -> CredentialKind | None:
        return self.form.chosen.credential if self.form.chosen else None

    @property
    def _is_failing(self) -> bool:
        """Whether what is stored now is known to serve nothing."""
        return self.key.verdict in badges.FAILING_VERDICTS

    @property
    def _is_good(self) -> bool:
        return not self._is_failing and not 0 < self.key.regions_failing < self.key.regions_count

    def _kept_rows(self, now: Stored) -> list[str]:
        """The regions that have what they had, but for those whose access key was typed: one typed again is no old one."""
        drafts = self.form.typed.get("regions", ())
        keys = [AccessKey.read(draft.credential.secret) for draft in drafts if draft.credential]
        typed = {key.id for key in keys if key}
        rows = {row.region: row for row in self.key.secrets if isinstance(row, BedrockRegion)}
        kept = self.before.kept_in(now)
        return [name for name in kept if not any(rows[name].holds_id(one) for one in typed if name in rows)]

    def _holders(self, before: Stored, now: Stored) -> SafeString:
        """The other keys that hold what was replaced, each a link; empty where none does."""
        return self._holding(before.gone_in(now), before.hints_replaced_in(now))

    def _holding(self, fingerprints: set[str], hints: Iterable[str]) -> SafeString:
        ids = list(hints) if self._has_regions else []
        return linked(self.access, holders_of(self.access, fingerprints, self.key, ids=ids))

    def _remembered(self, now: Stored) -> Mapping[str, str]:
        """What was replaced within the hour before this: hints by fingerprint. What this has replaced is remembered, too.

        Nothing is of what can't be told by its hint, nor of what its provider doesn't know.
        """
        if self._kind is CredentialKind.SERVICE_ACCOUNT:
            return {}
        # Of a row that was removed nothing was replaced.
        before, hints = self.before.among(now), now.hints.values() if self._has_regions else ()
        gone = {before.hints[label]: one for label, one in before.fingerprints.items() if one in before.gone_in(now)}
        old = (
            {}
            if before.is_unknown or before.is_doubtful
            else {one: hint for hint, one in gone.items() if hint not in hints}
        )
        earlier = recall(self.request, self.key, {*now.fingerprints.values(), *gone.values()})
        remember(self.request, self.key, old, {*now.fingerprints.values(), *hints})
        return {one: hint for one, hint in earlier.items() if not self._has_regions or hint not in (*hints, *gone)}

    # What is said of it

    def _old(self, hints: list[str]) -> _Old:
        return _SEVERAL if self._has_regions and len(set(hints)) > 1 else _ONE

    def _some_kept(self, kept: list[str], now: Stored) -> SafeString:
        # Of a row that was removed nothing was replaced.
        before = self.before.among(now)
        elsewhere, ids = self._holders(before, now), before.hints_replaced_in(now)
        too = format_html(", and the one that was replaced is stored in {} too", elsewhere) if elsewhere else ""
        said = format_html(
            "{} {} kept what was stored before{}: revoke an old access key at {} only when no row has it.",
            *(self._used("what is stored now"), get_text_list(kept, "and"), too, self._console),
        )
        return format_html("{}{}", said, _old_id(dict.fromkeys(ids))) if elsewhere and ids else said

    def _held(self, elsewhere: SafeString, old: _Old) -> SafeString:
        then = format_html("replace {} there, then revoke {} at {}.", old.again, old.it, self._console)
        steps = (
            format_html("{} with one that works.", self._again("Replace the new one")),
            format_html("Replace {} wherever {} stored.", old.again, old.it_is),
            format_html("Revoke {} at {}.", old.it, self._console),
        )
        said = self._by_verdict(
            unknown=format_html(": once a test says that the new one is valid, {}", then),
            valid=format_html(": {}", then),
            limited=format_html(": once the new one does what you need, {} If it leaked, don’t wait.", then),
            failing=format_html(
                ", and the new one failed its test{}. In this order: <ol>{}</ol>",
                self._while_it_fails(),
                format_html_join(" ", "<li>{}</li>", ((step,) for step in steps)),
            ),
        )
        used = self._used("the new key")
        return format_html("{} {} {} stored in {} too{}", used, old.subject, old.verb, elsewhere, said)

    def _unknown_replaced(self, earlier: Mapping[str, str]) -> SafeString:
        """What its provider didn't recognize is hardly what leaked; what that had replaced a moment before may be."""
        used = self._used("the new key")
        if not earlier:
            known = f"{self.key.provider_label} didn’t recognize the old one"
            return format_html("{} {}: if it leaked, make sure at {} that it is gone.", used, known, self._console)
        what = format_html("{}, replaced shortly before,", in_one_piece(earlier.values()))
        several = len(earlier) > 1
        old = _Old(what, what, "those" if several else "that one", several=several)
        held = self._holding(set(earlier), earlier.values())
        if held:
            return self._held(held, old)
        alike = self.key.hint in earlier.values()
        same = _aside("The new one has the same hint: tell them apart by when they were made.") if alike else ""
        said = self._to_revoke(old)
        return format_html("{} {}{}", used, said, same)

    def _doubtful_replaced(self, now: Stored) -> SafeString:
        """As it never worked here, nobody is reminded of it."""
        hints = self.before.hints_gone_in(now)
        one, it = ("ones", "them") if len(hints) > 1 else ("one", "it")
        return format_html(
            "{} AWS doesn’t know the old {}, {}: if you made {it}, revoke {it} at {}.",
            *(self._used("the new key"), one, in_one_piece(hints), self._console),
            it=it,
        )

    def _doubtful(self, now: Stored) -> SafeString:
        """What this has replaced is hardly what leaked, after a mistyped one; yet it may be live somewhere."""
        hints = self.before.hints_gone_in(now)
        verb, it = ("were", "them") if len(hints) > 1 else ("was", "it")
        return _aside(
            format_html(
                "{} {} replaced by this save, and AWS doesn’t know {it}: if you made {it}, revoke {it} too.",
                in_one_piece(hints),
                verb,
                it=it,
            )
        )

    def _to_revoke(self, old: _Old) -> SafeString:
        what, at = old.what, self._console
        return self._by_verdict(
            unknown=format_html("Revoke {} at {} once a test says that the new one is valid.", what, at),
            valid=format_html("Now revoke {} at {}.", what, at),
            limited=format_html("Revoke {} at {} once the new one does what you need, or now if it leaked.", what, at),
            failing=format_html(
                "It failed its test{}: {} with one that works. If {} leaked, revoke {} at {} now.",
                *(self._while_it_fails(), self._again("replace it"), what, old.it, at),
            ),
        )

    def _by_verdict(self, unknown: SafeString, **then: SafeString) -> SafeString:
        """What follows from the verdict on the new credentials. Without one the page puts it there when the test has ended."""
        known = "failing" if self._is_failing else self.key.verdict
        if known in then:
            return then[known]
        said = format_html_join(
            "", '<template data-then="{}">{}</template>', ((_TONES[verdict], text) for verdict, text in then.items())
        )
        return format_html('<span data-awaits="{}">{}</span>{}', self.key.pk, unknown, said)

    def _while_it_fails(self) -> str:
        names = failing_with(self.access, self.key)
        return f"; while it fails, so do the {self.key.provider_label} requests of {names}" if names else ""

    def _used(self, what: str) -> str:
        """From when on requests run on ``what`` was saved, if they get to its provider at all."""
        if not self.key.enabled:
            return "It is disabled: no request uses it."
        if self.key.scope == Scope.API_KEYS and not self.key.assigned_ids:
            return "It is assigned to nobody: no request uses it."
        not_routed = badges.not_routed(self.key.provider)
        return (
            f"{not_routed} Once it does, they use {what}."
            if not_routed
            else f"Requests use {what} within 5\N{NO-BREAK SPACE}s."
        )

    @property
    def _console(self) -> SafeString:
        """Where its provider's keys are made and revoked."""
        url = self.form.chosen.keys_url if self.form.chosen else ""
        return format_html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', url, self.form.keys_at)

    def _again(self, words: str) -> SafeString:
        return format_html('<a href="{}">{}</a>', form_url(self.access, self.key), words)

    # What tells the old one from others

    def _known_by(self, now: Stored, earlier: Mapping[str, str]) -> str:
        """The old one's hint, and what it replaced itself a moment ago; a service account has no hint that would tell."""
        if self._has_regions:
            told = _old_id(self.before.hints_gone_in(now))
        elif self._kind is CredentialKind.API_KEY:
            told = self._hint(earlier)
        else:
            return ""
        return format_html("{}{}", told, _aside(self._also(earlier))) if earlier else told

    def _hint(self, earlier: Mapping[str, str]) -> SafeString:
        [hint] = self.before.hints.values()
        alike = "The new one" if self.key.hint == hint else "One before" if hint in earlier.values() else ""
        same = f" {alike} has the same: tell them apart by when they were made." if alike else ""
        return _aside(format_html("The old one’s hint: {}.{}", in_one_piece([hint]), same))

    def _also(self, earlier: Mapping[str, str]) -> SafeString:
        verb, them = ("were", "them") if len(earlier) > 1 else ("was", "it")
        also = format_html("{} {} replaced shortly before: revoke {} too", in_one_piece(earlier.values()), verb, them)
        held = self._holding(set(earlier), earlier.values())
        first = "replace it first in" if them == "it" else "first replace those that are stored in"
        return format_html("{}, but {} {}.", also, first, held) if held else format_html("{}.", also)


def _old_id(hints: Iterable[str]) -> SafeString:
    named = list(hints)
    return _aside(format_html("The old access key ID{}: {}.", "s" if named[1:] else "", in_one_piece(named)))


def in_one_piece(hints: Iterable[str]) -> SafeString:
    """The hints, each of them in one piece: it is compared with what the provider's console shows."""
    *others, last = (format_html('<span class="whole">{}</span>', hint) for hint in hints)
    return format_html("{} and {}", format_html_join(", ", "{}", ((one,) for one in others)), last) if others else last


def _aside(said: str) -> SafeString:
    """A line of its own, after what is to be done."""
    return format_html(' <span class="toast__aside">{}</span>', said)
