import re

import pytest
from django.core.exceptions import ValidationError

from organizations.ids import PublicIdField, base62, new_id
from organizations.models import ApiKey, AuditEvent, Membership, Organization, User
from organizations.text import validate_single_line, visible


def test_an_id_is_a_prefix_and_22_base62_characters() -> None:
    assert re.fullmatch(r"org_[0-9A-Za-z]{22}", new_id("org"))


def test_ids_do_not_repeat() -> None:
    assert len({new_id("org") for _ in range(1000)}) == 1000


def test_128_bits_fit_and_small_numbers_are_padded() -> None:
    assert len(base62(2**128 - 1, 22)) == 22
    assert base62(0, 22) == "0" * 22
    assert base62(62, 2) == "10"


@pytest.mark.parametrize(
    ("model", "prefix"),
    [(Organization, "org"), (User, "user"), (Membership, "mem"), (ApiKey, "key"), (AuditEvent, "evt")],
)
def test_each_model_knows_its_id_before_it_is_saved(model: type[Organization], prefix: str) -> None:
    assert model().pk.startswith(f"{prefix}_")


def test_a_migration_names_the_prefix_alone() -> None:
    _, path, args, kwargs = PublicIdField(prefix="org").deconstruct()
    assert (path, list(args), kwargs) == ("organizations.ids.PublicIdField", [], {"prefix": "org"})


_ZWNJ, _ZWJ = "\N{ZERO WIDTH NON-JOINER}", "\N{ZERO WIDTH JOINER}"
_ANY_SCRIPT = [
    *("Acme", "Büro 東京", "O'Brien & <Sons>", "e\N{COMBINING ACUTE ACCENT}quipe", "1\N{COMBINING ENCLOSING KEYCAP}"),
    *("👩‍💻 team", "🏳️‍🌈", "👩🏽‍🚀", "❤️‍🔥", "🙂‍↔️", "👨‍👩‍👧‍👦", "🏴‍☠️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿 office", "🇩🇪"),
    *("מפתח ייצור", "مفتاح الإنتاج", "کلید (۲)", f"می{_ZWNJ}خواهم", f"क्{_ZWJ}ष", f"ನ್{_ZWNJ}"),
    *("ᠮᠣᠩᠭᠣᠯ\N{MONGOLIAN FREE VARIATION SELECTOR ONE}", "מפתח (2)\N{RIGHT-TO-LEFT MARK}", "مفتاح\N{ARABIC LETTER MARK} 2"),
]  # fmt: skip


@pytest.mark.parametrize("name", _ANY_SCRIPT)
def test_a_name_is_one_line_of_any_script(name: str) -> None:
    validate_single_line(name)


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\x1b[31m", "a\0b", "a\u2028b", "a\x85b", "a\ud800b"])
def test_a_name_has_no_control_characters(name: str) -> None:
    with pytest.raises(ValidationError, match="without control characters"):
        validate_single_line(name)


_DECEIVING = [
    *("Prod\u202eyek", "\u202aProd\u202c", "\u2066Prod\u2069", "מפתח\u202e2"),
    *("Prod\u200buction", "\ufeffProd", "Prod\u2060uction", "Pro\u00adduction", "Prod\u2063", "\u3164", "Prod\u180euction"),
    *(f"Prod{_ZWJ}uction", f"Prod{_ZWNJ}uction", f"Prod{_ZWJ}", f"{_ZWJ}Prod", _ZWJ, f"👩{_ZWJ}", f"👩{_ZWJ}{_ZWJ}💻", f"👩{_ZWJ}Prod"),
    *("Prod\u200f", "\u200eProd", "\u061cProd", "Prod\U000e0041\U000e007f", "🏴\U000e0067"),
]  # fmt: skip


@pytest.mark.parametrize("name", _DECEIVING, ids=ascii)
def test_a_name_holds_nothing_that_is_unseen_or_turns_it_around(name: str) -> None:
    with pytest.raises(ValidationError, match="invisible or turn the text around"):
        validate_single_line(name)


def test_what_could_forge_a_line_is_written_out() -> None:
    assert visible("a\r\nb\x1b[31m\u202ec") == r"a\r\nb\x1b[31m\u202ec"
    assert visible("Büro 👩‍💻") == "Büro 👩‍💻"
