"""A whole secret that is searched for would stand in an address: none is looked up, shown again or kept there."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.models import ProviderKey
from tests.fakeproviders import samples
from tests.providerkeys import sample
from tests.providerkeys.conftest import Console, text

KEYS_OF = ["openai", "mistral"]
SECRET = samples.fresh_key("openai", "good")
LISTS = ["provider-keys/", "api-keys/"]
TOLD = "What you searched for looks like a whole key. It was not searched for"
each_list = pytest.mark.parametrize("path", LISTS)


@each_list
@pytest.mark.parametrize("provider", KEYS_OF)
def test_it_leads_to_the_address_without_it_and_says_why(alices: Console, path: str, provider: str) -> None:
    secret = samples.fresh_key(provider, "good")
    answer = alices.get(path, q=secret, status="active")

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{alices.url(path)}?status=active"
    assert secret not in text(answer)
    page = text(alices.client.get(answer.headers["Location"]))
    assert TOLD in page
    assert secret not in page


@each_list
def test_our_own_too_and_in_any_field(alices: Console, alice_access: Access, path: str) -> None:
    plaintext = ApiKey.issue(alice_access, "Service")[1]

    for name in ("q", "api_key", "after", "anything", plaintext):
        answer = alices.get(path, **{name: plaintext})
        assert answer.headers["Location"] == alices.url(path)


@each_list
def test_htmx_is_led_there_as_well(alices: Console, path: str) -> None:
    answer = alices.get(path, into="provider-keys", q=SECRET)

    assert answer.headers["HX-Redirect"] == alices.url(path)
    assert "HX-Push-Url" not in answer.headers
    assert text(answer) == ""


@each_list
def test_nothing_is_looked_up_by_it(alices: Console, path: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        alices.get(path, q=SECRET)

    said = [query["sql"] for query in asked.captured_queries]
    assert said
    assert not [query for query in said if "providerkey" in query or "apikey" in query or SECRET in query]


@each_list
def test_not_before_somebody_is_known_to_be_a_member(charlies: Console, path: str) -> None:
    assert charlies.get(path, q=SECRET).status_code == 404


class TestWhatIsNoSecretIsSearchedFor:
    @pytest.fixture
    def page(self, alices: Console, alice_access: Access) -> Console:
        sample.stored(alice_access)
        return alices

    def test_by_name_hint_and_id(self, page: Console, alice_access: Access) -> None:
        key = ProviderKey.objects.get()

        for words in (key.name, key.hint, key.hint[-4:], key.pk):
            answer = page.get("provider-keys/", q=words)
            assert answer.status_code == 200
            assert f'id="row-{key.pk}"' in text(answer)

    def test_an_api_key_too(self, page: Console, alice_access: Access) -> None:
        api_key = sample.api_key(alice_access, "Batch jobs of the night")

        for words in (api_key.name, api_key.hint, api_key.hint[-4:], api_key.pk):
            answer = page.get("api-keys/", q=words)
            assert answer.status_code == 200
            assert f'id="row-{api_key.pk}"' in text(answer)
