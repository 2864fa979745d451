"""Which provider key serves: every rule, one row a case, and what holds for all rows whatever."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providerkeys.resolver import Resolution, Scope, Why, resolve

MINE, OTHER = "key_mine", "key_other"


@dataclass(frozen=True)
class Key:
    """A row as the resolver takes it. ``id`` names it in the tables below."""

    id: str
    provider: str = "openai"
    scope: str = Scope.ORGANIZATION
    enabled: bool = True
    position: int = 1
    readable: bool = True
    assigned_ids: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.id


def wide(name: str, position: int = 1, *, enabled: bool = True, readable: bool = True) -> Key:
    return Key(name, position=position, enabled=enabled, readable=readable)


def mine(name: str, position: int = 1, *, enabled: bool = True, readable: bool = True) -> Key:
    return Key(name, "openai", Scope.API_KEYS, enabled, position, readable, frozenset({MINE}))


def theirs(name: str, position: int = 1, *, enabled: bool = True) -> Key:
    return Key(name, "openai", Scope.API_KEYS, enabled, position, assigned_ids=frozenset({OTHER}))


def nobodys(name: str, position: int = 1) -> Key:
    return Key(name, "openai", Scope.API_KEYS, position=position)


def told(resolution: Resolution[Key]) -> tuple[list[str], dict[str, Why], Why | None]:
    """Who serves in order, why each row does or doesn't, and the refusal."""
    serving = [judged.row.id for judged in resolution.candidates]
    return (
        serving,
        {one.row.id: one.why for one in (*resolution.candidates, *resolution.others)},
        resolution.refusal,
    )


CASES = {
    "nothing exists": ([], [], {}, None),
    "organization-wide keys serve by position": (
        [wide("b", 2), wide("a", 1)],
        ["a", "b"],
        {"a": Why.ORGANIZATION_WIDE, "b": Why.ORGANIZATION_WIDE},
        None,
    ),
    "a disabled organization-wide key is passed over": (
        [wide("a", 1, enabled=False), wide("b", 2)],
        ["b"],
        {"a": Why.DISABLED, "b": Why.ORGANIZATION_WIDE},
        None,
    ),
    "an unreadable organization-wide key is passed over": (
        [wide("a", 1, readable=False), wide("b", 2)],
        ["b"],
        {"a": Why.UNREADABLE, "b": Why.ORGANIZATION_WIDE},
        None,
    ),
    "every organization-wide key disabled": (
        [wide("a", 1, enabled=False), wide("b", 2, enabled=False)],
        [],
        {"a": Why.DISABLED, "b": Why.DISABLED},
        Why.DISABLED,
    ),
    "every organization-wide key unreadable": ([wide("a", readable=False)], [], {"a": Why.UNREADABLE}, Why.UNREADABLE),
    "a specific key shuts out the organization-wide ones": (
        [wide("w", 1), mine("m", 2)],
        ["m"],
        {"m": Why.ASSIGNED, "w": Why.SHADOWED},
        None,
    ),
    "specific keys serve by position": (
        [mine("b", 9), mine("a", 3), wide("w", 1)],
        ["a", "b"],
        {"a": Why.ASSIGNED, "b": Why.ASSIGNED, "w": Why.SHADOWED},
        None,
    ),
    "a disabled specific key refuses, it does not spill": (
        [wide("w", 1), mine("m", 2, enabled=False)],
        [],
        {"m": Why.DISABLED, "w": Why.SHADOWED},
        Why.DISABLED,
    ),
    "an unreadable specific key refuses, it does not spill": (
        [wide("w", 1), mine("m", 2, readable=False)],
        [],
        {"m": Why.UNREADABLE, "w": Why.SHADOWED},
        Why.UNREADABLE,
    ),
    "one disabled specific key leaves the other": (
        [mine("a", 1, enabled=False), mine("b", 2), wide("w", 3)],
        ["b"],
        {"a": Why.DISABLED, "b": Why.ASSIGNED, "w": Why.SHADOWED},
        None,
    ),
    "disabled is said only when none is enabled": (
        [mine("a", 1, enabled=False), mine("b", 2, readable=False)],
        [],
        {"a": Why.DISABLED, "b": Why.UNREADABLE},
        Why.UNREADABLE,
    ),
    "disabled is said before unreadable of one key": (
        [mine("m", enabled=False, readable=False)],
        [],
        {"m": Why.DISABLED},
        Why.DISABLED,
    ),
    "another API key's key neither serves nor shadows": (
        [theirs("t", 1), wide("w", 2)],
        ["w"],
        {"t": Why.ASSIGNED_TO_OTHERS, "w": Why.ORGANIZATION_WIDE},
        None,
    ),
    "only another API key's key": ([theirs("t")], [], {"t": Why.ASSIGNED_TO_OTHERS}, Why.ASSIGNED_TO_OTHERS),
    "an unassigned key serves nothing and shadows nothing": (
        [nobodys("n", 1), wide("w", 2)],
        ["w"],
        {"n": Why.UNASSIGNED, "w": Why.ORGANIZATION_WIDE},
        None,
    ),
    "only an unassigned key": ([nobodys("n")], [], {"n": Why.UNASSIGNED}, Why.UNASSIGNED),
    "the refusal is that of the tier that was asked": (
        [theirs("t", 1), nobodys("n", 2), wide("w", 3, enabled=False)],
        [],
        {"t": Why.ASSIGNED_TO_OTHERS, "n": Why.UNASSIGNED, "w": Why.DISABLED},
        Why.DISABLED,
    ),
    "an organization-wide key with a stray assignment stays organization-wide": (
        [Key("s", assigned_ids=frozenset({MINE}), position=1), wide("w", 2)],
        ["s", "w"],
        {"s": Why.ORGANIZATION_WIDE, "w": Why.ORGANIZATION_WIDE},
        None,
    ),
    "another provider's keys are not even looked at": (
        [Key("x", provider="anthropic"), Key("y", "anthropic", Scope.API_KEYS, assigned_ids=frozenset({MINE}))],
        [],
        {},
        None,
    ),
    "another provider's specific key does not shadow": (
        [Key("y", "anthropic", Scope.API_KEYS, assigned_ids=frozenset({MINE})), wide("w")],
        ["w"],
        {"w": Why.ORGANIZATION_WIDE},
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_who_serves_and_why(name: str) -> None:
    rows, serving, reasons, refusal = CASES[name]
    resolution = resolve(rows, MINE, "openai")
    assert told(resolution) == (serving, reasons, refusal)
    assert bool(resolution) is bool(serving)


@pytest.mark.parametrize("tier", [wide, mine])
@pytest.mark.parametrize("former", [(True, True), (False, True), (True, False), (False, False)])
@pytest.mark.parametrize("latter", [(True, True), (False, True), (True, False), (False, False)])
def test_each_state_of_two_keys_of_a_tier(
    tier: Callable[..., Key], former: tuple[bool, bool], latter: tuple[bool, bool]
) -> None:
    rows = [
        tier("latter", 2, enabled=latter[0], readable=latter[1]),
        tier("former", 1, enabled=former[0], readable=former[1]),
    ]
    serving, _, refusal = told(resolve([*rows, theirs("t", 3)], MINE, "openai"))
    assert serving == [name for name, state in (("former", former), ("latter", latter)) if state == (True, True)]
    enabled = former[0] or latter[0]
    assert refusal == (None if serving else Why.UNREADABLE if enabled else Why.DISABLED)


KEYS = st.lists(
    st.builds(
        Key,
        id=st.uuids().map(str),
        provider=st.sampled_from(["openai", "anthropic"]),
        scope=st.sampled_from(Scope),
        enabled=st.booleans(),
        readable=st.booleans(),
        position=st.integers(-3, 9),
        assigned_ids=st.frozensets(st.sampled_from([MINE, OTHER, "key_third"])),
    ),
    max_size=9,
)


@pytest.mark.long
@settings(derandomize=True, deadline=None, max_examples=500)
@given(KEYS)
def test_whatever_the_rows(rows: list[Key]) -> None:
    resolution = resolve(rows, MINE, "openai")
    serving = [judged.row for judged in resolution.candidates]
    specific = [row for row in rows if row.provider == "openai" and row.scope == Scope.API_KEYS]
    specific = [row for row in specific if MINE in row.assigned_ids]

    assert all(row.provider == "openai" and row.enabled and row.readable for row in serving)
    assert [row.position for row in serving] == sorted(row.position for row in serving)
    if specific:
        assert all(row in specific for row in serving)
    else:
        assert all(row.scope == Scope.ORGANIZATION for row in serving)
    # Nobody is forgotten or judged twice, and the order in which rows were loaded means nothing.
    judged = [one.row.id for one in (*resolution.candidates, *resolution.others)]
    assert sorted(judged) == sorted(row.id for row in rows if row.provider == "openai")
    assert (resolution.refusal is None) is (bool(serving) or not judged)
    distinct = {row.position: row for row in rows}.values()
    assert resolve(distinct, MINE, "openai") == resolve(reversed(list(distinct)), MINE, "openai")


def test_many_keys_are_judged_in_time_that_grows_with_their_number() -> None:
    class Watched(Key):
        compared = 0

        def __eq__(self, other: object) -> bool:
            Watched.compared += 1
            return self is other

        __hash__ = None  # type: ignore[assignment]

    rows = [Watched(f"pk_{number}", position=number) for number in range(300)]
    assert len(resolve(rows, MINE, "openai").candidates) == 300
    assert Watched.compared < 300
