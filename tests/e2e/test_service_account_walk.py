"""Google Vertex AI in the running product: a service account pasted, chosen or dropped, and kept for its location alone."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import expect

from tests.e2e.console import Console
from tests.e2e.database import Database
from tests.fakeproviders import samples, service_accounts
from tests.fakeproviders.fixtures import CheckedProviders
from tests.files import choose, drop
from tests.product import Product
from tests.trust.canary import Canary, Search
from tests.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product")]

NAME: Final = "EU analytics"
HERE, THERE = "europe-west4", "us-central1"


def test_a_service_account_is_pasted_tested_saved_and_kept_for_its_location_alone(
    console: Console, product: Product, providers: CheckedProviders, watch: Watch, tmp_path: Path
) -> None:
    watch.expect(422)
    page, database = console.page, Database(product)
    secret = Canary.provider_key("the service account", "google_vertex_ai", "good")
    email, file = json.loads(secret.value)["client_email"], tmp_path / "key.json"
    file.write_text(secret.value)

    def stored() -> dict[str, Any]:
        return database.key(NAME, console.home.slug)

    def located() -> set[str]:
        """Where Vertex AI was asked so far."""
        return {request.header("host") for request in providers.requests(name="google_vertex_ai")}

    # Pasted, tested, saved with its verdict.
    console.open_list()
    console.open_dialog_of_new()
    console.choose("google_vertex_ai")
    console.name.fill(NAME)
    console.service_account.fill(secret.value)
    console.location.fill(HERE)
    console.press()
    console.see_verdict("valid")
    console.whole_organization.check()
    console.save()
    expect(console.status_of(NAME)).to_have_text("Active")
    expect(console.row(NAME)).to_contain_text(email)
    assert located() == {f"{HERE}-aiplatform.googleapis.com"}
    assert len(providers.requests(credential=email)) == 1
    first = stored()
    assert json.loads(first["destination"]) == {"location": HERE}

    # Blank keeps the document, and tests it where it is stored for.
    console.open_edit(NAME)
    expect(console.service_account).to_have_value("")
    expect(console.location).to_have_value(HERE)
    console.press()
    console.see_verdict("valid")
    console.save()
    assert stored()["credentials"] == first["credentials"]
    assert located() == {f"{HERE}-aiplatform.googleapis.com"}

    # Another location needs the document anew; here it is chosen.
    console.open_edit(NAME)
    console.location.fill(THERE)
    console.save_button.click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(console.service_account).to_have_accessible_description(
        re.compile("^To change the location, paste the whole service account JSON again")
    )
    assert [stored()[name] for name in ("credentials", "destination")] == [first["credentials"], first["destination"]]
    choose(page, file)
    expect(console.service_account).to_have_value(secret.value)
    console.press()
    console.see_verdict("valid")
    console.save()
    second = stored()
    assert second["credentials"] != first["credentials"]
    assert json.loads(second["destination"]) == {"location": THERE}
    assert located() == {f"{place}-aiplatform.googleapis.com" for place in (HERE, THERE)}
    assert not [*Search([secret]).hits("logs", product.logs().encode())]


def test_a_dropped_file_is_tested_and_a_refused_one_is_asked_for_again_or_the_stored_one_kept(
    console: Console, product: Product, watch: Watch
) -> None:
    watch.expect(422)
    page, database = console.page, Database(product)
    good, other = (samples.key("google_vertex_ai", scenario) for scenario in ("good", "iam"))
    console.open_page_of_new("google_vertex_ai")
    console.name.fill(NAME)
    console.whole_organization.check()
    drop(page, console.service_account, good)
    console.press()
    console.see_verdict("valid")
    console.save()
    before = database.key(NAME, console.home.slug)

    # One that never leads anywhere: the next blank save must not keep the stored one in silence.
    spoilt = other.replace(service_accounts.TOKEN_URI, "https://tokens.example/")
    console.open_edit(NAME)
    drop(page, console.name, spoilt)
    expect(console.service_account).to_have_value(spoilt)
    console.save_button.click()
    expect(page.get_by_role("alert")).to_contain_text("Service account JSON")
    expect(console.service_account).to_have_value("")
    console.save_button.click()
    expect(console.service_account).to_have_accessible_description(
        re.compile("^Paste the new service account JSON again")
    )
    page.get_by_role("checkbox", name="Keep the stored key", exact=True).check()
    console.save()
    assert database.key(NAME, console.home.slug)["credentials"] == before["credentials"]
