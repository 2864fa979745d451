"""Which region of an AWS Bedrock key serves a model, and why none does: pure, like ``resolver``, and for the gateway to ask.

The rules (architecture.md, "Assignment and resolution"): a region that a model id names is served by its own row, else by
the ``global`` row, which then signs for it. A geography (``eu.``) is served by the first row in it, else by ``global``
inside it. Everything else is served by the first regional row. The rows of one key are never tried one after another.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from providerkeys.providers.aws_regions import GLOBAL, REGIONS

_PREFIX: Final = "bedrock/"
_ARN: Final = re.compile(r"\Aarn:aws(?:-us-gov)?:bedrock:(?P<region>[^:]*):[^:]*:.+\Z", re.DOTALL)


class RegionRow(Protocol):
    """What is to be known of a row of credentials."""

    @property
    def region(self) -> str: ...
    @property
    def readable(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Served[R: RegionRow]:
    """The row that serves a model, the region that it signs for, and the model id that Bedrock is asked for there."""

    row: R
    region: str
    model: str


@dataclass(frozen=True, slots=True)
class NotServed:
    """Nobody serves the model; ``why`` is told to the caller. It is falsy, and holds nothing that the caller wrote."""

    why: str

    def __bool__(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class _Geography:
    """What the prefix of a model id stands for: regions, and the one in which a ``global`` row signs inside of it."""

    regions: re.Pattern[str]
    home: str

    def __contains__(self, region: str) -> bool:
        return self.regions.fullmatch(region) is not None


_GEOGRAPHIES: Final = {
    "us": _Geography(re.compile(r"us-(?!gov-).+"), "us-east-1"),
    "us-gov": _Geography(re.compile(r"us-gov-.+"), "us-gov-west-1"),
    "eu": _Geography(re.compile(r"eu-.+"), "eu-central-1"),
    "apac": _Geography(re.compile(r"ap-.+"), "ap-northeast-1"),
    "jp": _Geography(re.compile(r"ap-northeast-[13]"), "ap-northeast-1"),
    "au": _Geography(re.compile(r"ap-southeast-[24]"), "ap-southeast-2"),
    "ca": _Geography(re.compile(r"ca-.+"), "ca-central-1"),
}


def serve[R: RegionRow](model: str, rows: Sequence[R], global_region: str) -> Served[R] | NotServed:
    """The row of ``rows`` (of one key, in its order) that serves ``model``, or why none does."""
    named, asked = _split(model)
    if named:
        found = _named(named, rows)
    else:
        geography = _GEOGRAPHIES.get(asked.partition(".")[0])
        found = _inside(geography, rows) if geography else _anywhere(rows, global_region)
    if found is None:
        return NotServed(_why(named, asked))
    row, region = found
    return Served(row, region, asked) if row.readable else NotServed("unreadable")


def _split(model: str) -> tuple[str, str]:
    """The region that a model id names (empty: none), and the id without our own way of naming it."""
    arn = _ARN.match(model.removeprefix(_PREFIX))
    if arn:
        return arn["region"], model.removeprefix(_PREFIX)
    if not model.startswith(_PREFIX):
        return "", model
    region, slash, rest = model.removeprefix(_PREFIX).partition("/")
    return (region, rest) if slash else ("", region)


def _named[R: RegionRow](region: str, rows: Sequence[R]) -> tuple[R, str] | None:
    # Only the closed list becomes a host name, whatever a caller writes.
    if region not in REGIONS:
        return None
    row = _first(rows, lambda one: one == region) or _first(rows, lambda one: one == GLOBAL)
    return (row, region) if row else None


def _inside[R: RegionRow](geography: _Geography, rows: Sequence[R]) -> tuple[R, str] | None:
    regional = _first(rows, lambda one: one in geography)
    if regional:
        return regional, regional.region
    fallback = _first(rows, lambda one: one == GLOBAL)
    return (fallback, geography.home) if fallback else None


def _anywhere[R: RegionRow](rows: Sequence[R], global_region: str) -> tuple[R, str] | None:
    regional = _first(rows, lambda one: one != GLOBAL)
    if regional:
        return regional, regional.region
    fallback = _first(rows, lambda one: one == GLOBAL)
    return (fallback, global_region) if fallback else None


def _first[R: RegionRow](rows: Sequence[R], matches: Callable[[str], bool]) -> R | None:
    return next((row for row in rows if matches(row.region)), None)


def _why(named: str, asked: str) -> str:
    if named:
        return f"no region {named}" if named in REGIONS else "no such region"
    geography = asked.partition(".")[0]
    return f"no region in {geography}" if geography in _GEOGRAPHIES else "no region"
