"""RACE-11: a press of Save that comes several times at once makes one key."""

from typing import Any, Final

import pytest

from organizations.ids import new_id
from organizations.models import ApiKey, AuditEvent, User, api_key
from providerkeys.models import ProviderKey, provider_key
from tests.cast import client_for
from tests.providerkeys import sample
from tests.providerkeys.conftest import Console, form_data
from tests.trust.controls import Control, controls

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

type Kind = type[ApiKey | ProviderKey]

AT_ONCE: Final = 4
SAVES: Final[dict[Kind, tuple[str, dict[str, Any]]]] = {
    ApiKey: ("api-keys/new/", {"name": "ci", "expiration": ""}),
    ProviderKey: ("provider-keys/new/", form_data()),
}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return sample.letterbox(monkeypatch)


@pytest.mark.parametrize("kind", SAVES)
def test_race_11_a_double_click_makes_one_key(kind: Kind, alice: User, sent: list[str]) -> None:
    path, data = SAVES[kind]
    # Their sessions begin before any of them presses; the form is one.
    consoles = [Console(client_for(alice)) for _ in range(AT_ONCE)]
    data = {**data, "press": "0123456789abcdef" * 2}

    answers = sample.at_once(*(lambda console=console: console.post(path, data).status_code for console in consoles))

    assert [one for one in answers if one not in {200, 302}] == []
    assert kind._default_manager.count() == 1
    assert AuditEvent.objects.filter(action__endswith="key.created").count() == 1


# Defects.


def making_one_for_each_post(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, prefix in ((api_key, "key"), (provider_key, "pk")):
        monkeypatch.setattr(module, "id_for", lambda *_, prefix=prefix: new_id(prefix))


def looking_before_anybody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a session does: what the others are making is not seen."""
    found: dict[str, str] = {}
    for module, prefix in ((api_key, "key"), (provider_key, "pk")):
        monkeypatch.setattr(module, "id_for", lambda *_, prefix=prefix: found.setdefault("", new_id(prefix)))


@controls(
    Control(test_race_11_a_double_click_makes_one_key, plant, {"kind": kind})
    for kind in SAVES
    for plant in (making_one_for_each_post, looking_before_anybody_waits)
)
def test_control_notices_a_planted_defect(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
