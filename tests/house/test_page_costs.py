"""What every page of the console costs: at most six queries, 60 kB and no secret opened, with lists as long as a page is.

Searches, filters and later pages of the lists are counted where the lists are tested, and in `./dev bench console`. The pages are read off the table of addresses, so a new one is asked for without being named here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.utils.http import urlsafe_base64_encode

from bench import console_seed
from bench.pages import entries
from organizations.access import Access
from organizations.models import ApiKey
from providerkeys import vault
from providerkeys.models import ProviderKey
from providerkeys.views.serving import Board
from tests.cast import client_for
from tests.providerkeys import regions, sample

pytestmark = pytest.mark.long

MOST_QUERIES: Final = 6
# Of the document, as it is sent. What it weighs with all that it asks for, a browser tells.
MOST_BYTES: Final = 60_000
CIPHER: Final = "/fernet.py"
# Answer to a body alone, and are no pages.
NOT_PAGES: Final = {
    *(
        "check_create",
        "logout",
        "outlook",
        "provider_key_check_create",
        "provider_key_outlook",
        "provider_key_position",
    ),
    "replaced_is_revoked",
}


@dataclass(frozen=True)
class Asked:
    """One address, asked for by a browser or by htmx. ``htmx`` asks for what stands in a dialog."""

    name: str
    path: str
    htmx: bool
    status: int
    queries: int
    decryptions: int
    weight: int

    @classmethod
    def of(cls, client: Client, name: str, path: str, *, htmx: bool) -> "Asked":
        with CaptureQueriesContext(connection) as queries, entries(CIPHER) as decryptions:
            answer = client.get(path, headers={"Accept-Encoding": "gzip", **({"HX-Request": "true"} if htmx else {})})
        # A session that is written, to take a toast from it, stands between marks only where a test's transaction surrounds it.
        marks = sum(query["sql"].startswith(("SAVEPOINT", "RELEASE")) for query in queries)
        return cls(name, path, htmx, answer.status_code, len(queries) - marks, decryptions(), len(answer.content))

    @property
    def is_dear(self) -> bool:
        return self.queries > MOST_QUERIES or self.decryptions > 0 or self.weight > MOST_BYTES


@pytest.fixture
def owner(db: None) -> Access:
    """Whoever owns an organization whose lists are full, with a key of each provider that is being tested."""
    owner = console_seed.organization("Acme", 60, 60)
    owner.all(ProviderKey).filter(provider="bedrock").delete()
    regions.stored(owner)
    for key in one_of_each(owner):
        sample.pressed(owner, key)
        ProviderKey.objects.filter(pk=key.pk).update(verdict="", reason="", verdict_at=None)
    return owner


def one_of_each(owner: Access) -> list[ProviderKey]:
    return list({key.provider: key for key in owner.all(ProviderKey)}.values())


def addresses(owner: Access) -> Iterator[tuple[str, str]]:
    """Name and path of each page, for each kind of object that it may show."""
    slug = {"slug": owner.organization.slug}
    rotated, _ = ApiKey.issue(owner, "Rotated")
    rotated.rotate_secret(owner, rotated.version, timedelta(hours=24))
    checked = one_of_each(owner)
    given: list[dict[str, str]] = [
        *({}, slug, {"uidb64": urlsafe_base64_encode(owner.user.pk.encode()), "token": "set-password"}),
        *({**slug, "pk": key.pk} for key in checked),
        *({**slug, "chk": key.checks.get().pk} for key in checked if key.checks.exists()),
        *({**slug, "key": key.pk} for key in (rotated, owner.all(ApiKey).filter(assignments__isnull=False)[0])),
    ]
    for name in names(get_resolver().url_patterns):
        paths = [path for one in given for path in path_of(name, one)]
        assert paths, f"nothing to ask {name} for"
        yield from ((name, path) for path in paths)


def names(patterns: Sequence[URLPattern | URLResolver]) -> Iterator[str]:
    """Of the console's addresses; the administration is another house."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from () if pattern.app_name == "admin" else names(pattern.url_patterns)
        elif pattern.name:
            yield pattern.name


def path_of(name: str, given: dict[str, str]) -> list[str]:
    try:
        return [reverse(name, kwargs=given)]
    except NoReverseMatch:
        return []


def walk(owner: Access) -> list[Asked]:
    """Every page, by somebody who is logged in and, where it is for everybody, by somebody who is not."""
    found = []
    for visitor in (client_for(owner.user), Client()):
        for name, path in addresses(owner):
            found += [Asked.of(visitor, name, path, htmx=htmx) for htmx in (False, True)]
    return found


@pytest.mark.database
def test_six_queries_at_most_and_nothing_decrypted(owner: Access) -> None:
    pages = walk(owner)

    assert [page for page in pages if page.is_dear] == []
    shown = {page.name for page in pages if page.status == 200}
    only_sent_on = {page.name for page in pages if page.status == 302} - shown
    assert {page.name for page in pages} - shown - only_sent_on == NOT_PAGES
    assert only_sent_on == {"home"}
    assert {page.status for page in pages} == {200, 302, 405}


@pytest.mark.parametrize("more", [1, 2])
def test_one_query_more_or_a_secret_opened_is_noticed(
    owner: Access, more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bedrock = next(key for key in one_of_each(owner) if key.provider == "bedrock")
    load = Board.load

    def curious(access: Access, provider: str) -> Board:
        if more == 1:
            owner.all(ApiKey).count()
        else:
            vault.reveal(bedrock.regions.all()[0], vault.Purpose.CHECK)
        return load(access, provider)

    monkeypatch.setattr(Board, "load", curious)
    [path] = path_of("provider_key_edit", {"slug": owner.organization.slug, "pk": bedrock.pk})

    assert Asked.of(client_for(owner.user), "provider_key_edit", path, htmx=False).is_dear
