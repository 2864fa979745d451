"""A sealed value among the things that Python and Django do with values; what errors and logs say of it."""

import copy
import json
import logging
import pickle
from collections.abc import Iterator
from http import HTTPStatus
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.serializers.base import DeserializationError
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from byok_site.logs import JsonFormatter, TextFormatter
from organizations.access import Access
from organizations.models import User
from providerkeys import vault
from providerkeys.forms import ProviderKeyForm
from providerkeys.models import ProviderKey
from providerkeys.vault import Purpose, Sealed, SecretUnreadable
from tests.cast import client_for
from tests.providerkeys import sample

pytestmark = [pytest.mark.django_db, pytest.mark.database]

SECRET = "sk-proj-FAKE-of-a-sealed-value-0123456789"


@pytest.fixture
def key(alice_access: Access) -> ProviderKey:
    return sample.again(sample.stored(alice_access, SECRET))


def opened(key: ProviderKey) -> str:
    return vault.reveal(key, Purpose.CHECK)


class TestSealed:
    def test_equals_itself_alone(self, key: ProviderKey, alice_access: Access) -> None:
        other = sample.stored(alice_access, SECRET)

        assert key.credentials == sample.again(key).credentials
        assert key.credentials != other.credentials
        assert key.credentials != vault.MASK
        assert len({key.credentials, sample.again(key).credentials, other.credentials}) == 2

    def test_says_nothing_in_any_format(self, key: ProviderKey) -> None:
        sealed = key.credentials

        assert {str(sealed), f"{sealed}", f"{sealed:8}", f"{sealed!s}", "%s" % sealed} == {vault.MASK}  # noqa: UP031
        assert repr(sealed) == f"<Sealed {vault.MASK}>"
        assert not hasattr(sealed, "__dict__")

    def test_is_false_when_it_holds_nothing(self, key: ProviderKey) -> None:
        assert key.credentials
        assert not Sealed()

    def test_can_be_filtered_by(self, key: ProviderKey, alice_access: Access) -> None:
        sample.stored(alice_access, SECRET)

        assert list(ProviderKey.objects.filter(credentials=key.credentials)) == [key]

    def test_cannot_be_compared_with_a_text_in_a_query(self, key: ProviderKey) -> None:
        with pytest.raises(TypeError, match="only what the vault has sealed"):
            ProviderKey.objects.filter(credentials=SECRET).exists()


class TestCopies:
    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
    def test_of_a_record_open_as_the_record_does(self, copied: Any, key: ProviderKey) -> None:
        assert opened(copied(key)) == SECRET

    def test_of_a_queryset_too(self, key: ProviderKey) -> None:
        rows = ProviderKey.objects.filter(credentials=key.credentials)
        assert rows.get() == key

        assert [opened(one) for one in copy.deepcopy(rows)] == [SECRET]

    def test_deferred_columns_are_loaded_sealed(self, key: ProviderKey) -> None:
        deferred = ProviderKey.objects.defer("credentials").get()

        assert "credentials" not in vars(deferred)
        assert opened(deferred) == SECRET


class TestPickles:
    def test_of_a_record_can_neither_be_opened_nor_stored(self, key: ProviderKey) -> None:
        pickled: ProviderKey = pickle.loads(pickle.dumps(key))

        with pytest.raises(SecretUnreadable):
            opened(pickled)
        with pytest.raises(TypeError, match="only what the vault has sealed"), transaction.atomic():
            pickled.save()
        assert opened(sample.again(key)) == SECRET

    def test_of_a_queryset_neither(self, key: ProviderKey) -> None:
        (pickled,) = pickle.loads(pickle.dumps(ProviderKey.objects.all()))

        with pytest.raises(SecretUnreadable):
            opened(pickled)

    def test_save_what_is_not_the_secret(self, key: ProviderKey) -> None:
        pickled: ProviderKey = pickle.loads(pickle.dumps(key))
        pickled.name = "Renamed"

        pickled.save(update_fields=["name"])

        again = sample.again(key)
        assert (again.name, opened(again)) == ("Renamed", SECRET)


class TestDumps:
    def test_hold_masks_and_cannot_be_loaded(self, key: ProviderKey, tmp_path: Path) -> None:
        dump = tmp_path / "providerkeys.json"
        call_command("dumpdata", "providerkeys", output=str(dump))
        rows = {row["model"]: row["fields"] for row in json.loads(dump.read_text())}

        with pytest.raises(DeserializationError) as refusal:
            call_command("loaddata", str(dump))

        assert rows["providerkeys.providerkey"]["credentials"] == vault.MASK
        assert rows["providerkeys.sentinel"]["proof"] == vault.MASK
        assert "only what the vault has sealed" in str(refusal.value)
        assert opened(sample.again(key)) == SECRET

    @pytest.mark.parametrize("model", ["providerkey", "sentinel"])
    def test_of_one_model_cannot_be_loaded(self, model: str, key: ProviderKey, tmp_path: Path) -> None:
        dump = tmp_path / "dump.json"
        call_command("dumpdata", f"providerkeys.{model}", output=str(dump))

        with pytest.raises(DeserializationError):
            call_command("loaddata", str(dump))


class TestErrors:
    @pytest.mark.parametrize("token", ["", "gAAAAA", "plain"])
    def test_of_the_vault_hold_neither_the_text_nor_where_it_came_from(self, token: str, key: ProviderKey) -> None:
        key.credentials = Sealed(token)

        with pytest.raises(SecretUnreadable) as refusal:
            opened(key)

        assert not token or token not in str(refusal.value)
        assert refusal.value.__cause__ is refusal.value.__context__ is None

    def test_of_a_plaintext_do_not_repeat_it(self, key: ProviderKey) -> None:
        vars(key)["credentials"] = SECRET

        with pytest.raises(TypeError) as refusal:
            key.save()

        assert SECRET not in repr(refusal.value)


@pytest.fixture(params=[TextFormatter, JsonFormatter])
def log(request: pytest.FixtureRequest) -> Iterator[StringIO]:
    """All that a process of ours would write into its log."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(request.param())
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def test_a_violated_constraint_takes_no_row_into_the_log(
    alice: User, log: StringIO, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save fails in the database. PostgreSQL's message then holds the whole row, ciphertext and all (measured)."""
    monkeypatch.setattr(ProviderKeyForm, "draft", lambda _: sample.draft(SECRET, name=""))
    browser = client_for(alice)
    browser.raise_request_exception = False
    data = {"provider": "openai", "name": "x", "provider_key": sample.FORMER, "assign_to_organization": "on"}

    answer = browser.post(reverse("provider_key_new", args=["acme"]), data)

    (error,) = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert isinstance(error, IntegrityError)
    assert (vault.TOKEN_START in str(error)) is (connection.vendor == "postgresql")
    assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "IntegrityError" in log.getvalue()
    for told in (log.getvalue(), answer.content.decode()):
        assert not any(text in told for text in (vault.TOKEN_START, SECRET, SECRET[-12:]))
