"""What the forms clean, hint at and refuse, field by field. No message holds a part of what was pasted."""

from typing import Any, cast

import pytest
from django.http import QueryDict
from django.utils import timezone

from organizations.access import Access
from organizations.models import ApiKey
from providerkeys.forms import ApiKeyForm, CredentialsForm, ProviderKeyForm
from providerkeys.models import ProviderKey
from providerkeys.resolver import Scope
from tests.providerkeys import sample
from tests.providerkeys.conftest import form_data

UNUSUAL = "sk-unusual-FAKE-0123456789abcdefghij"
FOREIGN_KIND = "sk-ant-api03-FAKE" + "x" * 40
ADMIN_KIND = "sk-admin-FAKE" + "x" * 40


def sent(**fields: Any) -> QueryDict:
    """Return fields as a browser sends them."""
    data = QueryDict(mutable=True)
    for name, value in fields.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return data


def credentials(
    access: Access, secret: str, provider: str = "openai", key: ProviderKey | None = None
) -> CredentialsForm:
    return CredentialsForm(access, sent(provider=provider, provider_key=secret), key=key)


def provider_key_form(access: Access, **fields: Any) -> ProviderKeyForm:
    return ProviderKeyForm(access, sent(**form_data(**fields)))


def errors(form: Any) -> dict[str, list[str]]:
    return {name: list(messages) for name, messages in form.errors.items()}


class TestApiKeyOfAProvider:
    @pytest.mark.parametrize(
        "pasted",
        [
            "{key}",
            "  {key}\n",
            '"{key}"',
            "'{key}'",
            "Bearer {key}",
            "Authorization: Bearer {key}",
            "export OPENAI_API_KEY={key}",
            'OPENAI_API_KEY="{key}"',
            "\ufeff{key}",
        ],
    )
    def test_a_paste_is_cleaned(self, alice_access: Access, pasted: str) -> None:
        form = credentials(alice_access, pasted.format(key=sample.FORMER))

        assert form.is_valid()
        credential = form.typed.get("credential")
        assert credential
        assert credential.secret == sample.FORMER

    @pytest.mark.parametrize(
        ("pasted", "says"),
        [
            ("", "Enter the API key."),
            ("   ", "Enter the API key."),
            (ADMIN_KIND, "an OpenAI admin key. It can never be used"),
            (FOREIGN_KIND, "choose Anthropic as the provider"),
            ("sk-proj-FAKE\nsk-proj-FAKE", "no blanks or line breaks"),
            ("sk-proj-FAKE\u200bFAKE" + "x" * 40, "invisible or non-ASCII"),
            ("sk-proj-FÄKE" + "x" * 40, "invisible or non-ASCII"),
            ("sk-proj-FAKE\0" + "x" * 40, "invisible or non-ASCII"),
            ("sk-" + "x" * 8192, "longer than any API key"),
            ("YOUR_API_KEY", "a placeholder"),
            ("sk-proj-…good", "the masked form of a key"),
        ],
    )
    def test_what_cannot_work_is_refused_without_quoting_it(self, alice_access: Access, pasted: str, says: str) -> None:
        form = credentials(alice_access, pasted)

        assert not form.is_valid()
        assert list(form.errors) == ["provider_key"]
        [message] = form.errors["provider_key"]
        assert says in message
        assert len(pasted.strip()) < 12 or pasted.strip()[-12:] not in message

    def test_an_unusual_shape_is_only_a_hint(self, alice_access: Access) -> None:
        form = credentials(alice_access, UNUSUAL)

        assert form.is_valid()
        assert "doesn’t look like a usual OpenAI key" in form.shape_hint

    def test_a_usual_shape_has_no_hint(self, alice_access: Access) -> None:
        form = credentials(alice_access, sample.FORMER)

        assert form.is_valid()
        assert form.shape_hint == ""

    def test_no_field_ever_renders_a_secret(self, alice_access: Access) -> None:
        form = credentials(alice_access, sample.FORMER)

        assert sample.FORMER not in form.as_p()
        assert sample.FORMER not in repr(form.is_valid() and form.cleaned_data)

    @pytest.mark.parametrize(("pasted", "typed"), [(ADMIN_KIND, True), ("  ", False), ("", False)])
    def test_a_form_knows_whether_there_is_something_to_type_again(
        self, alice_access: Access, pasted: str, typed: bool
    ) -> None:
        assert credentials(alice_access, pasted).secret_was_typed is typed


class TestProvider:
    @pytest.mark.parametrize("slug", ["", "nobody", "OpenAI", "openai\0", "../openai"])
    def test_an_unknown_provider_is_a_field_error(self, alice_access: Access, slug: str) -> None:
        form = credentials(alice_access, sample.FORMER, provider=slug)

        assert errors(form) == {"provider": ["Choose a provider from the list."]}

    def test_is_fixed_once_a_key_is_stored(self, alice_access: Access) -> None:
        key = sample.stored(alice_access)
        form = credentials(alice_access, sample.LATTER, provider="anthropic", key=key)

        assert form.is_valid()
        assert form.chosen is not None
        assert form.chosen.slug == "openai"


class TestRowsToTest:
    def test_typed_credentials_are_tested_as_typed(self, alice_access: Access) -> None:
        form = credentials(alice_access, sample.FORMER)

        assert form.is_valid()
        assert form.rows() == [sample.typed(alice_access, sample.FORMER)]

    def test_blank_credentials_stand_for_the_stored_ones(self, alice_access: Access) -> None:
        key = sample.stored(alice_access)
        form = credentials(alice_access, " ", key=key)

        assert form.is_valid()
        assert form.rows() == key.stored_rows()

    def test_typed_credentials_go_before_stored_ones(self, alice_access: Access) -> None:
        form = credentials(alice_access, sample.LATTER, key=sample.stored(alice_access))

        assert form.is_valid()
        assert form.rows() == [sample.typed(alice_access, sample.LATTER)]

    def test_where_nothing_is_stored_something_must_be_typed(self, alice_access: Access) -> None:
        key = ProviderKey.create(alice_access, "openai", sample.draft())

        assert errors(credentials(alice_access, "", key=key)) == {"provider_key": ["Enter the API key."]}


class TestName:
    @pytest.mark.parametrize("name", ["  Production  ", "x" * 100, "Ключ", "👩‍👩‍👧 keys", "<b>&'\"{{7*7}}"])
    def test_is_trimmed_and_kept(self, alice_access: Access, name: str) -> None:
        form = provider_key_form(alice_access, name=name)

        assert form.is_valid()
        assert form.draft().name == name.strip()

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("", "Give the key a name."),
            (" \t ", "Give the key a name."),
            ("x" * 101, "Use at most 100 characters."),
            ("a\nb", "control characters"),
            ("a\x1bb", "control characters"),
            ("a\x00b", "without control characters"),
            ("a\u2028b", "control characters"),
        ],
    )
    def test_is_refused(self, alice_access: Access, name: str, says: str) -> None:
        form = provider_key_form(alice_access, name=name)

        assert list(form.errors) == ["name"]
        assert says in str(form.errors["name"])


class TestAssignment:
    def test_to_the_organization(self, alice_access: Access) -> None:
        form = provider_key_form(alice_access)

        assert form.is_valid()
        assert (form.draft().scope, form.draft().api_key_ids) == (Scope.ORGANIZATION, frozenset())

    def test_to_chosen_api_keys_each_counted_once(self, alice_access: Access) -> None:
        one, other = sample.api_key(alice_access), sample.api_key(alice_access)
        form = provider_key_form(alice_access, api_keys=[one, other, one])

        assert form.is_valid()
        assert (form.draft().scope, form.draft().api_key_ids) == (Scope.API_KEYS, frozenset({one.pk, other.pk}))

    def test_the_box_goes_before_the_list(self, alice_access: Access) -> None:
        one = sample.api_key(alice_access)
        form = provider_key_form(alice_access, api_keys=[one], assign_to_organization="on")

        assert form.is_valid()
        assert (form.draft().scope, form.draft().api_key_ids) == (Scope.ORGANIZATION, frozenset())

    def test_to_nobody_is_refused(self, alice_access: Access) -> None:
        form = provider_key_form(alice_access, api_keys=[])

        assert errors(form) == {"api_key_ids": ["Choose at least one API key, or assign to the entire organization."]}

    @pytest.mark.parametrize("whole", [{}, {"assign_to_organization": "on"}])
    def test_a_foreign_api_key_among_own_is_refused(
        self, alice_access: Access, charlie_access: Access, whole: dict[str, str]
    ) -> None:
        own, foreign = sample.api_key(alice_access), sample.api_key(charlie_access)
        form = provider_key_form(alice_access, api_keys=[own, foreign], **whole)

        assert list(form.errors) == ["api_key_ids"]

    def test_a_foreign_api_key_reads_like_one_that_never_existed(
        self, alice_access: Access, charlie_access: Access
    ) -> None:
        foreign, absent = sample.api_key(charlie_access), ApiKey(organization=alice_access.organization)

        assert errors(provider_key_form(alice_access, api_keys=[foreign])) == errors(
            provider_key_form(alice_access, api_keys=[absent])
        )

    @pytest.mark.parametrize("junk", ["", "key_", "key_'; --", "key_\0", "pk_0123456789", "key_" + "x" * 9000])
    def test_what_is_no_id_costs_no_query(
        self, alice_access: Access, junk: str, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0):
            form = provider_key_form(alice_access, api_keys=[ApiKey(pk=junk)])

            assert list(form.errors) == ["api_key_ids"]

    def test_ten_thousand_ids_cost_one_query(self, alice_access: Access, django_assert_num_queries: Any) -> None:
        many = [ApiKey(pk=f"key_{number:022d}") for number in range(10_000)]
        with django_assert_num_queries(1):
            assert list(provider_key_form(alice_access, api_keys=[*many, *many]).errors) == ["api_key_ids"]


class TestVersion:
    def edit(self, access: Access, **fields: Any) -> ProviderKeyForm:
        key = sample.stored(access)
        return ProviderKeyForm(access, sent(**{**form_data(secret=""), **fields}), key=key)

    def test_an_edit_says_what_it_began_with(self, alice_access: Access) -> None:
        form = self.edit(alice_access, version="1")

        assert form.is_valid()
        assert form.cleaned_data["version"] == 1
        assert form.draft().credential is None

    @pytest.mark.parametrize("version", ["", "x", "0", "-1", "9" * 30, "1.5"])
    def test_an_edit_that_does_not_is_refused_where_it_can_be_seen(self, alice_access: Access, version: str) -> None:
        form = self.edit(alice_access, version=version)

        assert "This form is out of date. Reload the page and try again." in form.non_field_errors()

    def test_a_new_key_has_none(self, alice_access: Access) -> None:
        assert "version" not in ProviderKeyForm(alice_access).fields


def api_key_form(data: QueryDict) -> ApiKeyForm:
    """Without provider keys to assign it asks for nobody's."""
    return ApiKeyForm(cast(Access, None), data)


class TestApiKeyForm:
    def expiry(self, **fields: str) -> Any:
        form = api_key_form(sent(name="ci", **fields))
        assert form.is_valid(), form.errors
        return form.cleaned_data["expires_at"]

    @pytest.mark.parametrize("fields", [{}, {"expiration": ""}])
    def test_never(self, fields: dict[str, str]) -> None:
        assert self.expiry(**fields) is None

    @pytest.mark.parametrize("days", [30, 90, 365])
    def test_in_some_days(self, days: int, time_machine: Any) -> None:
        time_machine.move_to("2026-03-01T12:00:00Z", tick=False)

        assert (self.expiry(expiration=str(days)) - timezone.now()).days == days

    def test_on_a_date_means_to_its_end(self, time_machine: Any) -> None:
        time_machine.move_to("2026-03-01T12:00:00Z")

        assert self.expiry(expiration="date", expires_on="2026-03-01").isoformat() == "2026-03-02T00:00:00+00:00"

    @pytest.mark.parametrize(
        ("day", "says"),
        [
            ("", "Choose the date."),
            ("2026-02-28", "between today and ten years"),
            ("9999-12-31", "between today and ten years"),
            ("yesterday", "Enter a valid date."),
        ],
    )
    def test_on_no_date_or_a_past_one_is_refused(self, day: str, says: str, time_machine: Any) -> None:
        time_machine.move_to("2026-03-01T12:00:00Z")
        form = api_key_form(sent(name="ci", expiration="date", expires_on=day))

        assert list(form.errors) == ["expires_on"]
        assert says in str(form.errors["expires_on"])

    def test_unknown_expirations_are_refused(self) -> None:
        assert list(api_key_form(sent(name="ci", expiration="-1")).errors) == ["expiration"]

    @pytest.mark.parametrize("press", ["", "x", "0" * 33, "<script>"])
    def test_what_is_no_press_is_none_at_all(self, press: str) -> None:
        form = api_key_form(sent(name="ci", press=press))

        assert form.is_valid()
        assert form.cleaned_data["press"] == ""
