"""A row of the form of AWS Bedrock, by the names that people and assistive technology know."""

from dataclasses import dataclass

from playwright.sync_api import Locator, Page

from tests.fakeproviders.access_keys import halves


@dataclass(frozen=True)
class Region:
    """The group *Region n*; ``number`` counts from 1."""

    page: Page
    number: int

    @property
    def group(self) -> Locator:
        return self.page.get_by_role("group", name=f"Region {self.number}", exact=True)

    @property
    def region(self) -> Locator:
        return self.group.get_by_role("combobox", name="Region", exact=True)

    @property
    def key_id(self) -> Locator:
        return self.group.get_by_role("textbox", name="Access Key ID", exact=True)

    @property
    def secret(self) -> Locator:
        return self.group.get_by_label("Secret Access Key", exact=True)

    @property
    def remove(self) -> Locator:
        return self.group.get_by_role("button", name=f"Remove region {self.number}", exact=True)

    @property
    def to_first(self) -> Locator:
        return self.group.get_by_role("button", name=f"Move region {self.number} to first", exact=True)

    def fill(self, key: str, region: str = "") -> None:
        """Type the two halves of ``key``, a sample, for ``region`` if one is to be chosen."""
        if region:
            self.region.select_option(region)
        key_id, secret = halves(key)
        self.key_id.fill(key_id)
        self.secret.fill(secret)
