"""CAN-00, the search: what is a hit and what is not, in every disguise."""

import json
import secrets
import time
from typing import Final

import pytest

from organizations.models.api_key import PREFIX
from organizations.tokens import LOOKUP_LENGTH, mint
from providerkeys.providers import registry
from providerkeys.providers.base import Credential
from tests.fakeproviders import samples
from tests.trust.canary import STRAY, Canary, Search, window_of
from tests.trust.disguises import DISGUISES, as_text
from tests.trust.layers import inside

PASSWORD: Final = Canary.password("password")
KEYS: Final = [Canary.provider_key(f"{slug} key", slug, "good") for slug in samples.PROVIDERS]
OURS: Final = Canary.api_key("API key", mint(PREFIX).plaintext)
HEXADECIMAL: Final = Canary.hexadecimal("admin key", f"sk-admin-{secrets.token_hex(40)}", "sk-admin-")
ALL: Final = [PASSWORD, *KEYS, OURS, HEXADECIMAL]
SEARCH: Final = Search(ALL)
OTHERS: Final = [samples.fresh_key(slug, "good") for slug in samples.PROVIDERS]


def found(data: bytes) -> set[str]:
    return {hit.canary for hit in SEARCH.hits("here", data)}


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("canary", ALL, ids=str)
def test_can_00_a_canary_is_found_in_every_disguise(canary: Canary, disguise: str) -> None:
    data = DISGUISES[disguise](canary.value)
    assert found(data) == {canary.name}
    assert found(b"before it" + data + b" and after it") == {canary.name}
    assert found(as_text(data).encode()) == {canary.name}


@pytest.mark.parametrize("canary", ALL, ids=str)
def test_can_00_a_part_is_a_hit_wherever_it_was_cut(canary: Canary) -> None:
    """Eight characters (twelve of a hexadecimal one) are; one less is not."""
    for piece in canary.pieces:
        window = window_of(piece)
        for start in range(len(piece) - window + 1):
            part = piece[start : start + window]
            assert found(b"(" * (start % 4) + part) == {canary.name}
            assert found(b"(" * (start % 4) + part[1:]) == set()


@pytest.mark.parametrize("disguise", ["base64 at 0", "base64 at 1", "base64 at 2", "base64url", "hex", "utf-16"])
def test_can_00_so_is_a_disguised_part(disguise: str) -> None:
    (piece,) = OURS.pieces
    for start in range(len(piece) - window_of(piece) + 1):
        part = piece[start : start + window_of(piece)].decode()
        assert found(DISGUISES[disguise](part)) == {OURS.name}


def test_can_00_what_is_public_is_no_hit() -> None:
    hints = [registry.get(slug).hint(Credential(key.value)) for slug, key in zip(samples.PROVIDERS, KEYS, strict=True)]
    emails = [json.loads(key.value)["client_email"] for key in KEYS if "client_email" in key.value]
    public = [
        *hints,
        *emails,
        OURS.value[: len(PREFIX) + LOOKUP_LENGTH],
        f"{PREFIX}…{OURS.value[-4:]}",
        "sk-proj-FAKE",
        "T3BlbkFJ",
        "sk-ant-api03-FAKE",
        *(samples.key(slug, "good") for slug in samples.PROVIDERS),
    ]
    assert found("\n".join(public).encode()) == set()


def test_can_00_an_api_key_that_nobody_was_shown_is_a_hit() -> None:
    """Whoever forces an error in mid-creation never learns the key: its checksum gives it away."""
    unseen = mint(PREFIX).plaintext
    assert found(DISGUISES["json in html"](unseen)) == {STRAY}
    assert found(f"{unseen[:-1]}{'a' if unseen[-1] != 'a' else 'b'}".encode()) == set()


@pytest.mark.parametrize("disguise", DISGUISES)
def test_can_00_anothers_secret_is_no_hit(disguise: str) -> None:
    for another in (*OTHERS, mint(PREFIX).plaintext):
        assert found(DISGUISES[disguise](another)) <= {STRAY}


def test_can_00_the_brokers_own_compression_is_opened() -> None:
    """Literals of up to 32 bytes, and a reference to what came before: ``lzf`` as the broker writes it."""
    text = PASSWORD.value.encode()
    parts = [text[start : start + 32] for start in range(0, len(text), 32)]
    packed = b"".join(bytes((len(part) - 1,)) + part for part in parts) + bytes((2 << 5, len(text) - 1))
    lengths = bytes((0x40, len(packed), 0x40, len(text) + 4))
    string_in_rdb = b"VALKEY080\xc3" + lengths + packed
    assert text + text[:4] in set(inside(string_in_rdb))


def test_can_00_a_report_names_the_canary_and_shows_no_part_of_it() -> None:
    for canary in ALL:
        (hit,) = SEARCH.hits("here", canary.value.encode())
        assert found(repr([hit, str(hit), canary, str(canary), SEARCH]).encode()) == set()
        assert (hit.canary, hit.encoding) == (canary.name, "raw")


@pytest.mark.long
def test_can_00_the_time_grows_with_the_haystack_alone() -> None:
    """Two megabytes for a thousand canaries: lines of a log, no two the same, with what can be opened in each."""
    search = Search([OURS, *(Canary.api_key(str(number), mint(PREFIX).plaintext) for number in range(1000))])
    line = f"2026-01-01T00:00:00.000+00:00 INFO {secrets.token_urlsafe(30)} {secrets.token_hex(20)} &amp; %41 done"
    log = "".join(f"{line} {number}\n" for number in range(14_000)).encode()
    started = time.thread_time()
    assert {hit.canary for hit in search.hits("here", log + OURS.value.encode())} == {OURS.name}
    assert time.thread_time() - started < 5
