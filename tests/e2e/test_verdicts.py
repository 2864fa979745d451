"""All verdicts of both providers as a person sees them arrive."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.console import LABELS, Console, words_in
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders.samples import Sample

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product")]

EACH = [sample for slug in samples.PROVIDERS for sample in samples.one_of_each_verdict(slug).values()]

# Everything that a screen reader would hear, as it comes: state and words after each change.
_LISTEN = """status => {
  globalThis.heard = [];
  const note = () => {
    const fragment = status.querySelector("[data-state]");
    if (fragment) heard.push([fragment.dataset.state, fragment.dataset.verdict ?? "", fragment.innerText]);
  };
  new MutationObserver(note).observe(status, { childList: true, subtree: true, attributes: true, characterData: true });
}"""


@pytest.mark.parametrize("sample", EACH, ids=lambda sample: f"{sample.provider}-{sample.verdict}")
def test_a_verdict_arrives_in_place_and_no_other_is_ever_said(
    console: Console, providers: CheckedProviders, sample: Sample
) -> None:
    key = samples.fresh_key(sample.provider, "gate")
    console.open_page_of_new(sample.provider)
    console.status.evaluate(_LISTEN)
    console.api_key.fill(key)
    console.press()
    providers.wait_for(key)
    console.see_state("running")
    expect(console.status).to_contain_text(f"Asking {LABELS[sample.provider]}")
    providers.release(key, sample.scenario)
    console.see_verdict(sample.verdict)
    expect(console.status).to_contain_text(re.compile(r"Next: .+\." if sample.verdict != "valid" else r"\d\.\d s"))
    heard = console.page.evaluate("heard")
    assert list(dict.fromkeys(state for state, _, _ in heard)) == ["queued", "running", "done"]
    assert [words for state, verdict, words in heard if state != "done" and (verdict or words_in(words))] == []
    assert {word for state, _, words in heard if state == "done" for word in words_in(words)} == {
        sample.verdict.capitalize()
    }
