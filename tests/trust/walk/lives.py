"""A key of every provider: tested, rejected, saved, tested again, replaced, deleted; each time with a new secret."""

from typing import Final

from tests.fakeproviders import samples
from tests.trust.walk.keys import KEYS, await_done, edit_form, press_form, save_form
from tests.trust.walk.kinds import ACCOUNT, REGIONAL, REGIONS, Form, form_of, fresh, may_show_ids, row
from tests.trust.walk.scene import Scene, Typed
from tests.trust.walk.visitor import Visitor

# OpenAI's has a longer life: see ``keys.live``.
_PROVIDERS: Final = [slug for slug in samples.PROVIDERS if slug != "openai"]


def live_everywhere(scene: Scene, visitor: Visitor, account: Typed) -> None:
    """All providers together, as each check takes its time. ``account`` is a service account to begin with."""
    tested = {slug: _first(scene, slug, account) for slug in _PROVIDERS}
    await_done(scene, visitor, [press_form(visitor, form_of(typed)) for typed in tested.values()])
    saved = {slug: save_form(scene, visitor, form_of(typed)) for slug, typed in tested.items()}
    checks = [press_form(visitor, _kept(slug), of=pk) for slug, pk in saved.items()]
    for slug, pk in saved.items():
        _reject_and_replace(scene, visitor, pk, fresh(scene, slug, "good", "replacement"))
    await_done(scene, visitor, checks)
    for pk in saved.values():
        assert visitor.get(f"{KEYS}{pk}/").status == 200
        assert visitor.post(f"{KEYS}{pk}/delete/", {}).status == 302


def _first(scene: Scene, provider: str, account: Typed) -> list[Typed]:
    return [account] if provider == ACCOUNT else fresh(scene, provider, "good", "saved after a test")


def _kept(provider: str) -> Form:
    """An edit that types no secret."""
    rows: Form = {}
    for number, region in enumerate(REGIONS):
        rows |= row(number, region)
    return {"provider": provider, "name": "Kept", **(rows if provider == REGIONAL else {"provider_key": ""})}


def _reject_and_replace(scene: Scene, visitor: Visitor, pk: str, typed: list[Typed]) -> None:
    refused = edit_form(scene, visitor, pk, form_of(typed, name=""))
    assert refused.status == 422
    may_show_ids(scene, refused, typed)
    assert edit_form(scene, visitor, pk, form_of(typed, name=f"Replaced {pk[-6:]}")).status == 302
