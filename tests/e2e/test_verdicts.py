"""All verdicts of all providers as a person sees them arrive, one test after the other in one open form."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.console import LABELS, Console, words_in
from tests.fakeproviders import samples
from tests.fakeproviders.fixtures import CheckedProviders
from tests.fakeproviders.samples import Sample

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("product")]

# Everything that a screen reader would hear, as it comes: state and words after each change.
_LISTEN = """status => {
  globalThis.heard = [];
  const note = () => {
    const fragment = status.querySelector("[data-state]");
    if (fragment) heard.push([fragment.dataset.state, fragment.dataset.verdict ?? "", fragment.innerText]);
  };
  new MutationObserver(note).observe(status, { childList: true, subtree: true, attributes: true, characterData: true });
}"""


def gate(sample: Sample, nth: int) -> tuple[str, str]:
    """The ``nth`` credential of which a request waits where ``sample``'s answer is given, and what it plays there."""
    if sample.provider != "google_vertex_ai":
        return samples.fresh_key(sample.provider, "gate"), "gate"
    # No fresh one: to find another RSA key would take half a second. It signs in, and then asks.
    name = f"gate{nth}"
    return samples.key(sample.provider, f"then{name}" if "countTokens" in sample.path else name), name


@pytest.mark.parametrize("provider", samples.PROVIDERS)
def test_each_verdict_arrives_in_place_and_no_other_is_ever_said(
    console: Console, providers: CheckedProviders, provider: str
) -> None:
    console.open_page_of_new(provider)
    console.status.evaluate(_LISTEN)
    each = samples.one_of_each_verdict(provider)
    assert len(each) >= 4
    for nth, (verdict, sample) in enumerate(each.items()):
        key, scenario = gate(sample, nth)
        region = samples.destination(provider, key).get("region", "")
        console.page.evaluate("heard.length = 0")
        console.fill_credentials(provider, key)
        console.press()
        [request] = providers.wait_for(scenario=scenario, outcome="open")
        console.see_state("running")
        expect(console.status).to_contain_text(re.compile(f"(Asking|Waiting for) {LABELS[provider]}…"))
        providers.release(request.credential, sample.scenario)
        console.see_verdict(verdict, region)
        expect(console.status).to_contain_text(re.compile(r"Next: .+\." if verdict != "valid" else r"\d\.\d s"))
        heard = console.page.evaluate("heard")
        assert list(dict.fromkeys(state for state, _, _ in heard)) == ["queued", "running", "done"]
        # A region that has finished may say its own word before the whole is done.
        early = {verdict.capitalize()} if region else set()
        assert [words for state, told, words in heard if state != "done" and (told or words_in(words) - early)] == []
        assert {word for state, _, words in heard if state == "done" for word in words_in(words)} == {
            verdict.capitalize()
        }
