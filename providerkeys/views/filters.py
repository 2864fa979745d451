"""What a list of provider keys is narrowed by: words, provider, status as it is shown, and the API key that is served."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import QueryDict

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.models import KeyAssignment
from providerkeys.models.provider_key import ProviderKeyQuerySet
from providerkeys.providers import registry
from providerkeys.providers.verdicts import Verdict
from providerkeys.resolver import Scope

_LONGEST: Final = 100
_FAILING: Final = Q(verdict__in=[Verdict.INVALID, Verdict.FORBIDDEN])
# Some of its regions fail: the badges tell that, whatever the verdict of the others.
_PARTLY: Final = Q(regions_failing__gt=0, regions_failing__lt=F("regions_count"))
_SERVING: Final = Q(enabled=True, unreadable_at=None)
STATUSES: Final[Mapping[str, tuple[str, Q]]] = {
    "active": ("Active", _SERVING & (_PARTLY | ~_FAILING)),
    "untested": ("Untested", _SERVING & ~_PARTLY & Q(verdict="")),
    "limited": ("Limited", _SERVING & ~_PARTLY & Q(verdict=Verdict.LIMITED)),
    "failing": ("Failing", _SERVING & ~_PARTLY & _FAILING),
    "unreadable": ("Unreadable", Q(enabled=True, unreadable_at__isnull=False)),
    "disabled": ("Disabled", Q(enabled=False)),
}
"""By the word of an address: what people read, and which keys show it as a badge."""


@dataclass(frozen=True)
class Filters:
    """What an address narrows the list by. Everything is empty where it doesn't; nothing that is sent is an error."""

    search: str = ""
    provider: str = ""
    status: str = ""
    api_key: str = ""

    @classmethod
    def asked_in(cls, query: QueryDict) -> Self:
        # PostgreSQL refuses text with a NUL; no name has one.
        words = {name: query.get(name, "").strip()[:_LONGEST].replace("\0", " ") for name in ("q", "api_key")}
        provider, status = query.get("provider", ""), query.get("status", "")
        return cls(
            words["q"],
            provider if registry.find(provider) else "",
            status if status in STATUSES else "",
            words["api_key"],
        )

    def __bool__(self) -> bool:
        return self != Filters()

    @property
    def parameters(self) -> dict[str, str]:
        """How an address says it."""
        said = {"q": self.search, "provider": self.provider, "status": self.status, "api_key": self.api_key}
        return {name: value for name, value in said.items() if value}

    @property
    def statuses(self) -> list[tuple[str, str]]:
        return [(word, label) for word, (label, _) in STATUSES.items()]

    def narrow(self, access: Access, keys: ProviderKeyQuerySet) -> ProviderKeyQuerySet:
        if self.provider:
            keys = keys.filter(provider=self.provider)
        if self.status:
            keys = keys.filter(STATUSES[self.status][1])
        if self.api_key:
            keys = keys.filter(_asked_by(access, self.api_key))
        if self.search:
            text = self.search
            keys = keys.filter(Q(name__icontains=text) | Q(hint__icontains=text) | Q(pk=text))
        return keys

    def knows_api_key(self, access: Access) -> bool:
        """Whether there is an API key that is asked for, if one is."""
        return not self.api_key or api_keys_called(access, self.api_key).exists()


def api_keys_called(access: Access, name: str) -> QuerySet[ApiKey]:
    """The API keys of that name or id; where there is none, those that have it in their name."""
    every = access.all(ApiKey)
    called = Q(name__iexact=name) | Q(pk=name)
    return every.filter(called | Q(name__icontains=name) & ~Exists(every.filter(called)))


def _asked_by(access: Access, name: str) -> Q:
    """Provider keys that are asked for an API key: those assigned to it; where none is, the organization-wide ones."""
    asking = api_keys_called(access, name).values("pk")
    # Found once, not for each provider key: names are compared letter by letter.
    assigned = KeyAssignment.objects.filter(api_key__in=asking).values("provider_key")
    own = KeyAssignment.objects.filter(api_key=OuterRef("pk"), provider_key__provider=OuterRef(OuterRef("provider")))
    as_default = Exists(access.all(ApiKey).filter(pk__in=asking).filter(~Exists(own)))
    return Q(pk__in=assigned) | (Q(scope=Scope.ORGANIZATION) & Q(as_default))
