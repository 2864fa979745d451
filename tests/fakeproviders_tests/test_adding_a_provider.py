"""A new provider is one new file in ``providers/``: nothing else needs to know."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakeproviders import providers

FILE = """
from tests.fakeproviders.model import NAMES, Provider, Route, Scenario, Service
from tests.fakeproviders.shape import KeyShape
from tests.fakeproviders.wire import json_answer

PROVIDER = Provider(
    slug="azure",
    shape=KeyShape(head="", width=32, separator="X"),
    services=(
        Service(
            name="azure",
            host=r"fake\\.openai\\.azure\\.com",
            auth_header="authorization",
            read_credential=lambda request: request.header("authorization").removeprefix("Bearer "),
            refuse=lambda ask: None,
            not_found=lambda ask: json_answer(404, {}),
            routes=(Route(name="models", method="GET", path="/v1/models", good=lambda ask: json_answer(200, {})),),
        ),
    ),
    scenarios=(
        Scenario("good", "valid", "key accepted"),
        Scenario("wrong", "invalid", "wrong key", lambda ask: json_answer(401, {"detail": "Unauthorized"})),
    ),
)
"""


@pytest.fixture
def with_one_more_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "brand_new.py").write_text(FILE)
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(tmp_path)])
    providers.load.cache_clear()
    yield
    providers.load.cache_clear()


def test_one_file_is_enough(with_one_more_file: None) -> None:
    assert "azure" in [provider.slug for provider in providers.load()]
    provider, service = providers.served()["azure"]
    assert (provider.slug, service.host) == ("azure", r"fake\.openai\.azure\.com")


def test_keys_without_any_prefix_name_their_scenario_too(with_one_more_file: None) -> None:
    shape = providers.get("azure").shape
    assert len(shape.sample("good")) == 32
    assert shape.scenario(shape.sample("good")) == "good"
    assert shape.scenario(shape.fresh("wrong")) == "wrong"


def test_without_it_the_place_is_empty() -> None:
    provider, service = providers.served()["azure"]
    assert service.routes == ()
    assert [scenario.name for scenario in provider.scenarios] == ["wrong"]
