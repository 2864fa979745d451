import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from organizations.models import User
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db


def test_an_address_is_stored_lower_case() -> None:
    user = User.objects.create_user("  Alice@Acme.EXAMPLE ", PASSWORD)
    assert user.email == "alice@acme.example"
    assert User.objects.values_list("email", flat=True).get() == "alice@acme.example"


def test_an_address_is_found_in_any_letter_case() -> None:
    user = User.objects.create_user("alice@acme.example")
    assert User.objects.get(email="ALICE@acme.example") == user
    assert User.objects.get_by_natural_key("Alice@Acme.example") == user


def test_letter_case_does_not_make_two_users() -> None:
    User.objects.create_user("alice@acme.example")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ALICE@ACME.EXAMPLE")
    with pytest.raises(ValidationError, match="already exists"):
        User(email="ALICE@acme.example").full_clean(exclude={"password"})


def test_neither_update_nor_bulk_create_stores_another_letter_case() -> None:
    User.objects.bulk_create([User(email="Alice@acme.example", name="Alice")])
    assert User.objects.filter(email="alice@acme.example").update(email="ALICE@globex.example") == 1
    assert User.objects.values_list("email", flat=True).get() == "alice@globex.example"


def test_a_user_logs_in_by_address(rf_request: HttpRequest) -> None:
    user = User.objects.create_user("alice@acme.example", PASSWORD)
    assert authenticate(rf_request, username="Alice@acme.example", password=PASSWORD) == user


@pytest.mark.parametrize(("password", "active"), [("another password", True), ("", True), (PASSWORD, False)])
def test_neither_a_wrong_password_nor_a_deactivated_user_logs_in(
    rf_request: HttpRequest, password: str, active: bool
) -> None:
    User.objects.create_user("alice@acme.example", PASSWORD, is_active=active)
    assert authenticate(rf_request, username="alice@acme.example", password=password) is None


def test_without_a_password_nobody_logs_in(rf_request: HttpRequest) -> None:
    user = User.objects.create_user("alice@acme.example")
    assert not user.has_usable_password()
    assert authenticate(rf_request, username="alice@acme.example", password="None") is None


def test_a_nameless_user_goes_by_the_local_part() -> None:
    assert User.objects.create_user("alice@acme.example").name == "alice"
    assert User.objects.create_user("dana@acme.example", name=" Dana ").name == "Dana"


def test_the_label_tells_two_alices_apart() -> None:
    user = User.objects.create_user("alice@acme.example", name="Alice")
    assert user.label == "Alice (alice@acme.example)"


def test_only_a_superuser_is_staff_from_the_start() -> None:
    assert not User.objects.create_user("alice@acme.example").is_staff
    sam = User.objects.create_superuser("sam@support.example")
    assert sam.is_staff
    assert sam.is_superuser
