"""The battery about itself: what its last lines count, and that no id of ENC goes without a case and a control."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from tests.trust.families import summary

IDS = {
    "enc": {f"{number:02}" for number in range(1, 18)},
    "chk": {"01", "02", "03", "05", "07", "08", "09", "10", *(str(number) for number in range(20, 30))},
    "gwy": {f"{number:02}" for number in range(1, 16)},
    # Of a range that stands for one rule, the first few of its ids are in use.
    "net": {"01", *(f"{number:02}" for number in range(5, 11)), "20", "21", "22", *map(str, range(40, 46))},
    "web": {*(f"{number:02}" for number in range(8)), *map(str, (*range(10, 22), *range(30, 34)))},
}


def test_each_family_tells_its_cases_in_one_line() -> None:
    lines = summary(
        {
            "tests/trust/test_enc_field.py::test_enc_01_one": "passed",
            "tests/trust/test_enc_pages.py::test_enc_17_pages[ENC-17-member]": "failed",
            "tests/trust/test_enc_pages.py::test_control[17]": "passed",
            "tests/trust/faults/test_flt.py::TestBroker::test_flt_01": "passed",
            "tests/trust/test_chk_settings.py::test_control_any": "failed",
            "tests/trust/test_chk_settings.py::test_chk_settings": "skipped",
        }
    )

    assert list(lines) == [
        "CHK: 1 cases, 0 passed, 0 failed (1 planted defects, 0 noticed)",
        "ENC: 2 cases, 1 passed, 1 failed (1 planted defects, 1 noticed)",
        "FLT: 1 cases, 1 passed, 0 failed (0 planted defects, 0 noticed)",
    ]


@pytest.mark.parametrize("test", ["tests/house/test_logs.py::test_one", "tests/trust/test_families.py::test_one"])
def test_other_tests_are_no_cases(test: str) -> None:
    assert list(summary({test: "passed"})) == []


def modules(family: str) -> Iterator[ModuleType]:
    for file in sorted(Path(__file__).parent.glob(f"test_{family}*.py")):
        yield import_module(f"tests.trust.{file.stem}")


def case_ids(family: str, names: Iterator[str]) -> set[str]:
    """``01`` for ``test_enc_01_…``; all three for ``test_enc_04_05_06_…``."""
    start = f"test_{family}_"
    words = (name.removeprefix(start).split("_") for name in names if name.startswith(start))
    return {word for found in words for word in found if word.isdecimal() and len(word) == 2}


def controlled(module: ModuleType) -> Iterator[str]:
    """The names of the cases that this module's controls put to the test."""
    for mark in getattr(getattr(module, "test_control", None), "pytestmark", []):
        if mark.name == "parametrize":
            yield from (given.values[0].case.__name__ for given in mark.args[1])


@pytest.mark.parametrize("family", IDS)
def test_every_id_has_a_case_and_a_positive_control(family: str) -> None:
    found = list(modules(family))

    assert case_ids(family, (name for module in found for name in vars(module))) == IDS[family]
    assert case_ids(family, (name for module in found for name in controlled(module))) == IDS[family]
