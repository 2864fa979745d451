"""NET-40 to -49: a stored secret never goes to another destination. Who changes that types the secret again."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.http import HttpRequest

from organizations.access import Access
from organizations.models import User
from providerkeys import vault
from providerkeys.admin import ProviderKeyAdmin
from providerkeys.forms import ProviderKeyForm, kinds, regions
from providerkeys.models import (
    BedrockRegion,
    CheckResult,
    CredentialCheck,
    ProviderKey,
    RegionDraft,
    check_run,
    records,
)
from providerkeys.providers import http
from providerkeys.providers.base import Credential
from providerkeys.views import provider_keys
from tests.cast import client_for
from tests.fakeproviders import samples
from tests.providerkeys import regions as rows
from tests.providerkeys.offline import Offline
from tests.providerkeys.sample import again, verdicts
from tests.trust.controls import Control, controls
from tests.trust.inp import Desk, ids, is_refused, leaves_no_trace, sitting_at
from tests.trust.inp_defects import named
from tests.trust.inputs import access_keys, service_accounts
from tests.trust.inputs.table import Input, Refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]

AWS, GOOGLE = "bedrock", "google_vertex_ai"
MOVED = (*access_keys.MOVED, *service_accounts.MOVED)
EVERY_KIND = pytest.mark.parametrize("slug", ["openai", GOOGLE, AWS])


@pytest.fixture
def desk(alice_access: Access, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with sitting_at(alice_access, monkeypatch) as desk:
        yield desk


def held() -> list[dict[str, Any]]:
    """Of each record what is secret, and whom that is for."""
    columns = ("pk", "credentials", "fingerprint", "credentials_version")
    return [
        *ProviderKey.objects.order_by("pk").values(*columns, "provider", "organization", "destination"),
        *BedrockRegion.objects.order_by("pk").values(*columns, "region", "access_key_id_fingerprint"),
    ]


def edit(desk: Desk, key: ProviderKey, **fields: Any) -> Any:
    """A save that changes the name, and whatever ``fields`` can."""
    kept = {"regions-0-region": access_keys.STORED_REGION} if key.provider == AWS else {**key.destination}
    data = {"name": "Renamed", "version": key.version, "assign_to_organization": "on", **kept, **fields}
    return desk.console.post(f"provider-keys/{key.pk}/", data)


# Asked for openly


@pytest.mark.parametrize("given", ids(MOVED))
def test_net_40_another_destination_needs_the_secret(given: Input, desk: Desk) -> None:
    assert isinstance(given.outcome, Refused)
    is_refused(desk, given, given.outcome)


@EVERY_KIND
def test_net_41_the_provider_never_changes(slug: str, desk: Desk) -> None:
    key = desk.stored(slug)
    before = held()
    assert edit(desk, key, provider="anthropic").status_code == 302
    assert held() == before
    desk.console.post(f"provider-keys/{key.pk}/checks/", {"provider": "anthropic"})
    assert CredentialCheck.objects.get().provider == slug


@EVERY_KIND
def test_net_42_no_other_field_names_a_destination(slug: str, desk: Desk) -> None:
    key = desk.stored(slug)
    before = held()
    elsewhere = dict.fromkeys(
        ("destination", "endpoint", "api_base", "base_url", "host", "region", "organization", "regions-0-endpoint"),
        "https://evil.example",
    )
    assert edit(desk, key, **elsewhere, credentials_version="7", fingerprint="").status_code == 302
    assert held() == before


@EVERY_KIND
@pytest.mark.parametrize("page", ["change", "add"])
def test_net_43_staff_move_nothing(page: str, slug: str, desk: Desk, sam: User) -> None:
    key = desk.stored(slug)
    before, staff = held(), client_for(sam)
    path = f"{quote(key.pk)}/change" if page == "change" else "add"
    data = {
        "name": "Moved",
        "provider": "anthropic",
        "destination": '{"location": "us"}',
        "enabled": "on",
        "scope": "organization",
        "position": "1",
        "version": "1",
        "organization": key.organization_id,
        "regions-TOTAL_FORMS": "1",
        "regions-INITIAL_FORMS": "1",
        "regions-0-region": "eu-west-1",
    }
    with leaves_no_trace(desk):
        assert staff.post(f"/admin/providerkeys/providerkey/{path}/", data).status_code == 403
    assert held() == before


def test_net_44_rows_in_another_order_keep_their_own(desk: Desk) -> None:
    key = ProviderKey.create(
        desk.access, AWS, rows.draft((*rows.rows("us-east-1"), *rows.rows("eu-central-1", key=access_keys.KEY)))
    )
    before = held()
    swapped = {"regions-0-region": "eu-central-1", "regions-1-region": "us-east-1"}
    assert edit(desk, key, **swapped).status_code == 302
    assert rows.order(key) == ["eu-central-1", "us-east-1"]
    assert held()[1:] == before[1:]


# In a race with a check

type Move = Callable[[Desk, ProviderKey], object]


def by_a_save(desk: Desk, key: ProviderKey) -> None:
    """With the whole secret, as it must be."""
    new = {
        "openai": {"provider_key": samples.fresh_key("openai", "good")},
        GOOGLE: {"provider_key": service_accounts.STORED_KEY, "location": "us-central1"},
        AWS: access_keys.row(),
    }[key.provider]
    assert edit(desk, key, **new).status_code == 302


def in_the_database(_: Desk, key: ProviderKey) -> None:
    """As somebody does who can write there."""
    ProviderKey.objects.filter(pk=key.pk).update(provider="anthropic", destination={"location": "us-central1"})
    BedrockRegion.objects.update(region="eu-west-1")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Offline:
    """Stand-ins without a socket that accept whatever they are asked."""
    offline = Offline("good")
    monkeypatch.setattr(http, "send", offline)
    return offline


@EVERY_KIND
@pytest.mark.parametrize(("move", "reason"), [(by_a_save, "changed"), (in_the_database, "unreadable")])
def test_net_45_what_moved_before_the_worker_came_is_not_sent(
    move: Move, reason: str, slug: str, desk: Desk, offline: Offline
) -> None:
    key = desk.stored(slug)
    check = CredentialCheck.press(desk.access, slug, key.stored_rows(), key)
    move(desk, key)
    check_run.run(check.pk)
    assert verdicts(check) == [("unreachable", reason)]
    assert offline.credentials == []
    assert again(key).verdict == ""


@EVERY_KIND
def test_net_45_what_moved_while_it_was_asked_about_gets_no_verdict(
    slug: str, desk: Desk, offline: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = desk.stored(slug)
    check = CredentialCheck.press(desk.access, slug, key.stored_rows(), key)
    moves = [lambda: by_a_save(desk, key)]

    def move_meanwhile(request: http.Request, until: float | None = None) -> http.Answer:
        while moves:
            moves.pop()()
        return offline(request, until)

    monkeypatch.setattr(http, "send", move_meanwhile)
    check_run.run(check.pk)
    assert verdicts(check) == [("valid", "accepted")]
    assert (again(key).verdict, again(key).last_check_at) == ("", None)


# Defects


def moving_a_stored_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds._ServiceAccount, "objections", lambda *_: {})


def keeping_the_secret_of_another_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions.RegionForm, "_is_stored_id", lambda *_: True)


def moving_a_stored_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row without a secret that takes that of another region."""

    def kept(row: regions.RegionForm) -> None:
        row.cleaned_data["draft"] = RegionDraft(row.cleaned_data["region"])
        BedrockRegion.objects.update(region=row.cleaned_data["region"])

    monkeypatch.setattr(regions.RegionForm, "clean", kept)


def believing_the_form(*columns: str) -> Callable[[pytest.MonkeyPatch], None]:
    """A save that writes whatever the form calls like a column."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        honest = provider_keys._change

        def change(request: HttpRequest, access: Access, form: ProviderKeyForm, key: ProviderKey) -> bool:
            sent = {name: request.POST[name] for name in columns if name in request.POST}
            ProviderKey.objects.filter(pk=key.pk).update(**sent)
            return honest(request, access, form, key)

        monkeypatch.setattr(provider_keys, "_change", change)

    plant.__name__ = "believing_" + "_and_".join(columns)
    return plant


def letting_staff_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProviderKeyAdmin, "has_change_permission", lambda *_, **__: True)
    monkeypatch.setattr(ProviderKeyAdmin, "fields", ("name",))
    monkeypatch.setattr(ProviderKeyAdmin, "inlines", ())


def sorting_by_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are known by their number, as rows of a form often are."""
    honest = BedrockRegion.arrange

    def arrange(key: ProviderKey, drafts: Any) -> bool:
        stored = list(key.regions.order_by("position"))
        if not stored:
            return honest(key, drafts)
        for number, row in enumerate(stored):
            BedrockRegion.objects.filter(pk=row.pk).update(region=f"moving-{number}")
        for row, draft in zip(stored, drafts, strict=True):
            BedrockRegion.objects.filter(pk=row.pk).update(region=draft.region)
        return True

    monkeypatch.setattr(BedrockRegion, "arrange", arrange)


def opening_whatever_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that sends what it finds, to where that is for now."""

    def find(result: CheckResult) -> Credential:
        record: Any = records.find(result.record)
        return Credential(vault._decrypt(record.credentials)["secret"], record.destination)

    monkeypatch.setattr(check_run, "_credential", find)


def applying_a_verdict_by_the_record_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def apply_to(result: CheckResult, record: str, version: int, at: Any) -> None:
        kind = records.kind_of(record)
        kind._default_manager.filter(pk=record).update(**kind.columns_for(result.verdict, result.reason, at))

    monkeypatch.setattr(CheckResult, "apply_to", apply_to)


SLUGS = ("openai", GOOGLE, AWS)


@controls(
    [
        *(
            Control(test_net_40_another_destination_needs_the_secret, plant, named(MOVED, name))
            for plant, name in (
                (keeping_the_secret_of_another_id, "another id without its secret"),
                (moving_a_stored_secret, "another region without its secret"),
                (moving_a_stored_key, "another location without the file"),
                (moving_a_stored_key, "a location emptied without the file"),
            )
        ),
        *(
            Control(test_net_41_the_provider_never_changes, believing_the_form("provider"), {"slug": one})
            for one in SLUGS
        ),
        *(
            Control(test_net_42_no_other_field_names_a_destination, believing_the_form("destination"), {"slug": one})
            for one in SLUGS
        ),
        Control(test_net_42_no_other_field_names_a_destination, believing_the_form("fingerprint"), {"slug": "openai"}),
        *(
            Control(test_net_43_staff_move_nothing, letting_staff_write, {"slug": one, "page": "change"})
            for one in SLUGS
        ),
        Control(test_net_44_rows_in_another_order_keep_their_own, sorting_by_place),
        *(
            Control(
                test_net_45_what_moved_before_the_worker_came_is_not_sent,
                opening_whatever_is_there,
                {"slug": one, "move": by_a_save, "reason": "changed"},
            )
            for one in SLUGS
        ),
        *(
            Control(
                test_net_45_what_moved_while_it_was_asked_about_gets_no_verdict,
                applying_a_verdict_by_the_record_alone,
                {"slug": one},
            )
            for one in SLUGS
        ),
    ]
)
def test_control(control: Control, request: pytest.FixtureRequest) -> None:
    control.must_bite(request)
