"""NET-07: no provider's redirect is followed, wherever it leads, and the secret is sent once."""

import pytest
from pytest_django.fixtures import Settings
from requests import Session

from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders.samples import Sample
from tests.trust.controls import Control, controls
from tests.trust.net import ask

# To the same host, to another provider and to a listener on loopback; at the second service of those that have two as well.
REDIRECTS = [one for slug in samples.PROVIDERS for one in samples.hostile(slug) if "redirect" in one.scenario]


@pytest.fixture
def at_the_stand_ins(providers: CheckedProviders, settings: Settings) -> CheckedProviders:
    """They note who comes where a redirect leads, and who comes again after one."""
    settings.PROVIDER_BASE_URLS = providers.base_urls
    return providers


@pytest.mark.parametrize("sample", REDIRECTS, ids=lambda sample: sample.id)
def test_net_07_a_redirect_is_not_followed(sample: Sample, at_the_stand_ins: CheckedProviders) -> None:
    assert ask(sample.provider, sample.key) == "redirect"
    assert at_the_stand_ins.complaint() == ""
    assert len(at_the_stand_ins.requests(followed_redirect=True)) == 0
    services = [one.name for one in at_the_stand_ins.requests()]
    assert len(services) == len(set(services)), "a service was asked twice"


# Defects


def following_redirects(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Session.request
    monkeypatch.setattr(
        Session, "request", lambda *rest, **options: honest(*rest, **{**options, "allow_redirects": True})
    )


@controls(
    Control(test_net_07_a_redirect_is_not_followed, following_redirects, {"sample": one})
    for one in REDIRECTS
    if one.scenario.endswith(("redirect301", "redirect302other", "redirect308loop"))
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
    # What it did there was noted, as it must be.
    request.getfixturevalue("at_the_stand_ins").reset()
