"""AWS Bedrock's own manners: whose identity signs, for which host, and what is known of a paste before any call."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from providerkeys.providers import aws_access_key, aws_regions, aws_requests, http, registry
from providerkeys.providers.aws_access_key import AccessKey
from providerkeys.providers.base import Answer, Credential, Request
from providerkeys.providers.refusals import Refused
from tests.fakeproviders import samples
from tests.fakeproviders.access_keys import halves
from tests.fakeproviders.fixtures import CheckedProviders

Ask = Callable[[str, str], str]

_GOOD = samples.key("bedrock", "good")
_ID, _SECRET = halves(_GOOD)
_HOSTS_ID = "AKIA" + "HOSTHOSTHOSTHOST"


# The host's own identity (contracts §2.4).


@pytest.fixture
def metadata() -> Iterator[list[str]]:
    """Instance metadata that answers on loopback with the host's own role; yields what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"AccessKeyId": _HOSTS_ID, "SecretAccessKey": "s", "Token": "t"}).encode())

        do_PUT = do_GET  # noqa: N815  The server's own name.

        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    asked.append(f"http://127.0.0.1:{server.server_port}")
    yield asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def hostile_host(
    monkeypatch: pytest.MonkeyPatch,
    metadata: list[str],
    tmp_path_factory: pytest.TempPathFactory,
    providers: CheckedProviders,
) -> list[str]:
    """A machine with an AWS identity, profile, endpoints and bearer token of its own, in every place where SDKs look."""
    home, url = tmp_path_factory.mktemp("home"), metadata.pop()
    aws = home / ".aws"
    (aws / "models" / "sts").mkdir(parents=True)
    (aws / "credentials").write_text(f"[default]\naws_access_key_id={_HOSTS_ID}\naws_secret_access_key=host\n")
    (aws / "config").write_text(f"[profile host]\nregion=us-west-1\nendpoint_url={providers.trap_url}\n")
    variables = {
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": _HOSTS_ID,
        "AWS_SECRET_ACCESS_KEY": "host",
        "AWS_SESSION_TOKEN": "host-session",
        "AWS_SECURITY_TOKEN": "host-session",
        "AWS_BEARER_TOKEN_BEDROCK": "ABSKhost",
        "AWS_PROFILE": "host",
        "AWS_DEFAULT_PROFILE": "host",
        "AWS_REGION": "us-west-1",
        "AWS_DEFAULT_REGION": "us-west-1",
        "AWS_CONFIG_FILE": str(aws / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(aws / "credentials"),
        "AWS_DATA_PATH": str(aws / "models"),
        "AWS_CA_BUNDLE": "/nowhere.pem",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_USE_DUALSTACK_ENDPOINT": "true",
        "AWS_STS_REGIONAL_ENDPOINTS": "legacy",
        "AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/host",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(aws / "credentials"),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/credentials",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
        "HTTPS_PROXY": providers.trap_url,
        "HTTP_PROXY": providers.trap_url,
        **{
            f"AWS_ENDPOINT_URL{service}": providers.trap_url for service in ("", "_STS", "_BEDROCK", "_BEDROCK_RUNTIME")
        },
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_PROXY", raising=False)
    return metadata


@pytest.mark.parametrize(
    ("scenario", "reason"), [("good", "accepted"), ("wrong", "unknown_id"), ("mistyped", "secret_mismatch")]
)
def test_nothing_of_the_hosts_identity_is_used(
    ask: Ask, hostile_host: list[str], providers: CheckedProviders, scenario: str, reason: str
) -> None:
    assert ask("bedrock", samples.key("bedrock", scenario)) == reason
    sent = " ".join(value for request in providers.requests() for _, value in request.headers)
    assert not re.search(r"HOST|host-session|ABSK|Bearer|x-amz-security-token", sent)
    assert hostile_host == []


@pytest.mark.parametrize(
    "blank",
    [
        {"access_key_id": "", "secret_access_key": ""},
        {"access_key_id": _ID, "secret_access_key": ""},
        {"access_key_id": "", "secret_access_key": _SECRET},
        {"access_key_id": " ", "secret_access_key": " "},
        {"access_key_id": None, "secret_access_key": None},
        {},
        [],
    ],
)
def test_blank_keys_never_become_the_hosts(
    ask: Ask, hostile_host: list[str], providers: CheckedProviders, blank: object
) -> None:
    check = registry.get("bedrock").check
    assert check(Credential(json.dumps(blank), {"region": "us-east-1"}), http.send) == "unreadable"
    assert providers.requests() == []
    assert hostile_host == []


# Hosts and signatures.


class _Seen(Exception):
    def __init__(self, request: Request) -> None:
        self.request = request


def _look(request: Request) -> Answer:
    raise _Seen(request)


HOSTILE_REGIONS = [
    *("evil.com/#", "a@evil", "..", "%2f", "us-east-1\n", "us\u2010east\u20101", "x" * 70, "us-east-1.evil.com"),
    *("", "cn-north-1", "eu-west-9", "US-EAST-1", " us-east-1", "us-iso-east-1", "bedrock-runtime-us-east-1"),
]


@pytest.mark.parametrize("region", HOSTILE_REGIONS)
def test_net_only_the_closed_list_becomes_a_host(region: str) -> None:
    assert registry.get("bedrock").check(Credential(_GOOD, {"region": region}), _look) == "unreadable"


@pytest.mark.parametrize("region", aws_regions.REGIONS)
def test_net_each_region_has_its_own_hosts(region: str) -> None:
    with pytest.raises(_Seen) as seen:
        registry.get("bedrock").check(Credential(_GOOD, {"region": region}), _look)
    sts = region if region.startswith("us-gov-") else "us-east-1"
    assert seen.value.request.endpoint.host == f"sts.{sts}.amazonaws.com"
    listing = aws_requests.list_models(AccessKey(_ID, _SECRET), region)
    assert (listing.endpoint.host, listing.path) == (f"bedrock.{region}.amazonaws.com", "/foundation-models")
    assert f"/{region}/bedrock/aws4_request" in listing.headers["Authorization"]


def test_the_list_of_regions_is_that_of_the_installed_botocore() -> None:
    assert {"us-east-1", "eu-central-1", "ap-southeast-7", "us-gov-west-1"} <= set(aws_regions.REGIONS)
    assert all(re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d+", region) for region in aws_regions.REGIONS)
    assert "global" in aws_regions.CHOICES
    assert "global" not in aws_regions.REGIONS


def test_no_request_shows_a_part_of_the_secret() -> None:
    key = AccessKey(_ID, _SECRET)
    for request in (aws_requests.who_am_i(key, "us-east-1"), aws_requests.list_models(key, "us-east-1")):
        sent = " ".join([request.path, request.body.decode(), *request.headers.values()])
        assert not any(_SECRET[start : start + 8] in sent for start in range(len(_SECRET) - 7))
        assert _ID not in repr(request)


@pytest.mark.parametrize("setting", ["eu-west-1", "us-west-2"])
def test_a_global_row_signs_for_the_chosen_region(settings: Settings, ask: Ask, setting: str) -> None:
    settings.BEDROCK_GLOBAL_REGION = setting
    reason = ask("bedrock", samples.key("bedrock", "global"))
    assert reason == f"accepted@{setting}"
    assert registry.get("bedrock").reason(reason).sentence.endswith(f"Tested in {setting}.")


def test_a_global_row_says_where_it_was_not_reached(settings: Settings, providers: CheckedProviders) -> None:
    settings.PROVIDER_BASE_URLS = providers.base_urls
    providers.down("aws_sts")
    reason = registry.get("bedrock").check(Credential(_GOOD, {"region": "global"}), http.send)
    assert reason == "connect@us-east-1"
    assert registry.get("bedrock").verdict(reason) == "unreachable"


@pytest.mark.parametrize("name", ["aws_sts", "bedrock"])
def test_each_service_that_is_down_judges_nothing(ask: Ask, providers: CheckedProviders, name: str) -> None:
    providers.down(name)
    assert registry.get("bedrock").verdict(ask("bedrock", _GOOD)) == "unreachable"


@pytest.mark.parametrize(
    ("scenario", "name", "asked"),
    [("mistyped", "aws_sts", 2), ("thenmismatch", "bedrock", 2), ("wrong", "aws_sts", 1), ("late", "aws_sts", 1)],
)
def test_only_a_mismatch_is_asked_again(
    ask: Ask, providers: CheckedProviders, scenario: str, name: str, asked: int
) -> None:
    key = samples.fresh_key("bedrock", scenario)
    ask("bedrock", key)
    assert len(providers.requests(name=name, credential=halves(key)[0])) == asked


def test_the_stand_in_verifies_the_signature_over_the_host(settings: Settings, providers: CheckedProviders) -> None:
    settings.PROVIDER_BASE_URLS = providers.base_urls
    signed = aws_requests.list_models(AccessKey(_ID, _SECRET), "us-east-1")
    elsewhere = aws_requests.CONTROL["eu-west-1"]
    right = http.send(signed)
    wrong = http.send(Request(elsewhere, signed.path, signed.headers))
    assert (right.status, wrong.status) == (200, 403)


_REASONS = {
    "optin": "region_disabled",
    "regiondisabled": "region_disabled",
    "subscription": "subscription",
    "optinrequired400": "subscription",
    "nolist": "may_not_list",
    "policy": "policy",
    "usecase": "use_case",
    "agreement": "agreement",
    "throttled": "rate_limited",
    "throttledsts": "rate_limited",
    "quota": "quota",
    "mistyped": "secret_mismatch",
    "thenmismatch": "secret_mismatch",
    "wrong": "unknown_id",
    "expired": "expired",
    "late": "clock",
    "early": "clock",
    "thenlate": "clock",
    "requestexpired": "clock",
    "root": "accepted_root",
    "error500": "server_error",
    "notready": "model_busy",
    "odd403": "unexpected",
}


@pytest.mark.parametrize("scenario", _REASONS)
def test_the_next_step_fits_the_answer(ask: Ask, scenario: str) -> None:
    assert ask("bedrock", samples.key("bedrock", scenario)) == _REASONS[scenario]


# What is known of a paste; what the forms say of it: the family INP.


@given(st.text(max_size=200))
def test_any_text_is_taken_or_refused_and_never_quoted(pasted: str) -> None:
    for cleaner in (aws_access_key.clean_id, aws_access_key.clean_secret):
        taken, refusal = _outcome(cleaner, pasted)
        assert taken in pasted
        assert bool(taken) is not bool(refusal)
        assert not _quotes(pasted, refusal)


def _outcome(cleaner: Callable[[str], str], pasted: str) -> tuple[str, str]:
    try:
        return cleaner(pasted), ""
    except Refused as refused:
        return "", str(refused)


def test_halves_show_in_no_repr() -> None:
    shown = repr(AccessKey(_ID, _SECRET))
    assert _ID not in shown
    assert _SECRET not in shown


def test_what_is_stored_is_read_back() -> None:
    assert AccessKey.read(AccessKey(_ID, _SECRET).stored) == AccessKey(_ID, _SECRET)
    assert AccessKey(_ID, _SECRET).stored == _GOOD


def _quotes(pasted: str, text: str) -> bool:
    # Windows of letters and digits: a run of blanks or stars is nobody's secret.
    windows = {pasted[start : start + 8] for start in range(len(pasted) - 7)}
    return any(window in text for window in windows if window.isalnum())


def test_no_client_of_the_sdk_is_made() -> None:
    """The signer is all that is used: a client would bring the host's identity with it."""
    rooms = Path(aws_requests.__file__).parent
    text = "".join(file.read_text() for file in rooms.glob("*.py"))
    assert not re.search(r"import boto3|from boto3|botocore\.session|create_client", text)
