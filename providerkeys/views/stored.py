"""What checks have said of the credentials that a key holds, as its form shows it before anything is tested there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from django.db.models import Exists, OuterRef
from django.utils import timezone

from organizations.access import Access
from providerkeys import badges
from providerkeys.badges import Told
from providerkeys.models import CredentialCheck, ProviderKey
from providerkeys.models.secret_record import SecretRecord
from providerkeys.providers.verdicts import Verdict


def key_to_edit(access: Access, pk: str) -> ProviderKey:
    """Load a key for its form, and in the same query whether its credentials are being tested. Raises Http404."""
    under_way = CredentialCheck.objects.of_the_stored(timezone.now()).filter(provider_key=OuterRef("pk"))
    return access.get(ProviderKey, pk, is_tested=Exists(under_way))


@dataclass(frozen=True)
class StoredVerdict:
    """The last verdict of one stored credential: ``told`` is ``None`` for an untested one.

    ``since`` is the latest check where it judged nothing: the verdict before it stands.
    """

    label: str
    told: Told | None
    since: Told | None = None

    @classmethod
    def of(cls, provider: str, record: SecretRecord) -> Self:
        latest = record.told_last_check(provider)
        if not record.readable:
            return cls(record.label, _unreadable(provider, record))
        if not record.verdict:
            return cls(record.label, latest)
        verdict = badges.tell(provider, record.verdict, record.reason, record.verdict_at)
        judged = record.last_check_verdict and Verdict(record.last_check_verdict).is_judgement
        return cls(record.label, verdict, None if judged else latest)


@dataclass(frozen=True)
class StoredVerdicts:
    """The verdicts of all that a key holds, in the order of its rows.

    ``testing``: one has no verdict yet, and a check that will bring it is under way.
    """

    rows: list[StoredVerdict]
    testing: bool

    @classmethod
    def of(cls, key: ProviderKey | None, stored: Sequence[SecretRecord]) -> Self | None:
        if key is None:
            return None
        rows = [StoredVerdict.of(key.provider, record) for record in stored]
        return cls(rows, any(row.told is None for row in rows) and _is_tested(key))

    @property
    def by_region(self) -> bool:
        return any(row.label for row in self.rows)


def _is_tested(key: ProviderKey) -> bool:
    known = vars(key).get("is_tested")
    return key.checks.of_the_stored(timezone.now()).exists() if known is None else bool(known)


def _unreadable(provider: str, record: SecretRecord) -> Told:
    """No verdict of a secret helps where nobody can open it."""
    told, badge = badges.tell(provider, Verdict.UNREACHABLE, "unreadable", record.unreadable_at), badges.UNREADABLE
    sentence = "The stored key can’t be read, so no request runs on it."
    return replace(told, verdict="", word=badge.word, sentence=sentence, tone=badge.tone, icon=badge.icon)
