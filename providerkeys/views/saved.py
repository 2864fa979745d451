"""What is told after a provider key was saved: what is known of it, what becomes of the old credentials, who is like it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.contrib import messages
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import get_text_list

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys import badges
from providerkeys.badges import Badge
from providerkeys.forms import ProviderKeyForm
from providerkeys.models import CredentialCheck, ProviderKey, twins_of
from providerkeys.providers.verdicts import Verdict
from providerkeys.views.replacement import Replacement, Stored
from providerkeys.views.serving import failing_with
from providerkeys.views.twins import linked

_JUST_NOW: Final = timedelta(minutes=1)
_LEVELS: Final = {"green": messages.SUCCESS, "red": messages.ERROR}


@dataclass(frozen=True)
class Save:
    """A save of ``key`` by ``form``, and the check that follows it, if any."""

    request: HttpRequest
    access: Access
    form: ProviderKeyForm
    key: ProviderKey
    check: CredentialCheck | None

    def tell_created(self) -> None:
        self._learn()
        self._tell_verdict(self._marked(f"{self.key.name} was created."))
        self._warn_of_namesakes()
        self._warn_of_twins()
        self._lead_on()

    def tell_changed(self, changed: list[str], before: Stored) -> None:
        """``changed`` is what ``ProviderKey.change`` returned."""
        if "credentials" in changed:
            self._learn()
            self._tell_verdict(self._marked(f"{self.key.name} was saved."))
            if before.is_unknown or before.is_doubtful:
                # What was said of the first key that was saved waited for one that works.
                self._lead_on()
            Replacement(self.request, self.access, self.form, self.key, before).tell()
        else:
            self._tell_unchanged()
        if "name" in changed:
            self._warn_of_namesakes()
        self._warn_of_twins()

    def _learn(self) -> None:
        """What the save itself has found of the new credentials: a verdict on the same bytes, or none."""
        last = ("last_check_verdict", "last_check_reason", "last_check_at", "last_check_region")
        self.key.refresh_from_db(fields=["verdict", "reason", "verdict_at", "regions_failing", "regions_count", *last])

    def _tell_unchanged(self) -> None:
        if badges.FAILING in self.key.status_badges:
            said = f"{self.key.name} was saved. Its credentials are unchanged, and failed their last test{self._failing_for()}."
            messages.warning(self.request, self._marked(said))
        else:
            messages.success(self.request, self._marked(f"{self.key.name} was saved. Its credentials are unchanged."))

    def _failing_for(self) -> str:
        names = failing_with(self.access, self.key)
        return f": while they fail, so do the {self.key.provider_label} requests of {names}" if names else ""

    def _marked(self, saved: str) -> SafeString:
        """The sentence, from which the page takes which row to bring into view."""
        return format_html('<span data-saved="{}">{}</span>', self.key.pk, saved)

    def _tell_verdict(self, saved: SafeString) -> None:
        """Say what is known of the credentials. The page puts the verdict of the check in its place."""
        badge = self._partly_failing()
        if badge:
            context = {"saved": saved, "badge": badge, **self._failing_regions()}
            messages.warning(self.request, render_to_string("providerkeys/partly_failing.html", context))
            return
        if self.check:
            running = format_html('<span data-running="{}">Its test is running.</span>', self.key.pk)
            messages.success(self.request, format_html("{} {}", saved, running))
            return
        key = self.key
        # Where no verdict is known, a test that could not be made is.
        told = badges.tell(key.provider, key.verdict, key.reason, key.verdict_at) if key.verdict else key.last_check
        if told is None:
            messages.success(self.request, saved)
            return
        level = _LEVELS.get(told.tone, messages.WARNING)
        # Whoever has just pasted them for the first time wonders who has tested them.
        earlier = told.at is not None and told.at < timezone.now() - _JUST_NOW
        context = {"saved": saved, "told": told, "regions": self._regions_by_word(), "earlier": earlier}
        said = render_to_string("providerkeys/carried.html", context)
        messages.add_message(self.request, level, said)

    def _partly_failing(self) -> Badge | None:
        """That some regions can't be used, where that is known and no test is about to say it."""
        failing, of = self.key.regions_failing, self.key.regions_count
        return badges.partly_failing(failing, of) if not self.check and 0 < failing < of else None

    def _regions_by_word(self) -> Mapping[str, str]:
        """Where verdicts differ from region to region: each verdict, and of which it was given."""
        words: dict[str, list[str]] = {}
        for row in self.key.regions.defer("credentials"):
            word = badges.VERDICT_BADGES[Verdict(row.verdict)].word if row.verdict else "untested"
            words.setdefault(word, []).append(row.region)
        return {word: get_text_list(some, "and") for word, some in words.items()} if len(words) > 1 else {}

    def _failing_regions(self) -> Mapping[str, object]:
        """Their names, and what was said of them where it is the same of all."""
        failing = list(self.key.regions.filter(verdict__in=badges.FAILING_VERDICTS).defer("credentials"))
        reasons = {(row.verdict, row.reason) for row in failing}
        told = badges.tell(self.key.provider, *reasons.pop()) if len(reasons) == 1 else None
        return {"regions": get_text_list([row.region for row in failing], "and"), "told": told}

    def _lead_on(self) -> None:
        """Whoever has no API key yet has one step before them."""
        if not self.access.all(ApiKey).exists():
            url = reverse("api_key_new", kwargs={"slug": self.access.organization.slug})
            said = format_html('Programs use it with an API key: <a href="{}">create the first one</a>.', url)
            messages.info(self.request, said)

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
            what = "access key is stored for the same region" if self.key.regions_count else "credentials are stored"
            messages.info(self.request, format_html("The same {} in {} too.", what, twins))
