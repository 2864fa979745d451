"""What breaks in mid-walk: each layer that a secret passes, the worker in mid-check."""

from http import HTTPStatus
from typing import Final

from tests.processes import eventually
from tests.trust.faults.layers import WEB, WORKER
from tests.trust.walk.keys import API_KEYS, KEYS, press, press_form, save_form, take_api_key, version_of
from tests.trust.walk.kinds import ACCOUNT, REGIONAL, form_of, fresh, may_show_ids
from tests.trust.walk.people import forget_password, open_link
from tests.trust.walk.scene import ALICE, Scene, Typed
from tests.trust.walk.visitor import Visitor

# Which secrets pass a layer: those of providers all but three, the others these.
_NOT_AT_CREDENTIALS: Final = ("login", "hasher", "mint")
_AT_AN_API_KEY: Final = ("middleware", "session", "access", "audit", "mint", "page", "error page")
_AT_LOGIN: Final = ("middleware", "session", "login", "hasher", "row", "page")
_AT_A_NEW_PASSWORD: Final = ("hasher", "row")


def fail_everywhere(scene: Scene, visitor: Visitor, account: Typed) -> None:
    """Send secrets towards each layer of the web process while that fails."""
    saved = {
        provider: save_form(scene, visitor, form_of(_typed(scene, provider, account, "saved before all fails")))
        for provider in ("openai", ACCOUNT, REGIONAL)
    }
    for name, layer in WEB.items():
        stranger, link, page = scene.visitor("alice in trouble"), scene.visitor("alice with a link"), ""
        if name in _AT_LOGIN:
            stranger.get("/login/")
        if name in _AT_A_NEW_PASSWORD:
            forget_password(scene)
            page = open_link(scene, link, ALICE)
        with scene.failing(name) as statuses:
            if name not in _NOT_AT_CREDENTIALS:
                statuses.extend(_attempts(scene, visitor, saved[layer.provider], name, account))
            if name in _AT_AN_API_KEY:
                statuses.append(_make_api_key(scene, visitor, f"While {name} fails"))
            if name in _AT_LOGIN:
                statuses.append(stranger.log_in(ALICE, scene.passwords[ALICE].value).status)
            if page:
                statuses.append(_choose_password(scene, link, page, f"chosen while {name} fails"))


def _typed(scene: Scene, provider: str, account: Typed, what: str) -> list[Typed]:
    """One account is enough for all that breaks."""
    return [account] if provider == ACCOUNT else fresh(scene, provider, "good", what)


def _attempts(scene: Scene, visitor: Visitor, pk: str, name: str, account: Typed) -> list[int]:
    def send(path: str, what: str, *, into: str | None = None, **more: str) -> int:
        typed = _typed(scene, WEB[name].provider, account, f"{what} while {name} fails")
        answer = visitor.post(path, form_of(typed, **more), into=into)
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            may_show_ids(scene, answer, typed)
        return answer.status

    return [
        send(f"{KEYS}checks/", "tested", into="test-result"),
        send(f"{KEYS}new/", "saved"),
        send(f"{KEYS}new/", "refused, but for the layer,", into="sheet", name=""),
        send(f"{KEYS}{pk}/", "replacement", version=str(version_of(scene, pk))),
    ]


def _make_api_key(scene: Scene, visitor: Visitor, name: str) -> int:
    answer = visitor.post(f"{API_KEYS}new/", {"name": name, "expiration": ""})
    if answer.status == HTTPStatus.OK:
        take_api_key(scene, answer, name)
    return answer.status


def _choose_password(scene: Scene, visitor: Visitor, page: str, what: str) -> int:
    chosen = scene.secrets.password(what).value
    return visitor.post(page, {"new_password1": chosen, "new_password2": chosen}).status


def fail_in_worker(scene: Scene, visitor: Visitor, account: Typed) -> None:
    """Test a credential while each layer of the worker fails, until its log says so."""
    for name, layer in WORKER.items():
        told = _failures(scene)
        with scene.failing(name):
            press_form(visitor, form_of(_typed(scene, layer.provider, account, f"tested while {name} fails")))
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
