"""The contract of every provider's file, and the proof that it bites."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from providerkeys import providers
from providerkeys.providers import registry
from providerkeys.providers.base import Provider
from providerkeys.providers.verdicts import common_reasons
from tests.providerkeys.providers.contract import broken_rules
from tests.providerkeys.providers.one_more import SLUG, SOURCE

# Each defect is one that a hurried author could plant, and the words by which the contract must name it.
_DEFECTS = {
    "http link": ("docs_url=_KEYS.url", 'docs_url="http://third.example"', "not https"),
    "host with a path": ('"api.third.example"', '"api.third.example/v1"', "not a fixed host"),
    "host from a template": ('"api.third.example"', '"{region}.third.example"', "not a fixed host"),
    "someone else's endpoint": ('Endpoint("third",', 'Endpoint("fourth",', "unknown to PROVIDER_BASE_URLS"),
    "no reason for a valid key": ('"accepted": Reason', '"good": Reason', "no reason `accepted`"),
    "promises too much": ("Third accepted the key.", "Third's key is ready to use.", "promises more"),
    "no next step": ('"save it."', '""', "lacks a sentence or a next step"),
    "place without a link": ('"save it."', '"save it at {link}."', "a place without a link"),
    "rule without a reason": ('reason="unknown_key"),)', 'reason="no_such"),)', "unknown reason `no_such`"),
    "429 called invalid": ("status=(401,)", "status=(401, 429)", "status of 429 is called invalid"),
    "5xx called invalid": ("status=(401,)", "status=(401, 503)", "status of 503 is called invalid"),
    "error called valid": (
        'rules=(Rule(status=(401,), reason="unknown_key"),)',
        'rules=(Rule(status=(404,), reason="accepted"),)',
        "status of 404 is called valid",
    ),
    "any 200 is valid": (
        "    def headers",
        "    def classify_success(self, answer):\n        return 'accepted'\n\n    def headers",
        "is called valid",
    ),
    "key in the URL": (
        "    def headers",
        (
            "    def check(self, credential, send):\n"
            "        from providerkeys.providers.base import Request\n"
            "        path = '/v1/models?key=' + credential.secret\n"
            "        return self.classify(send(Request(self.endpoints[0], path, {})))\n\n"
            "    def headers"
        ),
        "carries the key in the URL",
    ),
    "foreign host": (
        "    def headers",
        (
            "    def check(self, credential, send):\n"
            "        from providerkeys.providers.base import Request\n"
            "        return self.classify(send(Request(Endpoint('third', 'evil.example'), '/', {})))\n\n"
            "    def headers"
        ),
        "does not declare",
    ),
    "half a mask": (
        "    def headers",
        "    def hint(self, credential):\n        return credential.secret[:16]\n\n    def headers",
        "eight characters",
    ),
    "swallows the network": (
        "    def headers",
        (
            "    def check(self, credential, send):\n"
            "        try:\n"
            "            return super().check(credential, send)\n"
            "        except Exception:\n"
            "            return 'unknown_key'\n\n"
            "    def headers"
        ),
        "not passed on",
    ),
}


@pytest.fixture
def third_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Provider]]:
    """Adds ``third.py`` to the providers, for one test, and returns its row."""
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(tmp_path)])

    def add(source: str) -> Provider:
        (tmp_path / f"{SLUG}.py").write_text(source)
        registry.forget()
        return registry.get(SLUG)

    yield add
    monkeypatch.undo()
    registry.forget()
    _forget_module()


def _forget_module() -> None:
    sys.modules.pop(f"providerkeys.providers.{SLUG}", None)
    if hasattr(providers, "third"):
        del providers.third


@pytest.mark.parametrize("provider", registry.all(), ids=lambda provider: provider.slug)
def test_a_providers_file_keeps_the_contract(provider: Provider) -> None:
    assert broken_rules(provider) == []


def test_slugs_and_places_are_unique() -> None:
    rows = registry.all()
    assert len({row.slug for row in rows}) == len({row.order for row in rows}) == len(rows)


def test_adding_a_provider_is_adding_one_file(third_file: Callable[[str], Provider]) -> None:
    third = third_file(SOURCE)
    assert broken_rules(third) == []
    assert registry.all()[-1] is third


@pytest.mark.parametrize("defect", _DEFECTS)
def test_the_contract_bites(third_file: Callable[[str], Provider], defect: str) -> None:
    good, bad, named = _DEFECTS[defect]
    assert good in SOURCE
    found = broken_rules(third_file(SOURCE.replace(good, bad, 1)))
    assert any(named in sentence for sentence in found), found


@pytest.mark.parametrize("provider", registry.all(), ids=lambda provider: provider.slug)
@pytest.mark.parametrize("code", ["timeout", "dns", "reset", "too_large", "server_error", "did_not_finish"])
def test_trouble_that_is_not_the_keys_offers_to_save_it_untested(provider: Provider, code: str) -> None:
    assert "or save it untested." in provider.reason(code).next_step


@pytest.mark.parametrize("provider", registry.all(), ids=lambda provider: provider.slug)
def test_once_stored_nothing_asks_to_be_saved(provider: Provider) -> None:
    steps = [provider.reason(code).once_stored.next_step for code in (*provider.reasons, *common_reasons("It"))]
    assert not [step for step in steps if "save it" in step or "Saving" in step]
    assert all(step[:1].islower() or step.startswith("This test doesn’t check") for step in steps if step)


def test_a_missing_right_is_not_told_as_a_perhaps() -> None:
    assert "it isn’t allowed to list models" in registry.get("openai").reason("scopes").sentence
