"""Positive controls: a case counts only if a planted defect makes it fail."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

import pytest
from django.db import IntegrityError

Case = Callable[..., None]
Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Control:
    """A defect that ``plant`` puts into the product, and the ``case`` that must notice it.

    ``arguments`` are those of a parametrised case; its fixtures are found by name.
    """

    case: Case
    plant: Plant
    arguments: dict[str, Any] = field(default_factory=dict)

    def must_bite(self, request: pytest.FixtureRequest) -> None:
        """Run the case on the defective product; it must fail, by its own word or by a constraint of the database."""
        names = [name for name in signature(self.case).parameters if name not in self.arguments]
        fixtures = {name: request.getfixturevalue(name) for name in names}
        with pytest.MonkeyPatch.context() as monkeypatch:
            self.plant(monkeypatch)
            with pytest.raises((AssertionError, IntegrityError, pytest.fail.Exception)):
                self.case(**fixtures, **self.arguments)


def controls(given: Iterable[Control]) -> pytest.MarkDecorator:
    """Parametrise a test by ``given``, each with the name of its case and of its defect, and its case's marks."""
    return pytest.mark.parametrize("control", [pytest.param(one, id=_name(one), marks=_marks(one)) for one in given])


def _name(control: Control) -> str:
    case = control.case.__name__.removeprefix("test_").upper().split("_")
    parts = ["-".join(case[:2]), control.plant, *control.arguments.values()]
    return "-".join(_word(part) for part in parts)


def _word(part: Any) -> str:
    """A case's argument in a test's name, by whichever name it goes."""
    names = (getattr(part, name, None) for name in ("__name__", "slug", "id"))
    return str(next((name for name in names if name), part))


def _marks(control: Control) -> list[pytest.Mark]:
    return [mark for mark in getattr(control.case, "pytestmark", []) if mark.name != "parametrize"]
