"""Deleting: a provider key with a check that runs, an organization with all it has."""

from typing import Final

from tests.trust.canary import Canary
from tests.trust.walk.keys import KEYS, press, press_form, save, save_form
from tests.trust.walk.kinds import REGIONAL, form_of, fresh
from tests.trust.walk.scene import Scene, Typed
from tests.trust.walk.visitor import Visitor

GLOBEX: Final = "/orgs/globex/provider-keys/"
_CIPHERTEXT: Final = (
    "SELECT credentials FROM providerkeys_providerkey WHERE credentials IS NOT NULL AND id = ?",
    "SELECT credentials FROM providerkeys_bedrockregion WHERE provider_key_id = ?",
    "SELECT candidate FROM providerkeys_credentialcheck WHERE candidate IS NOT NULL AND provider_key_id = ?",
)


def delete_key(scene: Scene, visitor: Visitor) -> None:
    """Delete a key while another credential for it is being tested."""
    pk, being_tested = _key_with_a_running_check(scene, visitor, KEYS, "of a deleted key")
    assert visitor.post(f"{KEYS}{pk}/delete/", {}).status == 302
    scene.fakes.release(being_tested)


def delete_regions(scene: Scene, visitor: Visitor) -> None:
    """The same for a key with an access key in each of two regions."""
    pk = save_form(scene, visitor, form_of(fresh(scene, REGIONAL, "good", "of deleted regions")))
    one, other = fresh(scene, REGIONAL, "gate", "of deleted regions, being tested")
    press_form(visitor, form_of([one, other]), of=pk)
    _take_ciphertext(scene, pk, "of deleted regions", [one, other])
    assert visitor.post(f"{KEYS}{pk}/delete/", {}).status == 302
    for typed in (one, other):
        scene.fakes.release(typed.arrives)


def delete_organization(scene: Scene, visitor: Visitor) -> None:
    """The same for the whole organization. No page does that yet, so it is the operator who does."""
    _, being_tested = _key_with_a_running_check(scene, visitor, GLOBEX, "of a deleted organization")
    code = "from organizations.models import Organization; Organization.objects.get(slug='globex').delete()"
    assert scene.operator.run("shell", "--no-imports", "-c", code).code == 0
    assert visitor.get(GLOBEX).status == 404
    scene.fakes.release(being_tested)


def _key_with_a_running_check(scene: Scene, visitor: Visitor, at: str, whose: str) -> tuple[str, str]:
    pk = save(scene, visitor, scene.secrets.key("openai", "good", whose), at=at)
    being_tested = scene.secrets.credential("openai", "gate", f"{whose}, being tested")
    press(visitor, being_tested.value, of=pk, at=at)
    _take_ciphertext(scene, pk, whose, [being_tested])
    return pk, being_tested.arrives


def _take_ciphertext(scene: Scene, pk: str, whose: str, being_tested: list[Typed]) -> None:
    """Note what is to be gone: what is stored, and the candidates that a provider is being asked about."""
    for typed in being_tested:
        scene.fakes.wait_for(typed.arrives)
    tokens = [str(token) for sql in _CIPHERTEXT for (token,) in scene.rows(sql, pk)]
    # The candidates of one check are sealed together.
    assert len(tokens) == len(being_tested) + 1, "what is stored, and a candidate"
    scene.deleted.extend(
        Canary.ciphertext(f"ciphertext {number} {whose}", token) for number, token in enumerate(tokens)
    )
    scene.before_deletion.append(scene.tables())
