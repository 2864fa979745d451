"""Which region serves a model: a table of model ids × rows, and a forbidden twin for each rule."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providerkeys.providers.aws_regions import CHOICES, REGIONS
from providerkeys.region_resolver import NotServed, Served, serve

CLAUDE = "anthropic.claude-sonnet-4-20250514-v1:0"
ARN = f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.{CLAUDE}"
HOME = "us-west-2"


@dataclass(frozen=True)
class Row:
    region: str
    readable: bool = True


def rows(*regions: str) -> list[Row]:
    return [Row(region) for region in regions]


# model, rows → the row that serves, the region it signs for, the model id that goes there
SERVED = {
    "a named region has its row": (
        f"bedrock/eu-west-1/{CLAUDE}",
        ["us-east-1", "eu-west-1"],
        "eu-west-1",
        "eu-west-1",
        CLAUDE,
    ),
    "else the global row signs for it": (
        f"bedrock/eu-west-1/{CLAUDE}",
        ["us-east-1", "global"],
        "global",
        "eu-west-1",
        CLAUDE,
    ),
    "its own row comes before the global one": (
        f"bedrock/eu-west-1/{CLAUDE}",
        ["global", "eu-west-1"],
        "eu-west-1",
        "eu-west-1",
        CLAUDE,
    ),
    "a named region wins over a prefix": (
        f"bedrock/eu-west-1/us.{CLAUDE}",
        ["us-east-1", "eu-west-1"],
        "eu-west-1",
        "eu-west-1",
        f"us.{CLAUDE}",
    ),
    "an ARN names its region": (ARN, ["us-east-1", "eu-west-1"], "eu-west-1", "eu-west-1", ARN),
    "an ARN behind our prefix": (f"bedrock/{ARN}", ["us-east-1", "eu-west-1"], "eu-west-1", "eu-west-1", ARN),
    "an ARN of GovCloud": (
        ARN.replace("arn:aws:", "arn:aws-us-gov:").replace("eu-west-1", "us-gov-west-1"),
        ["us-gov-west-1"],
        "us-gov-west-1",
        "us-gov-west-1",
        ARN.replace("arn:aws:", "arn:aws-us-gov:").replace("eu-west-1", "us-gov-west-1"),
    ),
    "an ARN without a region names none": (
        f"arn:aws:bedrock:::foundation-model/{CLAUDE}",
        ["us-east-1"],
        "us-east-1",
        "us-east-1",
        f"arn:aws:bedrock:::foundation-model/{CLAUDE}",
    ),
    "us.": (f"us.{CLAUDE}", ["eu-west-1", "us-west-2", "us-east-1"], "us-west-2", "us-west-2", f"us.{CLAUDE}"),
    "us. is not GovCloud": (f"us.{CLAUDE}", ["us-gov-west-1", "us-east-2"], "us-east-2", "us-east-2", f"us.{CLAUDE}"),
    "us-gov.": (
        f"us-gov.{CLAUDE}",
        ["us-east-1", "us-gov-east-1"],
        "us-gov-east-1",
        "us-gov-east-1",
        f"us-gov.{CLAUDE}",
    ),
    "eu.": (f"eu.{CLAUDE}", ["us-east-1", "eu-north-1"], "eu-north-1", "eu-north-1", f"eu.{CLAUDE}"),
    "apac.": (f"apac.{CLAUDE}", ["us-east-1", "ap-south-1"], "ap-south-1", "ap-south-1", f"apac.{CLAUDE}"),
    "jp.": (f"jp.{CLAUDE}", ["ap-south-1", "ap-northeast-3"], "ap-northeast-3", "ap-northeast-3", f"jp.{CLAUDE}"),
    "au.": (f"au.{CLAUDE}", ["ap-northeast-1", "ap-southeast-4"], "ap-southeast-4", "ap-southeast-4", f"au.{CLAUDE}"),
    "ca.": (f"ca.{CLAUDE}", ["us-east-1", "ca-west-1"], "ca-west-1", "ca-west-1", f"ca.{CLAUDE}"),
    "a prefix behind ours": (
        f"bedrock/eu.{CLAUDE}",
        ["us-east-1", "eu-north-1"],
        "eu-north-1",
        "eu-north-1",
        f"eu.{CLAUDE}",
    ),
    "global signs inside us": (f"us.{CLAUDE}", ["eu-west-1", "global"], "global", "us-east-1", f"us.{CLAUDE}"),
    "global signs inside eu": (f"eu.{CLAUDE}", ["us-east-1", "global"], "global", "eu-central-1", f"eu.{CLAUDE}"),
    "global signs inside apac": (
        f"apac.{CLAUDE}",
        ["us-east-1", "global"],
        "global",
        "ap-northeast-1",
        f"apac.{CLAUDE}",
    ),
    "no prefix: the first regional row": (
        CLAUDE,
        ["global", "eu-west-1", "us-east-1"],
        "eu-west-1",
        "eu-west-1",
        CLAUDE,
    ),
    "no prefix: else global at home": (CLAUDE, ["global"], "global", HOME, CLAUDE),
    "global. has no prefix": (
        f"global.{CLAUDE}",
        ["eu-west-1", "us-east-1"],
        "eu-west-1",
        "eu-west-1",
        f"global.{CLAUDE}",
    ),
    "global. with a global row alone": (f"global.{CLAUDE}", ["global"], "global", HOME, f"global.{CLAUDE}"),
    "our prefix alone": (f"bedrock/{CLAUDE}", ["us-east-1"], "us-east-1", "us-east-1", CLAUDE),
}
# model, rows → why nobody serves
REFUSED = {
    "a named region without a row": (
        f"bedrock/eu-west-1/{CLAUDE}",
        ["us-east-1", "eu-central-1"],
        "no region eu-west-1",
    ),
    "an ARN's region without a row": (ARN, ["us-east-1"], "no region eu-west-1"),
    "a geography without a row": (f"eu.{CLAUDE}", ["us-east-1", "ap-south-1"], "no region in eu"),
    "jp. is not all of apac": (f"jp.{CLAUDE}", ["ap-south-1"], "no region in jp"),
    "us. is never GovCloud": (f"us.{CLAUDE}", ["us-gov-west-1"], "no region in us"),
    "no rows": (CLAUDE, [], "no region"),
}
HOSTILE = ["evil.com/#", "a@evil", "..", "%2f", "us-east-1\n", "us\u2010east\u20101", "x" * 70, "global", "eu-west-9"]


@pytest.mark.parametrize("case", SERVED)
def test_a_model_is_served_by(case: str) -> None:
    model, regions, row, region, asked = SERVED[case]
    assert serve(model, rows(*regions), HOME) == Served(Row(row), region, asked)


@pytest.mark.parametrize("case", REFUSED)
def test_a_model_is_served_by_nobody(case: str) -> None:
    model, regions, why = REFUSED[case]
    found = serve(model, rows(*regions), HOME)
    assert not found
    assert found == NotServed(why)


@pytest.mark.parametrize("region", HOSTILE)
def test_net_a_region_outside_the_closed_list_is_refused_and_not_repeated(region: str) -> None:
    assert serve(f"bedrock/{region}/{CLAUDE}", rows("us-east-1", "global"), HOME) == NotServed("no such region")


def test_an_unreadable_row_refuses_and_no_other_row_takes_its_place() -> None:
    found = serve(f"bedrock/eu-west-1/{CLAUDE}", [Row("eu-west-1", readable=False), Row("global")], HOME)
    assert found == NotServed("unreadable")


def test_a_readable_row_is_not_held_up_by_an_unreadable_one() -> None:
    found = serve(f"bedrock/eu-west-1/{CLAUDE}", [Row("us-east-1", readable=False), Row("eu-west-1")], HOME)
    assert found == Served(Row("eu-west-1"), "eu-west-1", CLAUDE)


@given(st.text(max_size=80), st.lists(st.sampled_from(CHOICES), unique=True, max_size=6))
def test_whatever_a_caller_writes_only_the_closed_list_is_signed_for(model: str, regions: list[str]) -> None:
    found = serve(model, rows(*regions), HOME)
    if isinstance(found, Served):
        assert found.region in REGIONS
        assert found.row.region in {found.region, "global"}
    else:
        assert found.why
