"""What a page is like for those who see or read it otherwise: axe's objections, in either scheme and on a phone."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal, NamedTuple

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

DESKTOP: Final = ViewportSize(width=1280, height=900)
PHONE: Final = ViewportSize(width=360, height=740)
_VIOLATIONS: Final = """options => axe.run(document, options).then((results) =>
  results.violations.map((rule) => `${rule.id}: ${rule.nodes[0].html}`))"""


class Sight(NamedTuple):
    """A window and a colour scheme, and how axe is asked there."""

    window: ViewportSize
    scheme: Literal["light", "dark"]
    options: dict[str, Any]


_ALL: Final[dict[str, Any]] = {}
# Names, roles and structure are the same on a phone and in the dark; these are not.
_LOOKS: Final = {
    "runOnly": [
        "color-contrast",
        "target-size",
        "scrollable-region-focusable",
        "aria-required-children",
        "heading-order",
    ]
}
LIGHT: Final = Sight(DESKTOP, "light", _ALL)
# Everything stands where it stands in the light, where it was looked at: only colours are others.
DARK: Final = Sight(DESKTOP, "dark", {"runOnly": ["color-contrast"]})
DARK_PHONE: Final = Sight(PHONE, "dark", _LOOKS)


def faults(page: Page, sights: Iterable[Sight] = (LIGHT, DARK_PHONE), widths: Iterable[int] = ()) -> Iterator[str]:
    """What axe objects to, and windows (of ``widths`` too) that the page is too wide for."""
    for window, scheme, options in sights:
        page.set_viewport_size(window)
        page.emulate_media(color_scheme=scheme)
        yield from (f"{scheme}, {window['width']} px: {fault}" for fault in _axe(page, options))
        yield from _overflow(page, window["width"])
    for width in widths:
        page.set_viewport_size({**PHONE, "width": width})
        yield from _overflow(page, width)
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")


def _overflow(page: Page, width: int) -> Iterator[str]:
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        yield f"{wide} px wide in a window of {width} px"


def _axe(page: Page, options: dict[str, Any]) -> list[str]:
    """Each violated rule, with the first element that violates it."""
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(Axe().axe_script)
    # Without preloading: to read style sheets anew axe asks for them at addresses where they are not. And nobody asks for
    # the selector of each element that is as it should be.
    given = {**options, "preload": False, "selectors": False, "resultTypes": ["violations"]}
    found: list[str] = page.evaluate(_VIOLATIONS, given)
    return found
