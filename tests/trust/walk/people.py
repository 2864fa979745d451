"""People: logins right and wrong, links to a first password, and the slips made on the way."""

import re
from quopri import decodestring
from typing import Final

from tests.processes import eventually
from tests.trust.walk.scene import ALICE, SAM, Scene
from tests.trust.walk.visitor import Visitor

DANA: Final = "dana@acme.example"
CHARLIE: Final = "charlie@globex.example"
_LINK: Final = re.compile(r"/password-reset/[\w-]+/[\w-]+/")
_MEMBERSHIPS: Final = {
    f"memberships-{name}": value
    for name, value in {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "1000"}.items()
}


def log_in(scene: Scene, email: str, path: str = "/login/") -> Visitor:
    """Log in after a slip."""
    visitor = scene.visitor(email.partition("@")[0])
    assert visitor.log_in(email, scene.secrets.password(f"a slip of {email}").value, path).status == 200
    assert visitor.log_in(email, scene.passwords[email].value, path).status == 302
    return visitor


def staff(scene: Scene) -> Visitor:
    """Sam, who has made a second organization and two more people."""
    sam = log_in(scene, SAM, "/admin/login/")
    sam.post("/admin/organizations/organization/add/", {"name": "Globex", **_MEMBERSHIPS})
    for email, slug, role in ((DANA, "acme", "member"), (CHARLIE, "globex", "admin")):
        sam.post("/admin/organizations/user/add/", {"email": email, "name": "", "is_active": "on"})
        user = scene.one("SELECT id FROM organizations_user WHERE email = ?", email)
        organization = scene.one("SELECT id FROM organizations_organization WHERE slug = ?", slug)
        membership = {"organization": organization, "user": user, "role": role}
        assert sam.post("/admin/organizations/membership/add/", membership).status == 302
        choose = {"action": "send_set_password_link", "_selected_action": user}
        assert sam.post("/admin/organizations/user/", choose).status == 302
    return sam


def follow_link(scene: Scene, email: str) -> Visitor:
    """Set a password by the link in the latest mail to ``email``, after two slips, and log in with it."""
    visitor = scene.visitor(email.partition("@")[0])
    page = open_link(scene, visitor, email)
    slips = [scene.secrets.password(f"a slip of {email} at a new password") for _ in range(2)]
    chosen = scene.secrets.password(f"of {email}")
    for first, second in ((slips[0], slips[1]), (chosen, slips[0])):
        answer = visitor.post(page, {"new_password1": first.value, "new_password2": second.value})
        assert answer.status == 200
    assert visitor.post(page, {"new_password1": chosen.value, "new_password2": chosen.value}).status == 302
    scene.passwords[email] = chosen
    assert visitor.log_in(email, chosen.value).status == 302
    return visitor


def open_link(scene: Scene, visitor: Visitor, email: str) -> str:
    """Follow the link in the latest mail to ``email``; returns the page that takes the new password."""
    return visitor.get(eventually(lambda: _link(scene, email), 15)).header("location")


def forget_password(scene: Scene) -> None:
    """Alice asks for a link herself, and does not follow it."""
    visitor = scene.visitor("alice without a password")
    assert visitor.post("/password-reset/", {"email": ALICE}).status == 302
    eventually(lambda: _link(scene, ALICE), 15)


def guess(scene: Scene) -> None:
    """Somebody guesses until the login is locked, and goes on."""
    visitor = scene.visitor("somebody")
    statuses = [visitor.log_in("nobody@acme.example", scene.secrets.password("a guess").value).status for _ in range(4)]
    assert statuses[0] == 200
    assert statuses[-1] == 429


def _link(scene: Scene, email: str) -> str:
    """The link in the latest mail to ``email``, if a worker has sent one. Transport broke its long lines; they are joined."""
    folder = scene.product.data_dir / "mail"
    files = sorted(folder.glob("*"), key=lambda file: file.stat().st_mtime, reverse=True)
    mails = [decodestring(file.read_bytes()).decode() for file in files]
    links = [link for mail in mails if f"To: {email}" in mail for link in _LINK.findall(mail)]
    return str(links[0]) if links else ""
