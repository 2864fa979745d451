"""``./dev screenshots``: pictures of the running demo, for the README and for whoever looks at every page.

Without arguments it makes the README's pictures in ``docs/images``. With ``--all FOLDER`` it walks through every page and
dialog, each in light and dark, on a desktop and on a phone.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import chromium
from tests.e2e.console import Console
from tests.e2e.homes import Home, Person
from tests.fakeproviders import samples
from tests.product import ROOT, free_port

IMAGES: Final = ROOT / "docs" / "images"
ADMIN, MEMBER, STRANGER, STAFF = (f"{name}@byok.example" for name in ("alice", "dana", "charlie", "sam"))
Scheme = Literal["light", "dark"]
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
SIZES: Final = {"desktop": (1280, 832), "phone": (360, 740)}
_ROWS: Final = (("us-east-1", "good"), ("eu-central-1", "wrong"))


@dataclass(frozen=True)
class Demo:
    """A running demo: its address, and the password that it printed."""

    url: str
    password: str

    @classmethod
    @contextmanager
    def start(cls) -> Iterator[Self]:
        """Run it in a folder to throw away, for the length of a ``with`` block."""
        with tempfile.TemporaryDirectory(prefix="byok-pictures-") as folder:
            kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
            more = {"PYTHONUNBUFFERED": "1", "BYOK_DATA_DIR": f"{folder}/demo", "PORT": str(free_port())}
            command = [sys.executable, "manage.py", "demo"]
            with subprocess.Popen(command, cwd=ROOT, env=kept | more, stdout=subprocess.PIPE, text=True) as process:
                try:
                    yield cls._read(process)
                finally:
                    process.send_signal(signal.SIGTERM)

    @classmethod
    def _read(cls, process: "subprocess.Popen[str]") -> Self:
        """What it prints for a newcomer. Raises ``RuntimeError`` when it ends before it is ready."""
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            ready = re.match(r"ready (\S+)", line)
            password = re.search(r"the password `([^`]+)`", said)
            if ready and password:
                return cls(ready[1], password[1])
        raise RuntimeError(f"the demo did not start; it said: {said}")


@dataclass(frozen=True)
class Camera:
    """A browser on the demo, and the folder where its pictures go."""

    browser: Browser
    demo: Demo
    folder: Path

    @contextmanager
    def window(
        self, person: str = "", scheme: Scheme = "light", size: str = "desktop", scale: float = 1
    ) -> Iterator[Page]:
        """A window of ``person``, who is logged in; of a stranger when nobody is named."""
        width, height = SIZES[size]
        context = self.browser.new_context(
            base_url=self.demo.url,
            color_scheme=scheme,
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            reduced_motion="reduce",
        )
        page = context.new_page()
        if person:
            page.goto("/login/")
            page.get_by_label("Email").fill(person)
            page.get_by_label("Password").fill(self.demo.password)
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url(lambda address: "/login/" not in address)
        yield page
        context.close()

    def take(self, page: Page, name: str, *, whole: bool = False) -> None:
        """Picture what ``page`` shows now, or the ``whole`` of what there is to scroll through; a dialog does not scroll."""
        page.wait_for_load_state("networkidle")
        page.screenshot(path=self.folder / f"{name}.png", full_page=whole and page.get_by_role("dialog").count() == 0)


def console(page: Page, slug: str = "acme") -> Console:
    nobody = Person("", "")
    return Console(page, Home(slug, slug, nobody, nobody, nobody))


# The steps that lead to what is pictured


def the_list(page: Page) -> None:
    """The list, when none of the demo's keys is being tested any more."""
    console(page).open_list()
    expect(page.get_by_role("table", name="Provider keys").get_by_text("Testing", exact=True)).to_have_count(0)


def a_tested_key(page: Page) -> None:
    """A good key in the form over the list, tested."""
    mine = console(page)
    mine.open_list()
    mine.open_dialog_of_new()
    mine.choose("openai")
    mine.name.fill("Production EU")
    mine.fill_credentials("openai", samples.key("openai", "good"))
    mine.press()
    mine.see_verdict("valid")


def two_regions(page: Page) -> None:
    """An access key in one region that takes it, and one in another that does not."""
    mine = console(page)
    mine.open_list()
    mine.open_dialog_of_new()
    mine.choose("bedrock")
    mine.name.fill("Bedrock, both sides")
    for number, (region, scenario) in enumerate(_ROWS, start=1):
        row = mine.region(1) if number == 1 else mine.add_region()
        row.fill(samples.key("bedrock", scenario), region)
    mine.press()
    mine.see_state("done")


def api_key(name: str) -> Callable[[Page], None]:
    def step(page: Page) -> None:
        page.goto("/orgs/acme/api-keys/")
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()

    return step


def at(path: str) -> Callable[[Page], None]:
    def step(page: Page) -> None:
        page.goto(path)

    return step


def of_staff(model: str, name: str) -> Callable[[Page], None]:
    """The administration's page of an object of ``model``."""

    def step(page: Page) -> None:
        page.goto(f"/admin/{model}/")
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()

    return step


def form(provider: str) -> Callable[[Page], None]:
    return lambda page: console(page).open_page_of_new(provider)


def menu(name: str) -> Callable[[Page], None]:
    def step(page: Page) -> None:
        the_list(page)
        page.get_by_role("button", name=f"Actions for {name}", exact=True).first.click()

    return step


def chosen(name: str, action: str) -> Callable[[Page], None]:
    """What the row menu of the provider key ``name`` opens."""

    def step(page: Page) -> None:
        menu(name)(page)
        page.get_by_role("menuitem", name=action, exact=True).click()
        page.get_by_role("dialog").wait_for()

    return step


def for_the_readme(camera: Camera) -> None:
    """What the README shows."""
    for scheme in SCHEMES:
        with camera.window(ADMIN, scheme, scale=1.5) as page:
            the_list(page)
            camera.take(page, f"provider-keys-{scheme}")
    for name, step in (("test-credentials", a_tested_key), ("bedrock", two_regions), ("api-key", api_key("ci"))):
        with camera.window(ADMIN, scale=1.5) as page:
            step(page)
            camera.take(page, name)


_ACME: Final = "/orgs/acme"
PAGES: Final[tuple[tuple[str, str, Callable[[Page], None]], ...]] = (
    ("login", "", at("/login/")),
    ("password-reset", "", at("/password-reset/")),
    ("not-found", ADMIN, at(f"{_ACME}/nowhere/")),
    ("list", ADMIN, the_list),
    ("list-filtered", ADMIN, at(f"{_ACME}/provider-keys/?q=account")),
    ("list-nothing-found", ADMIN, at(f"{_ACME}/provider-keys/?q=zebra")),
    ("list-empty", STRANGER, at("/orgs/globex/provider-keys/")),
    ("list-member", MEMBER, at(f"{_ACME}/provider-keys/")),
    ("list-menu", ADMIN, menu("Overflow account")),
    ("form-api-key", ADMIN, form("openai")),
    ("form-service-account", ADMIN, form("google_vertex_ai")),
    ("form-regions", ADMIN, form("bedrock")),
    ("form-tested", ADMIN, a_tested_key),
    ("form-two-regions", ADMIN, two_regions),
    ("edit-api-key", ADMIN, chosen("Overflow account", "Edit")),
    ("edit-regions", ADMIN, chosen("Bedrock fleet", "Edit")),
    ("delete", ADMIN, chosen("Overflow account", "Delete")),
    ("api-keys", ADMIN, at(f"{_ACME}/api-keys/")),
    ("api-keys-empty", STRANGER, at("/orgs/globex/api-keys/")),
    ("api-key-new", ADMIN, at(f"{_ACME}/api-keys/new/")),
    ("api-key-ci", ADMIN, api_key("ci")),
    ("admin", STAFF, at("/admin/")),
    ("admin-organizations", STAFF, at("/admin/organizations/organization/")),
    ("admin-users", STAFF, at("/admin/organizations/user/")),
    ("admin-api-keys", STAFF, at("/admin/organizations/apikey/")),
    ("admin-provider-keys", STAFF, at("/admin/providerkeys/providerkey/")),
    ("admin-checks", STAFF, at("/admin/providerkeys/credentialcheck/")),
    ("admin-audit-events", STAFF, at("/admin/organizations/auditevent/")),
    ("admin-organization", STAFF, of_staff("organizations/organization", "Acme")),
    ("admin-user", STAFF, of_staff("organizations/user", MEMBER)),
    ("admin-api-key", STAFF, of_staff("organizations/apikey", "ci")),
    ("admin-provider-key", STAFF, of_staff("providerkeys/providerkey", "Bedrock fleet")),
)
"""Name of a picture, who looks, and the steps that lead there."""


def of_everything(camera: Camera) -> None:
    """Each of ``PAGES``, in every scheme and size."""
    for scheme in SCHEMES:
        for size in SIZES:
            for person in dict.fromkeys(person for _, person, _ in PAGES):
                with camera.window(person, scheme, size) as page:
                    for name, step in ((name, step) for name, looks, step in PAGES if looks == person):
                        step(page)
                        camera.take(page, f"{name}-{scheme}-{size}", whole=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev screenshots", description=__doc__)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every page, in every scheme and size")
    everything: Path | None = parser.parse_args().all
    folder = everything or IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    program = chromium.find()
    if not program:
        sys.exit("screenshots: no Chromium or Chrome was found.")
    expect.set_options(timeout=30_000)
    with Demo.start() as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(chromium.ARGUMENTS))
        camera = Camera(browser, demo, folder)
        (of_everything if everything else for_the_readme)(camera)
        browser.close()


if __name__ == "__main__":
    main()
