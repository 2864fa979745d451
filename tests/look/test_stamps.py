"""Stamps: what is drawn once and then filled in must be, byte for byte, what Django would have rendered each time."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.template import Context, Engine, TemplateSyntaxError
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.long

LIBRARIES = {"stamp": "byok_site.templatetags.stamp"}
PLAIN = '{% if open %}<b title="{{ name }}">{% endif %}100 %s %(name)s {{ name }}{% if more %} +{{ more }}{% endif %}{{ id }}'
STAMPED = '{% load stamp %}{% for row in rows %}{% stamp "row" row.texts id=row.id %}{% endfor %}'

texts = st.one_of(
    st.text(), st.sampled_from(["<script>", "\"'&", "%s", "%(id)s", "{{ id }}", "{% if %}", "\0id\0", "a\0", "0"])
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "id": texts,
            "texts": st.fixed_dictionaries({"name": texts, "more": st.one_of(texts, st.none()), "open": st.booleans()}),
        }
    )
)


def render(source: str, stamped: str = PLAIN, **names: Any) -> str:
    loaders = [("django.template.loaders.locmem.Loader", {"row": stamped, "page": source})]
    return Engine(loaders=loaders, libraries=LIBRARIES).get_template("page").render(Context(names))


@given(rows)
def test_a_stamp_writes_what_the_template_would(rows: list[Mapping[str, Any]]) -> None:
    once = "".join(render(PLAIN, id=row["id"], **row["texts"]) for row in rows)

    assert render(STAMPED, rows=rows) == once


def test_a_value_of_one_row_is_never_in_another() -> None:
    rows = [{"id": "1", "texts": {"name": "ours"}}, {"id": "2", "texts": {"name": "theirs"}}]

    assert render(STAMPED, stamped="[{{ id }} {{ name }}]", rows=rows) == "[1 ours][2 theirs]"


def test_a_stamp_sees_nothing_but_what_it_is_given() -> None:
    page = '{% load stamp %}{% stamp "row" name=name %}'

    assert render(page, stamped="{{ name }}{{ access }}", name="a", access="secret") == "a"


@pytest.mark.parametrize("changed", ["{{ name|upper }}", "{{ name|slice:':3' }}", "{{ name|first }}"])
def test_a_template_that_changes_a_text_is_refused(changed: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="can write a text, but not change it"):
        render('{% load stamp %}{% stamp "row" name="abcdef" %}', stamped=changed)


@pytest.mark.parametrize("words", ['"row" name=1 oops', '"row" a=1 b'])
def test_what_is_no_name_with_a_value_is_refused(words: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="stamp takes"):
        render(f"{{% load stamp %}}{{% stamp {words} %}}")
