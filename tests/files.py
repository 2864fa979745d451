"""Giving a page a file, as people do: chosen or dropped."""

from pathlib import Path

from playwright.sync_api import Locator, Page


def choose(page: Page, file: Path) -> None:
    """Press *Choose file*, and choose ``file``."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose file", exact=True).click()
    chooser.value.set_files(file)


def drop(page: Page, onto: Locator, text: str) -> None:
    """Let go of a file that holds ``text`` over an element."""
    transfer = page.evaluate_handle(
        "text => { const it = new DataTransfer(); it.items.add(new File([text], 'key.json')); return it }", text
    )
    for event in ("dragover", "drop"):
        onto.dispatch_event(event, {"dataTransfer": transfer})
