"""The browser that is on this machine, if any, and how tests start it."""

import shutil
from typing import Final

# The first has no windows to draw, and asks less of the machine for the same pages.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS: Final = ("--no-sandbox", "--disable-background-networking")
# Fewer processes and threads: pages behave the same for less. Pictures are not taken this way.
FRUGAL: Final = ("--in-process-gpu", "--disable-gpu-compositing", "--js-flags=--single-threaded")
# For a page: what asks every second asks ten times as often.
HURRY: Final = """{
  const original = globalThis.setTimeout;
  globalThis.setTimeout = (act, after, ...more) => original(act, after === 1000 ? 100 : after, ...more);
}"""


def find() -> str | None:
    """The path of a Chromium or Chrome, which Playwright is given as `executable_path`."""
    return next(filter(None, map(shutil.which, NAMES)), None)
