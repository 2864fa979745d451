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


@pytest.mark.parametrize("name", ["Acme", "Büro 東京", "👩‍💻 team", "O'Brien & <Sons>"])
def test_a_name_is_one_line_of_any_script(name: str) -> None:
    validate_single_line(name)


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\x1b[31m", "a\0b", "a\u2028b", "a\x85b"])
def test_a_name_has_no_control_characters(name: str) -> None:
    with pytest.raises(ValidationError):
        validate_single_line(name)


def test_what_could_forge_a_line_is_written_out() -> None:
    assert visible("a\r\nb\x1b[31m\u202ec") == r"a\r\nb\x1b[31m\u202ec"
    assert visible("Büro 👩‍💻") == "Büro 👩‍💻"
