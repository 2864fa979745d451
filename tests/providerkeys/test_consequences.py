"""What a change of provider keys means for API keys: who loses, who moves, who steps in; and the same as the resolver says."""

from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providerkeys.consequences import Key, Kind, Serving, consequences
from providerkeys.resolver import Scope, resolve

MINE, OTHER = "key_mine", "key_other"


def wide(name: str, position: int = 1, *, enabled: bool = True, readable: bool = True) -> Key:
    return Key(name, name, "openai", Scope.ORGANIZATION, enabled, position, readable)


def own(name: str, position: int = 2, *, enabled: bool = True, of: tuple[str, ...] = (MINE,)) -> Key:
    return Key(name, name, "openai", Scope.API_KEYS, enabled, position, assigned_ids=frozenset(of))


CASES = {
    "un-assigning hands the API key back": ("m", [wide("w"), own("m")], [wide("w"), own("m", of=())], "moves m w"),
    "deleting hands the API key back": ("m", [wide("w"), own("m")], [wide("w")], "moves m w"),
    "disabling its own key pauses": ("m", [wide("w"), own("m")], [wide("w"), own("m", enabled=False)], "loses m -"),
    "disabling an organization-wide key hands on": ("w", [wide("w"), wide("x", 2)], [wide("x", 2)], "moves w x"),
    "disabling the only one ends": ("w", [wide("w")], [wide("w", enabled=False)], "loses w -"),
    "assigning takes the API key over": ("m", [wide("w"), own("m", of=())], [wide("w"), own("m")], "moves w m"),
    "assigning a disabled key pauses": ("m", [wide("w")], [wide("w"), own("m", enabled=False)], "loses w -"),
    "the first key serves": ("w", [], [wide("w")], "gains - w"),
    "a second key steps in": ("x", [wide("w")], [wide("w"), wide("x", 2)], "backed w w"),
    "a second key of its own steps in": ("n", [own("m")], [own("m"), own("n", 3)], "backed m m"),
    "a second key goes": ("x", [wide("w"), wide("x", 2)], [wide("w")], "unbacked w w"),
    "moving up serves first": ("x", [wide("w", 1), wide("x", 2)], [wide("w", 2), wide("x", 1)], "moves w x"),
    "another API key's own key": ("m", [wide("w")], [wide("w"), own("m", of=(OTHER,))], ""),
    "another provider's": ("a", [], [Key("a", "a", "anthropic", Scope.ORGANIZATION, True, 1)], ""),
    "renumbering": ("w", [wide("w", 1)], [wide("w", 7)], ""),
    "refused before and after": ("m", [own("m", enabled=False)], [own("m", enabled=False), wide("w", 9)], ""),
}


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_told_before_it_is_made(name: str) -> None:
    changed, before, after, said = CASES[name]
    groups = consequences(Serving(before, "openai"), Serving(after, "openai"), [MINE], changed)
    effects = [one.effect for one in groups]
    told = [
        f"{one.kind} {one.before.id if one.before else '-'} {one.after.id if one.after else '-'}" for one in effects
    ]
    assert told == [said] * bool(said)
    assert [one.api_key_ids for one in groups] == [[MINE]] * bool(said)


def test_api_keys_are_grouped_by_what_the_change_means_for_them_the_graver_first() -> None:
    before = [wide("w", 1), wide("x", 2), own("m", 3, of=("a", "b")), own("n", 4, of=("b",)), own("o", 5, of=("c",))]
    after = [row for row in before if row.id != "w"]
    groups = consequences(Serving(before, "openai"), Serving(after, "openai"), ["a", "b", "c", "d", "e"], "w")
    assert [(one.effect.kind, one.api_key_ids) for one in groups] == [(Kind.MOVES, ["d", "e"])]

    disabled = own("m", 3, of=("a", "b"), enabled=False)
    after = [disabled if row.id == "m" else row for row in before]
    groups = consequences(Serving(before, "openai"), Serving(after, "openai"), ["a", "b", "c", "d"], "m")
    assert [(one.effect.kind, one.api_key_ids) for one in groups] == [(Kind.LOSES, ["a"]), (Kind.MOVES, ["b"])]


def test_a_key_that_only_steps_in_is_told_with_how_many_are_tried_before_it() -> None:
    line = [own(f"m{place}", place) for place in range(5)]
    for place in (1, 3, 4):
        without = [row for row in line if row.id != f"m{place}"]
        for before, after, kind in ((without, line, Kind.BACKED), (line, without, Kind.UNBACKED)):
            (group,) = consequences(Serving(before, "openai"), Serving(after, "openai"), [MINE], f"m{place}")
            assert (group.effect.kind, group.effect.ahead) == (kind, place)


def test_api_keys_with_more_keys_before_it_are_told_apart() -> None:
    before = [own("m", 1, of=("a", "b", "c")), own("n", 2, of=("b",))]
    after = [*before, own("o", 3, of=("a", "b", "c"))]
    groups = consequences(Serving(before, "openai"), Serving(after, "openai"), ["a", "b", "c"], "o")
    assert [(one.effect.ahead, one.api_key_ids) for one in groups] == [(1, ["a", "c"]), (2, ["b"])]


ROWS = st.lists(
    st.builds(
        Key,
        st.integers(0, 9).map(str),
        st.just("name"),
        st.sampled_from(["openai", "openai", "mistral"]),
        st.sampled_from(list(Scope)),
        st.booleans(),
        st.integers(1, 99),
        st.booleans(),
        st.frozensets(st.sampled_from([MINE, OTHER])),
    ),
    max_size=8,
    unique_by=(lambda row: row.id, lambda row: row.position),
)


@given(ROWS)
def test_who_serves_is_what_the_resolver_says_of_all_rows_at_once(rows: list[Key]) -> None:
    for api_key_id in (MINE, OTHER, "key_of_nobody"):
        whole, quick = resolve(rows, api_key_id, "openai"), Serving(rows, "openai").of(api_key_id)
        assert quick.candidates == whole.candidates


def test_a_thousand_api_keys_cost_about_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Mock(wraps=resolve)
    monkeypatch.setattr("providerkeys.consequences.resolve", asked)
    rows = [wide(f"pk_{number}", number) for number in range(100)]
    before, after = Serving(rows, "openai"), Serving(rows[1:], "openai")
    (group,) = consequences(before, after, [f"key_{number}" for number in range(1000)], "pk_0")
    assert len(group.api_key_ids) == 1000
    assert asked.call_count == 2
