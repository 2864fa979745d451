"""What `./dev demo` tells before somebody logs in."""

import pytest
from django.conf import settings

from byok_site import demo
from byok_site.management.commands.demo import Command

pytestmark = pytest.mark.django_db


def test_the_first_people_are_told_by_the_introduction_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "ORGANIZATION": demo.ORGANIZATION,
        "ADMIN_EMAIL": demo.ADMIN,
        "ADMIN_PASSWORD": demo.PASSWORD,
    }.items():
        monkeypatch.setenv(f"BYOK_{name}", value)

    Command().prepare_database()

    assert capsys.readouterr().out == ""


def test_the_introduction_names_people_password_and_the_folder_of_mails() -> None:
    said = "\n".join(demo.introduction("byok_sample"))

    assert demo.ADMIN in said
    assert f"with the password `{demo.PASSWORD}`" in said
    assert str(settings.DATA_DIR / "mail") in said
