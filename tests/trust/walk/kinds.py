"""The forms of credentials of every kind: a key, a service account, an access key in each of two regions."""

import json
from dataclasses import replace
from typing import Final

from tests.fakeproviders.access_keys import halves
from tests.trust.canary import Canary
from tests.trust.walk.scene import Scene, Typed
from tests.trust.walk.visitor import Answer

type Form = dict[str, str | list[str]]

ACCOUNT: Final = "google_vertex_ai"
REGIONAL: Final = "bedrock"
REGIONS: Final = ("us-east-1", "eu-central-1")
_ID: Final = "access_key_id"


def fresh(scene: Scene, provider: str, scenario: str, what: str, *, refused: bool = False) -> list[Typed]:
    """What a form of this provider takes: one credential, or one for each region."""
    count = len(REGIONS) if provider == REGIONAL else 1
    return [scene.secrets.credential(provider, scenario, what, refused=refused) for _ in range(count)]


def form_of(typed: list[Typed], **more: str | list[str]) -> Form:
    """What the form posts for a new key of the whole organization."""
    provider = typed[0].provider
    credentials = _rows(typed) if provider == REGIONAL else {"provider_key": typed[0].value}
    return {**_around(provider), **credentials, **more}


def _around(provider: str) -> Form:
    return {"provider": provider, "name": "Production Key", "assign_to_organization": "on"}


def _rows(typed: list[Typed]) -> Form:
    form: Form = {}
    for number, (region, one) in enumerate(zip(REGIONS, typed, strict=False)):
        form |= row(number, region, *halves(one.value))
    return form


def row(number: int, region: str, key_id: str = "", secret: str = "") -> Form:
    """One row of the regions; without a key, one that keeps what is stored."""
    fields = {"region": region, _ID: key_id, "secret_access_key": secret}
    return {f"regions-{number}-{name}": value for name, value in fields.items()}


def may_show_ids(scene: Scene, answer: Answer, typed: list[Typed]) -> None:
    """A form that is refused shows the access key id again, and it alone."""
    for canary in ids(typed):
        scene.secrets.allow(canary, answer.place)


def ids(typed: list[Typed]) -> list[Canary]:
    return [one.fields[_ID] for one in typed if _ID in one.fields]


def spoilt_accounts(account: Typed) -> dict[str, Form]:
    """A service account in ways in which none may be taken, its private key in each."""
    document = json.loads(account.value)
    spoilt = {
        "an account with another address": json.dumps({**document, "token_uri": "http://169.254.169.254/"}),
        "an account of another kind": json.dumps({**document, "type": "authorized_user"}),
        "an account without its project": json.dumps({**document, "project_id": ""}),
        "an account's key alone": document["private_key"],
        "half an account": account.value[: len(account.value) // 2],
    }
    return {what: form_of([replace(account, value=text)]) for what, text in spoilt.items()}


def spoilt_pairs(scene: Scene) -> dict[str, Form]:
    """Access keys in ways in which none may be taken. None of their ids is one that may be shown again."""
    swapped, masked = (
        scene.secrets.credential(REGIONAL, "good", f"refused, {what}", refused=True) for what in ("swapped", "masked")
    )
    key_id, secret = halves(masked.value)
    return {
        "halves swapped": {**_around(REGIONAL), **row(0, REGIONS[0], *reversed(halves(swapped.value)))},
        "a masked half": {**_around(REGIONAL), **row(0, REGIONS[0], f"{key_id[:19]}…", f"{secret[:35]}…")},
    }
