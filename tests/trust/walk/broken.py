"""What breaks in mid-walk: each layer that a secret passes, the worker in mid-check."""

from http import HTTPStatus
from typing import Final

from tests.processes import eventually
from tests.trust.faults.layers import WEB, WORKER
from tests.trust.walk.keys import API_KEYS, KEYS, edit, form, press, save, take_api_key
from tests.trust.walk.people import forget_password, open_link
from tests.trust.walk.scene import ALICE, Scene
from tests.trust.walk.visitor import Visitor

_AT_LOGIN: Final = ("middleware", "session", "login", "hasher", "row", "page")
_AT_A_NEW_PASSWORD: Final = ("hasher", "row")


def fail_everywhere(scene: Scene, visitor: Visitor) -> None:
    """Send secrets towards each layer of the web process while that fails."""
    pk = save(scene, visitor, scene.secrets.key("openai", "good", "saved before all fails"))
    for layer in WEB:
        stranger, link = scene.visitor("alice in trouble"), scene.visitor("alice with a link")
        stranger.get("/login/")
        forget_password(scene)
        page = open_link(scene, link, ALICE)
        with scene.failing(layer) as statuses:
            statuses.extend(_attempts(scene, visitor, pk, layer))
            if layer in _AT_LOGIN:
                statuses.append(stranger.log_in(ALICE, scene.passwords[ALICE].value).status)
            if layer in _AT_A_NEW_PASSWORD:
                statuses.append(_choose_password(scene, link, page, f"chosen while {layer} fails"))


def _attempts(scene: Scene, visitor: Visitor, pk: str, layer: str) -> list[int]:
    def fresh(what: str) -> str:
        return scene.secrets.key("openai", "good", f"{what} while {layer} fails").value

    return [
        visitor.post(f"{KEYS}checks/", form(fresh("tested")), into="test-result").status,
        visitor.post(f"{KEYS}new/", form(fresh("saved"))).status,
        visitor.post(f"{KEYS}new/", form(fresh("refused, but for the layer,"), name=""), into="sheet").status,
        _make_api_key(scene, visitor, f"While {layer} fails"),
        edit(scene, visitor, pk, fresh("replacement")),
    ]


def _make_api_key(scene: Scene, visitor: Visitor, name: str) -> int:
    answer = visitor.post(f"{API_KEYS}new/", {"name": name, "expiration": ""})
    if answer.status == HTTPStatus.OK:
        take_api_key(scene, answer, name)
    return answer.status


def _choose_password(scene: Scene, visitor: Visitor, page: str, what: str) -> int:
    chosen = scene.secrets.password(what).value
    return visitor.post(page, {"new_password1": chosen, "new_password2": chosen}).status


def fail_in_worker(scene: Scene, visitor: Visitor) -> None:
    """Test a key while each layer of the worker fails, until its log says so."""
    for layer in WORKER:
        told = _failures(scene)
        with scene.failing(layer):
            press(visitor, scene.secrets.key("openai", "good", f"tested while {layer} fails").value)
            eventually(lambda told=told: _failures(scene) > told, 20)  # type: ignore[misc]


def _failures(scene: Scene) -> int:
    log = (scene.product.data_dir / "log" / "worker.log").read_text(errors="replace")
    return log.count("failed with") + log.count("raised unexpected")


def kill_worker(scene: Scene, visitor: Visitor) -> str:
    """``kill -9`` while a provider is being asked. Returns the check, which another attempt will finish."""
    secret = scene.secrets.key("openai", "gate", "being tested when the worker was killed").value
    check = press(visitor, secret)
    scene.fakes.wait_for(secret)
    scene.product.kill("worker")
    scene.fakes.release(secret)
    return check
