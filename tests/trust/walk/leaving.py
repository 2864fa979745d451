"""Deleting: a provider key with a check that runs, an organization with all it has."""

from typing import Final

from tests.trust.canary import Canary
from tests.trust.walk.keys import KEYS, press, save
from tests.trust.walk.scene import Scene
from tests.trust.walk.visitor import Visitor

GLOBEX: Final = "/orgs/globex/provider-keys/"
_CIPHERTEXT: Final = (
    "SELECT credentials FROM providerkeys_providerkey WHERE id = ?",
    "SELECT candidate FROM providerkeys_credentialcheck WHERE candidate IS NOT NULL AND provider_key_id = ?",
)


def delete_key(scene: Scene, visitor: Visitor) -> None:
    """Delete a key while another credential for it is being tested."""
    pk, being_tested = _key_with_a_running_check(scene, visitor, KEYS, "of a deleted key")
    assert visitor.post(f"{KEYS}{pk}/delete/", {}).status == 302
    scene.fakes.release(being_tested)


def delete_organization(scene: Scene, visitor: Visitor) -> None:
    """The same for the whole organization. No page does that yet, so it is the operator who does."""
    _, being_tested = _key_with_a_running_check(scene, visitor, GLOBEX, "of a deleted organization")
    code = "from organizations.models import Organization; Organization.objects.get(slug='globex').delete()"
    scene.product.manage("shell", "--no-imports", "-c", code)
    assert visitor.get(GLOBEX).status == 404
    scene.fakes.release(being_tested)


def _key_with_a_running_check(scene: Scene, visitor: Visitor, at: str, whose: str) -> tuple[str, str]:
    pk = save(scene, visitor, scene.secrets.key("openai", "good", whose), at=at)
    secret = scene.secrets.key("openai", "gate", f"{whose}, being tested").value
    press(visitor, secret, of=pk, at=at)
    scene.fakes.wait_for(secret)
    tokens = [str(token) for sql in _CIPHERTEXT for (token,) in scene.rows(sql, pk)]
    assert len(tokens) == 2, "a key and its candidate"
    scene.deleted.extend(
        Canary.ciphertext(f"ciphertext {number} {whose}", token) for number, token in enumerate(tokens)
    )
    scene.before_deletion.append(scene.tables())
    return pk, secret
