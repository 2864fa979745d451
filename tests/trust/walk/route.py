"""The whole walk, in its order."""

from concurrent.futures import ThreadPoolExecutor

from tests.trust.walk import broken, browser, keys, kinds, leaving, lives, people, programs
from tests.trust.walk.scene import ALICE, Scene


def go(scene: Scene, planted_in_browser: dict[str, str | list[str]] | None, *, to_the_end: bool) -> None:
    """Everything people do, everything that goes wrong. Without anything to plant there, no browser is opened.

    ``to_the_end``: wait for the check whose worker was killed, which takes as long as a lease.
    """
    people.staff(scene)
    account = scene.secrets.credential(kinds.ACCOUNT, "good", "tested, not saved")
    with ThreadPoolExecutor(1) as beside:
        in_browser = beside.submit(browser.walk, scene, account, planted_in_browser) if planted_in_browser else None
        alice = people.log_in(scene, ALICE)
        # First of all: its second attempt waits until the lease of the first has run out.
        abandoned = broken.kill_worker(scene, alice)
        pressed = keys.press_all(scene, alice, account)
        dana, charlie = (people.follow_link(scene, email) for email in (people.DANA, people.CHARLIE))
        people.guess(scene)
        people.forget_password(scene)
        served = keys.issue(scene, alice, "Nightly batch")
        keys.issue(scene, alice, "Staging", into="main")
        foreign = keys.issue(scene, charlie, "Foreign", at="/orgs/globex/api-keys/")
        keys.refuse(scene, alice, account, foreign)
        keys.misuse(scene, alice, dana, charlie)
        keys.live(scene, alice, served)
        lives.live_everywhere(scene, alice, account)
        programs.walk(scene, alice, account)
        leaving.delete_key(scene, alice)
        leaving.delete_regions(scene, alice)
        leaving.delete_organization(scene, charlie)
        if in_browser:
            in_browser.result()
    broken.fail_everywhere(scene, alice, account)
    keys.await_done(scene, alice, pressed)
    broken.fail_in_worker(scene, alice, account)
    if to_the_end:
        keys.await_done(scene, alice, [abandoned])
