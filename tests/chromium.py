"""The browser that is on this machine, if any."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find() -> str | None:
    """The path of a Chromium or Chrome, which Playwright is given as `executable_path`."""
    return next(filter(None, map(shutil.which, NAMES)), None)
