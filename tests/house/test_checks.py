"""System checks: silent about what is right, and one line about what is not."""

from pathlib import Path

import pytest
from pytest_django import Settings

from byok_site import checks


@pytest.mark.parametrize(("base_url", "found"), [("https://byok.example", []), ("http://byok.example", ["byok.W001"])])
def test_plain_http_is_told(settings: Settings, base_url: str, found: list[str]) -> None:
    settings.BASE_URL = base_url

    assert [message.id for message in checks.base_url_is_https()] == found


@pytest.mark.parametrize(("urls", "found"), [({}, []), ({"openai": "https://proxy.example"}, ["byok.W002"])])
def test_a_detour_to_a_provider_is_told(settings: Settings, urls: dict[str, str], found: list[str]) -> None:
    settings.PROVIDER_BASE_URLS = urls

    assert [message.id for message in checks.no_override_leaves_the_provider()] == found


@pytest.mark.parametrize(("mode", "found"), [(0o700, []), (0o750, ["byok.E001"])])
def test_a_data_folder_others_can_read_is_told(settings: Settings, tmp_path: Path, mode: int, found: list[str]) -> None:
    settings.DATA_DIR = tmp_path
    tmp_path.chmod(mode)

    assert [message.id for message in checks.data_folder_is_private()] == found
