"""NET-20 to -39: what becomes a part of an address comes from a closed list, or is quoted. That the forms refuse the
rest is in the tables of INP.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import pytest

from providerkeys.providers import (
    aws_regions,
    aws_requests,
    bedrock,
    google_count_tokens,
    google_locations,
    registry,
    service_account,
)
from providerkeys.providers.base import Answer, Credential, Endpoint, Request
from tests.fakeproviders import samples
from tests.providerkeys.providers.service_account_inputs import GOOD, PROJECTS, changed
from tests.trust.controls import Control, controls
from tests.trust.net import Guard, ask_with

AWS, GOOGLE = "bedrock", "google_vertex_ai"
KEY: Final = samples.key(AWS, "good")
NOT_ON_THE_LIST: Final = (
    *("evil.com/#", "a@evil", "..", "%2f", "{region}\n", "\n{region}", "x" * 70, "{region}.evil.example", "", " "),
    *("us\N{HYPHEN}east\N{HYPHEN}1", "europe\N{NON-BREAKING HYPHEN}west4", "{REGION}", " {region}", "{region}\0"),
)
OF_AWS: Final = (
    *(one.format(region="us-east-1", REGION="US-EAST-1") for one in NOT_ON_THE_LIST),
    *("cn-north-1", "eu-west-9", "us-iso-east-1", "bedrock-runtime-us-east-1", "europe-west4"),
)
OF_GOOGLE: Final = (
    *(one.format(region="europe-west4", REGION="Europe-West4") for one in NOT_ON_THE_LIST),
    *("europe-west99", "eu-central-1", "global.evil.example"),
)
# Written from the contract, §3.4; every other location is a region and the beginning of its host.
HOSTS: Final = {
    "global": "aiplatform.googleapis.com",
    "us": "aiplatform.us.rep.googleapis.com",
    "eu": "aiplatform.eu.rep.googleapis.com",
}


ANSWERS: Final = {
    "aws_sts": Answer(
        200,
        "text/xml",
        b"<GetCallerIdentityResponse ><Arn>arn:aws:iam::000000000000:user/one</Arn></GetCallerIdentityResponse>",
    ),
    "bedrock": Answer(200, "application/json", b'{"modelSummaries": []}'),
    "google_oauth": Answer(200, "application/json", b'{"access_token": "ya29.FAKE", "token_type": "Bearer"}'),
    "google_vertex_ai": Answer(200, "application/json", b'{"totalTokens": 1}'),
}


def requests_for(slug: str, credential: Credential) -> list[Request]:
    """What is asked about a credential that is good at each step."""
    asked = list[Request]()

    def send(request: Request) -> Answer:
        asked.append(request)
        return ANSWERS[request.endpoint.name]

    assert registry.get(slug).check(credential, send) == "accepted"
    return asked


def url_of(request: Request) -> str:
    return f"{request.endpoint.origin}{request.path}"


# NET-20: the regions of AWS


@pytest.mark.parametrize("region", OF_AWS, ids=ascii)
def test_net_20_a_stored_region_outside_the_list_is_never_asked(region: str) -> None:
    with Guard.closed() as guard:
        assert ask_with(AWS, Credential(KEY, {"region": region})) == "unreadable"
    assert guard.packets == []


@pytest.mark.parametrize("region", aws_regions.REGIONS)
def test_net_20_a_region_is_asked_at_its_own_host(region: str) -> None:
    identity, listing = requests_for(AWS, Credential(KEY, {"region": region}))
    place = region if region.startswith("us-gov-") else "us-east-1"
    assert url_of(identity) == f"https://sts.{place}.amazonaws.com/"
    assert url_of(listing) == f"https://bedrock.{region}.amazonaws.com/foundation-models"
    assert f"/{region}/bedrock/aws4_request" in listing.headers["Authorization"]


def test_net_20_the_list_is_that_of_the_installed_botocore() -> None:
    assert {"us-east-1", "eu-central-1", "ap-southeast-7", "us-gov-west-1"} <= set(aws_regions.REGIONS)
    assert all(re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d+", region) for region in aws_regions.REGIONS)
    assert set(aws_regions.CHOICES) - set(aws_regions.REGIONS) == {"global"}


# NET-21: the locations of Google


@pytest.mark.parametrize("location", OF_GOOGLE, ids=ascii)
def test_net_21_a_stored_location_outside_the_list_is_never_asked(location: str) -> None:
    with Guard.closed() as guard:
        assert ask_with(GOOGLE, Credential(GOOD, {"location": location})) == "unreadable"
    assert guard.packets == []


@pytest.mark.parametrize("location", google_locations.ENDPOINTS)
def test_net_21_a_location_is_asked_at_its_own_host(location: str) -> None:
    sign_in, question = requests_for(GOOGLE, Credential(GOOD, {"location": location}))
    host = HOSTS.get(location, f"{location}-aiplatform.googleapis.com")
    assert url_of(sign_in) == "https://oauth2.googleapis.com/token"
    assert url_of(question).startswith(
        f"https://{host}/v1/projects/fake-example-project/locations/{location}/publishers/"
    )


# NET-22: the project


@pytest.mark.parametrize("project", PROJECTS, ids=ascii)
def test_net_22_a_project_that_is_none_is_never_asked_about(project: str) -> None:
    with Guard.closed() as guard:
        assert ask_with(GOOGLE, Credential(changed(project_id=project))) == "unreadable"
    assert guard.packets == []


def test_net_22_a_project_of_a_domain_is_quoted() -> None:
    _, question = requests_for(GOOGLE, Credential(changed(project_id="example.com:fake-one")))
    assert url_of(question).startswith(
        "https://aiplatform.googleapis.com/v1/projects/example.com%3Afake-one/locations/"
    )


# Defects


class Anywhere(dict[str, Endpoint]):
    """A table of addresses that makes one of whatever it is asked for."""

    def __init__(self, name: str, pattern: str) -> None:
        super().__init__()
        self.make: Callable[[str], Endpoint] = lambda place: Endpoint(name, pattern.format(place))

    def __missing__(self, place: str) -> Endpoint:
        return self.make(place)

    def __contains__(self, place: Any) -> bool:
        return True


def building_hosts_of_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    """What botocore does with a region that it doesn't know."""
    monkeypatch.setattr(bedrock, "REGIONS", Anywhere("bedrock", ""))
    monkeypatch.setattr(aws_requests, "CONTROL", Anywhere("bedrock", "bedrock.{}.amazonaws.com"))


def asking_elsewhere_in_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_requests, "CONTROL", Anywhere("bedrock", "bedrock.us-east-1.amazonaws.com"))


def offering_one_region_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_regions, "CHOICES", (*aws_regions.CHOICES, "xx-evil-1"))


def building_hosts_of_locations(monkeypatch: pytest.MonkeyPatch) -> None:
    anywhere = Anywhere("google_vertex_ai", "{}-aiplatform.googleapis.com")
    monkeypatch.setattr(google_locations, "ENDPOINTS", anywhere)
    monkeypatch.setattr(google_count_tokens, "ENDPOINTS", anywhere)


def asking_elsewhere_at_google(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        google_count_tokens, "ENDPOINTS", Anywhere("google_vertex_ai", "us-central1-aiplatform.googleapis.com")
    )


def taking_any_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(service_account._PATTERNS, "project_id", ".*")


def quoting_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google_count_tokens, "quote", lambda text, **_: text)


@controls(
    [
        *(
            Control(
                test_net_20_a_stored_region_outside_the_list_is_never_asked, building_hosts_of_regions, {"region": one}
            )
            for one in OF_AWS[:3]
        ),
        Control(test_net_20_a_region_is_asked_at_its_own_host, asking_elsewhere_in_aws, {"region": "eu-west-1"}),
        Control(test_net_20_the_list_is_that_of_the_installed_botocore, offering_one_region_more),
        *(
            Control(
                test_net_21_a_stored_location_outside_the_list_is_never_asked,
                building_hosts_of_locations,
                {"location": one},
            )
            for one in OF_GOOGLE[:3]
        ),
        Control(
            test_net_21_a_location_is_asked_at_its_own_host, asking_elsewhere_at_google, {"location": "europe-west4"}
        ),
        *(
            Control(test_net_22_a_project_that_is_none_is_never_asked_about, taking_any_project, {"project": one})
            for one in PROJECTS[:3]
        ),
        Control(test_net_22_a_project_of_a_domain_is_quoted, quoting_nothing),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
