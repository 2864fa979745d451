"""What the markup itself promises: names that scripts rely on, secrets that never come back, nothing inline."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string

from tests.look.results import CHECKS, check, result
from tests.look.stage import part, whole
from tests.look.states import PAGES

TEMPLATES = Path(settings.ROOT) / "templates"
SCRIPTS = Path(settings.ROOT) / "static" / "js"
FORBIDDEN = {
    "inline script": re.compile(r"<script(?![^>]*\ssrc=)"),
    "inline style": re.compile(r"<style|\sstyle="),
    "event attribute": re.compile(r"\son[a-z]+=|hx-on"),
    "unescaped output": re.compile(r"\|safe\b|autoescape off|hx-vals"),
    "foreign host": re.compile(r"(?:src|href)=[\"']https?:|data:"),
}


class Tags(HTMLParser):
    """Every tag of a page: its name and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def one(self, **wanted: str) -> dict[str, str | None]:
        named = {name.replace("_", "-"): value for name, value in wanted.items()}
        [attributes] = [each for _, each in self.found if named.items() <= each.items()]
        return attributes


@pytest.mark.parametrize("file", sorted(TEMPLATES.rglob("*.html")), ids=lambda file: str(file.relative_to(TEMPLATES)))
def test_a_template_holds_nothing_that_the_policy_or_escaping_forbids(file: Path) -> None:
    text = file.read_text()
    assert {name for name, pattern in FORBIDDEN.items() if pattern.search(text)} == set()


def test_the_rules_above_bite() -> None:
    bad = ["<script>x</script>", '<p style="x">', '<p onclick="x">', "{{ x|safe }}", '<img src="https://x">']
    assert [any(pattern.search(text) for pattern in FORBIDDEN.values()) for text in bad] == [True] * len(bad)


@pytest.mark.parametrize("file", sorted(SCRIPTS.glob("*.js")), ids=lambda file: file.name)
def test_a_script_builds_no_markup_and_evaluates_nothing(file: Path) -> None:
    assert not re.search(r"innerHTML|insertAdjacentHTML|eval\(|new Function|document\.write", file.read_text())


@pytest.mark.parametrize("name", PAGES)
def test_ids_are_unique(name: str) -> None:
    ids = [attributes["id"] for _, attributes in Tags(whole(name)).found if "id" in attributes]
    assert len(set(ids)) == len(ids)


def test_htmx_is_told_to_keep_nothing_evaluate_nothing_and_swap_errors() -> None:
    content = Tags(whole("list")).one(name="htmx-config")["content"]
    config = json.loads(content or "")
    promised = {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "allowScriptTags": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
        # What has just come is alive at once: 20 ms in which a press is an unscripted one are enough for a quick hand.
        "defaultSettleDelay": 0,
        "refreshOnHistoryMiss": True,
    }
    assert promised.items() <= config.items()
    assert {"code": "[45]..", "swap": True, "error": True} in config["responseHandling"]


@pytest.mark.parametrize("name", ["form-new", "form-refused", "form-edit", "form-conflict"])
def test_a_secret_input_never_says_anything_back(name: str) -> None:
    secret = Tags(whole(name)).one(name="provider_key")
    assert secret["type"] == "password"
    assert secret["autocomplete"] in {"off", "new-password"}
    assert secret["spellcheck"] == "false"
    assert "value" not in secret
    assert [attribute for attribute in secret if attribute.startswith(("data-", "hx-"))] == []


@pytest.mark.parametrize("name", [name for name in PAGES if name.startswith("form-service-account")])
def test_a_file_is_read_in_the_page_and_never_comes_back(name: str) -> None:
    tags = Tags(whole(name))
    secret = tags.one(name="provider_key")
    assert secret["spellcheck"] == "false"
    assert secret["autocomplete"] == "off"
    assert [attribute for attribute in secret if attribute.startswith(("data-", "hx-"))] == []
    assert re.search(r"<textarea[^>]*></textarea>", whole(name))
    # Without a name it is not sent, by htmx or otherwise.
    assert "name" not in tags.one(type="file")


@pytest.mark.parametrize("name", CHECKS)
def test_a_result_tells_scripts_its_state_and_its_verdict_only_when_done(name: str) -> None:
    html = part(f"check-{name}", "result")
    [fragment] = [attributes for _, attributes in Tags(html).found if "data-state" in attributes]
    done = CHECKS[name].state_now == "done"
    assert fragment["data-state"] == CHECKS[name].state_now
    assert ("data-verdict" in fragment) is done
    assert ("hx-get" in fragment) is not done
    if not done and not name.startswith("regions"):
        assert not re.search(r"\b(Valid|Limited|Invalid|Forbidden|Unreachable)\b", html)


def test_a_region_shows_its_verdict_before_the_others_have_theirs() -> None:
    lines = [each for tag, each in Tags(part("check-regions-running", "result")).found if tag == "li"]
    assert [(line["data-region"], line.get("data-verdict")) for line in lines] == [
        ("us-east-1", "valid"),
        ("eu-central-1", "valid"),
        ("eu-south-1", None),
    ]


def test_assignment_badges_say_their_kind() -> None:
    kinds = [each["data-badge"] for _, each in Tags(whole("list")).found if "data-badge" in each]
    assert set(kinds) == {"organization", "api-key", "unassigned"}


def test_the_table_keeps_its_roles_when_it_becomes_cards() -> None:
    roles = {
        "table": "table",
        "thead": "rowgroup",
        "tbody": "rowgroup",
        "tr": "row",
        "th": "columnheader",
        "td": "cell",
    }
    for tag, attributes in Tags(whole("list")).found:
        if tag in roles:
            assert attributes["role"] == roles[tag]


def test_a_member_is_offered_nothing_that_only_admins_may() -> None:
    html = whole("list-member")
    assert "Create a new Provider Key" not in html
    assert "Actions for" not in html
    assert "Create a new Provider Key" in whole("list")


def test_names_are_text_wherever_they_stand() -> None:
    hostile = "<img src=x onerror=alert(1)>{{7*7}}"
    _, context = PAGES["list"]
    key = type(context["keys"][0])(**{**vars(context["keys"][0]), "name": hostile})
    html = part("list", "row", key=key) + part("delete", "sheet", key=key)
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in html


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (["Valid", "Valid"], "2 of 2 regions can be used"),
        (["Valid", "Limited", "Invalid"], "2 of 3 regions can be used, 1 of them limited"),
        (["Limited", "Limited"], "2 of 2 regions can be used, all limited"),
        (["Limited", "Invalid"], "1 of 2 regions can be used, limited"),
    ],
)
def test_of_several_regions_the_head_says_how_many_serve_and_how_freely(verdicts: list[str], said: str) -> None:
    lines = [result(word, "…", ("", "", ""), label=f"region-{number}") for number, word in enumerate(verdicts)]
    assert f"<span>{said}</span>" in render_to_string("providerkeys/results.html", {"check": check("done", lines)})
