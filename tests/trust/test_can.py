"""CAN: a walk through the running product leaves no secret in any sink, at the default log level and at the loudest.

A canary is planted in each sink before it is read, in every disguise: the very bytes in which nothing else was found
are bytes in which those were.
"""

from typing import Final

import pytest
from _pytest.mark import ParameterSet

from byok_site import secret_keys
from tests.fakeproviders import providers, samples
from tests.trust.disguises import DISGUISES
from tests.trust.faults.layers import GATEWAY, WEB
from tests.trust.faults.slips import SLIPPED
from tests.trust.sinks import SINKS
from tests.trust.sweep import Swept, sweep
from tests.trust.walk.browser import PLACES
from tests.trust.walk.scene import PYTHON_PROCESSES, SECRETS_FILE, TOKEN, own_places

BROWSER: Final = 11
RUNS: Final = ("default", "loud")
# Each is mostly waited for: one after the other, beside the browsers of tests/e2e, they leave a core to all other tests.
pytestmark = pytest.mark.xdist_group("product-can")


def in_sinks(run: str) -> list[ParameterSet]:
    """Each sink of a run. The browser walks through the first one only."""
    browser = [pytest.param(run, BROWSER, marks=pytest.mark.browser)] if run == "default" else []
    return [*(pytest.param(run, number) for number in SINKS if number != BROWSER), *browser]


@pytest.fixture(scope="session")
def default_sweep() -> Swept:
    """CAN-01: as people run it, with our keys in its data folder."""
    return sweep(whole=True)


@pytest.fixture(scope="session")
def loud_sweep() -> Swept:
    """CAN-03: every log at DEBUG, error pages too, with our keys in the environment."""
    loud = {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json", "DEBUG": "true"}
    return sweep(whole=False, **loud, **secret_keys.generate())


@pytest.fixture
def swept(request: pytest.FixtureRequest) -> Swept:
    """One of the two, once a session."""
    found: Swept = request.getfixturevalue(f"{request.param}_sweep")
    return found


@pytest.mark.parametrize(("swept", "sink"), [*in_sinks("default"), *in_sinks("loud")], indirect=["swept"])
def test_can_01_03_nothing_is_left(swept: Swept, sink: int) -> None:
    assert swept.places[sink]
    assert swept.leaks(sink) == []


@pytest.mark.parametrize("swept", RUNS, indirect=True)
def test_can_07_no_task_has_a_result(swept: Swept) -> None:
    assert swept.places[7] == {"celery-task-meta-planted"}


@pytest.mark.parametrize("swept", RUNS, indirect=True)
@pytest.mark.parametrize("layer", WEB)
def test_can_21_every_layer_has_failed_with_a_secret_in_it(swept: Swept, layer: str) -> None:
    """But for the broker's: what cannot be sent to a worker now is sent by the sweep."""
    assert (500 in swept.forced[layer]) is (layer != "publish")


@pytest.mark.parametrize("swept", RUNS, indirect=True)
@pytest.mark.parametrize("layer", GATEWAY)
def test_can_21_so_has_every_layer_of_the_gateway(swept: Swept, layer: str) -> None:
    """A client that fails is a provider out of reach; records are written when all have been answered."""
    assert swept.forced[layer] == [{"client": 502, "record": 401}.get(layer, 500)]


@pytest.mark.parametrize("swept", RUNS, indirect=True)
def test_can_04_after_a_deletion_not_even_ciphertext_is_left(swept: Swept) -> None:
    """Of a provider key, of one with two regions and of an organization: what was saved and what was being tested."""
    assert len(swept.ciphertext_before) == 2 + 3 + 2
    assert swept.ciphertext_after == frozenset()


@pytest.mark.parametrize("swept", RUNS, indirect=True)
def test_can_01_an_api_key_is_seen_where_it_is_shown_and_nowhere_else(swept: Swept) -> None:
    assert swept.may_be_seen("API key")
    assert swept.was_seen("API key") == swept.may_be_seen("API key")


@pytest.mark.parametrize("swept", RUNS, indirect=True)
@pytest.mark.parametrize("key", ["SECRET_KEY", "CREDENTIAL_KEYS"])
def test_can_16_our_own_keys_are_where_they_were_given_and_nowhere_else(swept: Swept, key: str) -> None:
    in_environment = {(key, f"environ of {name}") for name in PYTHON_PROCESSES}
    assert swept.was_seen(key) in ({(key, SECRETS_FILE)}, in_environment)


@pytest.mark.parametrize("swept", RUNS, indirect=True)
@pytest.mark.parametrize("provider", samples.PROVIDERS)
def test_can_23_a_provider_receives_the_keys_that_were_to_be_tested(swept: Swept, provider: str) -> None:
    tested = {canary for canary, _ in swept.may_be_seen(f"{provider} key") if "tested, not saved" in canary}
    assert tested
    assert tested <= {canary for canary, _ in swept.was_seen(f"{provider} key")}


@pytest.mark.parametrize("swept", RUNS, indirect=True)
@pytest.mark.parametrize("provider", samples.PROVIDERS)
def test_can_23_it_receives_them_wherever_it_asks_for_them(swept: Swept, provider: str) -> None:
    parts = providers.get(provider).shape.secret_parts(samples.key(provider, "good"))
    places = {place for part in parts for place in own_places(provider, part)}
    assert places
    assert places <= {place for _, place in swept.was_seen(f"{provider} key")}


@pytest.mark.parametrize("swept", RUNS, indirect=True)
@pytest.mark.parametrize("part", ["private_key", "secret_access_key"])
def test_can_23_what_only_signs_never_leaves(swept: Swept, part: str) -> None:
    """It is in the fields of the browser while it is typed; no provider has any business with it."""
    signing = {canary for canary in swept.canaries if canary.endswith(f", {part}")}
    assert len(signing) >= 2
    assert {place for canary, place in swept.was_seen("") if canary in signing and "browser" not in place} == set()


@pytest.mark.parametrize("swept", RUNS, indirect=True)
def test_can_23_an_access_token_is_seen_where_it_is_used(swept: Swept) -> None:
    assert {place for _, place in swept.was_seen(TOKEN)} == {"authorization of google_vertex_ai"}


@pytest.mark.parametrize("swept", RUNS, indirect=True)
def test_can_23_no_provider_has_anything_to_complain_of(swept: Swept) -> None:
    assert swept.violations == frozenset()


@pytest.mark.parametrize("swept", [RUNS[0]], indirect=True)
@pytest.mark.browser
def test_can_11_the_browser_holds_a_secret_only_while_it_is_typed(swept: Swept) -> None:
    typed = {(canary, place) for canary, place in swept.allowed if place.startswith("browser")}
    assert typed
    assert typed <= swept.was_seen("")


# CAN-00.


@pytest.mark.parametrize(("swept", "sink"), in_sinks("default"), indirect=["swept"])
@pytest.mark.parametrize("disguise", DISGUISES)
def test_control_00_what_is_planted_in_a_sink_is_found_there(swept: Swept, sink: int, disguise: str) -> None:
    assert swept.found(f"planted in sink {sink}: {disguise}", sink)


@pytest.mark.parametrize("swept", [RUNS[0]], indirect=True)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.browser
def test_control_00_what_is_planted_in_a_place_of_the_browser_is_found_there(swept: Swept, place: str) -> None:
    assert f"browser, planted: {place}" in swept.found(f"planted in sink {BROWSER}: {place}", BROWSER)


@pytest.mark.parametrize("swept", [RUNS[1]], indirect=True)
def test_control_00_so_is_everything_in_the_loud_run(swept: Swept) -> None:
    sinks = [sink for sink in SINKS if sink != BROWSER]
    missed = [
        (sink, disguise)
        for sink in sinks
        for disguise in DISGUISES
        if not swept.found(f"planted in sink {sink}: {disguise}", sink)
    ]
    assert missed == []


@pytest.mark.parametrize("swept", RUNS, indirect=True)
@pytest.mark.parametrize(("sink", "place"), [(4, "db.sqlite3"), (9, "web.log"), (10, "answer"), (18, "dumpdata")])
def test_control_00_what_the_gateway_logs_records_or_answers_is_found(swept: Swept, sink: int, place: str) -> None:
    (slipped,) = {canary for canary in swept.planted if canary.endswith(SLIPPED)}
    assert any(place in found for found in swept.found(slipped, sink))


@pytest.mark.parametrize("swept", [RUNS[0]], indirect=True)
@pytest.mark.parametrize(
    ("sink", "place"),
    [
        *((5, "MONITOR"), (5, ".base.rdb")),
        *((16, "cmdline of"), (16, "environ of")),
        *((17, "planted"), (17, "open in")),
    ],
)
def test_control_00_where_a_sink_has_several_parts_each_is_read(swept: Swept, sink: int, place: str) -> None:
    planted = {hit.place for hit in swept.hits[sink] if hit.canary.startswith(f"planted in sink {sink}:")}
    assert any(place in found for found in planted)
