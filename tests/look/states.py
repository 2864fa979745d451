"""Every page of the console in every state worth looking at: what its template is given, without a database.

``PAGES`` maps a name to (template, context). The objects are stand-ins that have what the templates read.
"""

from dataclasses import asdict
from datetime import timedelta
from types import SimpleNamespace as Thing
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.html import format_html

from byok_site import errors
from byok_site.errors import Action
from organizations.models import ApiKey
from providerkeys.badges import UNROUTED, Told, tell
from providerkeys.forms import StopForm
from providerkeys.forms.regions import RegionsField
from providerkeys.providers.verdicts import Verdict
from providerkeys.views.api_key_dialogs import QUESTIONS
from providerkeys.views.filters import Filters
from providerkeys.views.row_actions import SHEETS
from providerkeys.views.row_texts import line_of
from providerkeys.views.stored import StoredVerdict, StoredVerdicts
from tests.look.results import CHECKS
from tests.look.things import (
    ACME,
    ACTIVE,
    ALICE,
    API_KEYS,
    DISABLED,
    FAILING,
    KEYS,
    LIMITED,
    MEMBER,
    NOW,
    OPENAI,
    PROVIDERS,
    SHELL,
)

NOBODY = "Choose at least one API key, or assign to the entire organization."


class ProviderKeyForm(forms.Form):
    """Has the fields of the console's own form; the template draws them by hand. ``can_keep``: a secret is stored."""

    emptied_words = ("Your API key was emptied for safety", "type it again")

    def __init__(self, data: dict[str, str] | None = None, *, can_keep: bool = False, **more: Any) -> None:
        super().__init__(data, **more)
        self.can_keep = self.offers_to_keep = can_keep

    @property
    def secret_was_typed(self) -> bool:
        return bool(self.data.get("provider_key"))

    @property
    def emptied_field(self) -> BoundField:
        return self["provider_key"]

    @property
    def was_emptied_unsaid(self) -> bool:
        return self.secret_was_typed and not self.emptied_field.errors

    provider = forms.ChoiceField(
        choices=[(each.slug, each.label) for each in PROVIDERS],
        error_messages={"required": "Choose a provider from the list."},
    )
    name = forms.CharField(max_length=100, error_messages={"required": "Give the key a name."})
    provider_key = forms.CharField(
        label="API Key",
        widget=forms.PasswordInput,
        error_messages={"required": "Paste the API key."},
    )
    assign_to_organization = forms.BooleanField(required=False)
    api_key_ids = forms.MultipleChoiceField(
        label="Assignment",
        required=False,
        error_messages={"required": NOBODY},
        choices=[(each.id, each.name) for each in API_KEYS],
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    keep_stored = forms.BooleanField(required=False)


class ServiceAccountForm(ProviderKeyForm):
    emptied_words = ("The service account JSON was emptied for safety", "paste it again")

    provider_key = forms.CharField(label="Service account JSON", widget=forms.Textarea)
    location = forms.CharField(label="Location", required=False)


class RegionsForm(ProviderKeyForm):
    """The product's own rows, over stored ones that are stand-ins."""

    emptied_words = ("Every secret access key that was typed was emptied for safety", "type it again")

    @property
    def secret_was_typed(self) -> bool:
        return any(row.secret_was_typed for row in self.regions.rows)

    @property
    def emptied_field(self) -> BoundField:
        return self["regions"]

    @property
    def was_emptied_unsaid(self) -> bool:
        return self.regions.was_emptied_unsaid

    def __init__(self, data: dict[str, str] | None = None, stored: tuple[Any, ...] = (), **more: Any) -> None:
        super().__init__(data, **more)
        del self.fields["provider_key"]
        self.regions = self.fields["regions"] = RegionsField(stored)


class LoginForm(forms.Form):
    username = forms.CharField(label="Email", error_messages={"required": "Type your e-mail address."})
    password = forms.CharField(widget=forms.PasswordInput, error_messages={"required": "Type your password."})


class ApiKeyForm(forms.Form):
    name = forms.CharField(max_length=100, error_messages={"required": "Give the key a name."})
    expiration = forms.ChoiceField(
        choices=[("", "Never"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"), ("date", "On a date")]
    )
    expires_on = forms.DateField(label="Date", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    provider_key_ids = forms.MultipleChoiceField(label="Provider keys", required=False, choices=[("pk_1", "x")])


class MailForm(forms.Form):
    email = forms.EmailField(label="Email")


class PasswordForm(forms.Form):
    user = ALICE

    new_password1 = forms.CharField(
        label="New password", widget=forms.PasswordInput, help_text="At least 10 characters."
    )
    new_password2 = forms.CharField(label="New password again", widget=forms.PasswordInput)


def consequence(kind: str, headline: str, sentence: str, *names: str) -> Any:
    return Thing(kind=kind, headline=headline, sentence=sentence, named=names[:12], more=max(0, len(names) - 12))


OUTLOOK = [
    consequence(
        "moves", "1 API key moves to this key", "Its OpenAI requests run on this key, and are billed there.", "staging"
    ),
    consequence(
        "backed",
        "1 API key gets a key to fall back on",
        "CI account (assigned) stays first; this key serves when that one fails.",
        "ci",
    ),
]


def form_page(form: forms.Form, **more: Any) -> tuple[str, dict[str, Any]]:
    given = {
        "form": form,
        "key": None,
        "provider": OPENAI,
        "title": "Add Provider Key",
        "api_keys": API_KEYS,
        "conflict": None,
        "check": None,
        "provider_label": "OpenAI",
        "check_url": "/orgs/acme/provider-keys/checks/",
        "outlook": OUTLOOK,
        "outlook_url": "/orgs/acme/provider-keys/outlook/",
        "cancel_url": "/orgs/acme/provider-keys/",
    }
    return "providerkeys/form.html", {**SHELL, **given, **more}


def page(template: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return template, {**SHELL, **more}


def question(action: str, key: Any, provider: Any, **more: Any) -> tuple[str, dict[str, Any]]:
    """What is asked before ``action``."""
    where = f"/orgs/acme/provider-keys/{key.id}/"
    urls = {"action_url": f"{where}{'delete' if action == 'delete' else 'activation'}/"}
    given = {"told": [], "cancel_url": "/orgs/acme/provider-keys/", "activation_url": f"{where}activation/", **urls}
    sheet = SHEETS[action]
    return page("providerkeys/sheet.html", sheet=sheet, key=key, provider=provider, action=action, **{**given, **more})


def lone(template: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return template, {"csrf_token": SHELL["csrf_token"], **more}


LIST = {
    "keys": KEYS,
    "count": len(KEYS),
    "providers": PROVIDERS,
    "filters": Filters(),
    "next_url": "?after=8",
    "previous_url": "",
}
REFUSED = ProviderKeyForm({"provider": "openai", "name": "", "provider_key": "x"})
REFUSED.add_error(
    "provider_key", "This is an OpenAI admin key. It can never be used for requests. Create a project key instead."
)
REFUSED.add_error("api_key_ids", NOBODY)
SERVICE_ACCOUNT_REFUSED = ServiceAccountForm(
    {
        "provider": "google_vertex_ai",
        "name": "EU analytics",
        "provider_key": "{}",
        "location": "europe-west4",
        "assign_to_organization": "on",
    }
)
SERVICE_ACCOUNT_REFUSED.add_error(
    "provider_key",
    "`token_uri` isn’t Google’s token address. A file that names another one can never be used. "
    "Paste the whole JSON file of a service account key, as Google made it.",
)
SERVICE_ACCOUNT_EMPTIED = ServiceAccountForm(
    {
        "provider": "google_vertex_ai",
        "name": "",
        "provider_key": "{}",
        "location": "europe-west4",
        "assign_to_organization": "on",
        "version": "3",
    },
    can_keep=True,
)
STORED_REGIONS = tuple(
    Thing(region=region, hint=f"AKIA…{tail}", holds_id=lambda _: False)
    for region, tail in (("us-east-1", "7Q2M"), ("eu-central-1", "7Q2M"), ("eu-south-1", "KD4A"))
)
REGIONS_REFUSED = RegionsForm(
    {
        "provider": "bedrock",
        "name": "Bedrock shared",
        "assign_to_organization": "on",
        "regions-0-region": "us-east-1",
        "regions-0-access_key_id": "AKIAFAKEKEYSEXAMPLE2",
        "regions-0-secret_access_key": "too-short",
        "regions-1-region": "us-east-1",
        "regions-2-region": "eu-south-1",
        "regions-2-access_key_id": "ASIAFAKEKEYSEXAMPLE2",
        "regions-2-secret_access_key": "F" * 40,
    }
)
REGIONS_EMPTIED = RegionsForm(
    {
        "provider": "bedrock",
        "name": "Bedrock fleet",
        "assign_to_organization": "on",
        "version": "3",
        "regions-0-region": "us-east-1",
        "regions-1-region": "eu-central-1",
        "regions-1-access_key_id": "AKIAFAKEKEYSEXAMPLE2",
        "regions-1-secret_access_key": "too-short",
        "regions-2-region": "eu-south-1",
        "regions-2-emptied": "on",
        "regions-3-region": "eu-west-3",
        "regions-3-access_key_id": "AKIAFAKEKEYSEXAMPLE2",
        "regions-3-secret_access_key": "F" * 40,
    },
    STORED_REGIONS,
)


def told(provider: str, verdict: Verdict, reason: str, ago: timedelta) -> Told:
    return tell(provider, verdict, reason, NOW - ago)


STORED_FAILING = StoredVerdicts(
    [
        StoredVerdict(
            "",
            told("openai", Verdict.INVALID, "unknown_key", timedelta(days=1)),
            told("openai", Verdict.UNREACHABLE, "timeout", timedelta(hours=3)),
        )
    ],
    testing=False,
)
STORED_BY_REGION = StoredVerdicts(
    [
        StoredVerdict("us-east-1", told("bedrock", Verdict.VALID, "accepted", timedelta(hours=3))),
        StoredVerdict("eu-central-1", told("bedrock", Verdict.FORBIDDEN, "region_disabled", timedelta(hours=3))),
        StoredVerdict("eu-south-1", None),
    ],
    testing=True,
)
EDITED = ProviderKeyForm(
    {
        "provider": "openai",
        "name": "Production Key",
        "assign_to_organization": "on",
        "version": "3",
        "provider_key": "x",
    },
    can_keep=True,
)
ANSWERS = [
    Thing(
        provider_label="Anthropic",
        keys=[KEYS[0]],
        reason="Organization-wide; none is assigned to this API key. If it fails, Anthropic requests fail.",
        refused=False,
        notable_badges=[],
        further=0,
        more=0,
    ),
    Thing(
        provider_label="OpenAI",
        keys=[KEYS[2], KEYS[1]],
        reason="Organization-wide, in this order; none is assigned to this API key.",
        refused=False,
        notable_badges=[LIMITED],
        further=6,
        more=5,
    ),
    Thing(
        provider_label="Mistral",
        keys=[],
        reason="Trial key is assigned here but disabled, so Mistral requests are refused.",
        refused=True,
        notable_badges=[],
        further=0,
    ),
    Thing(
        provider="bedrock",
        provider_label="AWS Bedrock",
        keys=[KEYS[6]],
        reason="Assigned to this API key. The gateway doesn’t route AWS Bedrock requests yet.",
        refused=False,
        not_routed="The gateway doesn’t route AWS Bedrock requests yet.",
        notable_badges=[UNROUTED],
        further=0,
        more=0,
    ),
    Thing(
        provider="xai",
        provider_label="xAI",
        keys=[],
        reason="Your organization has no xAI key.",
        refused=False,
        notable_badges=[],
        further=0,
    ),
]
for _answer in ANSWERS:
    _answer.line = line_of(_answer)
    _answer.keys_told = [(key, [one for one in key.status_badges if one.word != "Active"]) for key in _answer.keys]
OFFERS = Thing(
    shown=[
        Thing(answer=ANSWERS[0], choices=[], why_none=""),
        Thing(
            answer=ANSWERS[1],
            choices=[
                Thing(key=KEYS[3], checked=True, badges=[FAILING], is_failing=True),
                Thing(key=KEYS[7], checked=False, badges=[], is_failing=False),
            ],
            why_none="",
        ),
        Thing(
            answer=ANSWERS[2],
            choices=[Thing(key=KEYS[5], checked=False, badges=[DISABLED])],
            why_none=ANSWERS[2].reason,
        ),
    ],
    others=5,
    cut=True,
)
NO_OFFERS = Thing(shown=[], others=8, cut=False)
API_KEY_ROWS = [
    Thing(
        id="key_1",
        name="batch-eu",
        hint="byok_…7Qd2",
        status_badges=[ACTIVE, Thing(word="Rotating", tone="outline", icon="refresh-cw")],
        last_used_at=NOW - timedelta(minutes=2),
        expires_at=NOW + timedelta(days=61),
        created_at=NOW - timedelta(days=160),
        created_by=ALICE,
        stopped="",
        answers=ANSWERS,
        told_answers=ANSWERS[:4],
        untold=0,
        enabled=True,
        is_expired=False,
        was_used_lately=True,
        is_rotating=True,
        former_hint="byok_…p0Zz",
        former_ends_at=NOW + timedelta(hours=23, minutes=5),
    ),
    Thing(
        id="key_2",
        name="staging",
        hint="byok_…x81K",
        status_badges=[DISABLED],
        last_used_at=None,
        expires_at=None,
        created_at=NOW,
        created_by=None,
        stopped="disabled",
        answers=ANSWERS,
        told_answers=ANSWERS[:4],
        untold=0,
        enabled=False,
        is_expired=False,
        was_used_lately=False,
        is_rotating=False,
    ),
]
UNSERVED = Thing(**{**vars(API_KEY_ROWS[0]), "told_answers": []})
SNIPPETS = [
    Thing(
        slug="openai",
        title="OpenAI SDK",
        is_open=True,
        code="""from openai import OpenAI

client = OpenAI(
    base_url="https://gateway.acme.example/v1",
    api_key="byok_…",
)
answer = client.chat.completions.create(
    model="openai/gpt-6.2-sol",
    messages=[{"role": "user", "content": "Say hello."}],
)
print(answer.choices[0].message.content)
""",
        other_models=["mistral/mistral-large-latest", "xai/grok-4"],
    ),
    Thing(slug="anthropic", title="Anthropic SDK", code="", other_models=[]),
    Thing(slug="curl", title="curl", code="curl https://gateway.acme.example/v1/models", other_models=[]),
]
MISSED = Thing(who="Dana Rossi", at=NOW - timedelta(minutes=2), acts=["changed its name", "rotated it"])


class DeletionForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    confirmation = forms.CharField(label="Name", error_messages={"required": "Type the name of the API key exactly."})


class RotationForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    old_ends = forms.ChoiceField(
        label="The old key stops", initial="later", error_messages={"required": "Choose when the old key stops."}
    )


LOST = {
    "status": 404,
    "headline": "Nothing is at this address.",
    "text": "What was here may have been deleted, or belongs to an organization you aren’t a member of. Nothing was changed.",
    "actions": [Thing(label="Go to BYOK", url="/"), Thing(label="Go to API Keys", url="/")],
}
REQUEST_ID = "req_0kD8s2LqVfYx3nB7wTzMhC"
HOME, AT_HOME = (
    {"actions": [Action("/orgs/acme/provider-keys/", name)], "request_id": REQUEST_ID}
    for name in ("Go to BYOK", "Go to Acme")
)
ERRORS = {
    "400": {**asdict(errors.UNREADABLE), **HOME},
    "403": {**asdict(errors.FORBIDDEN), **HOME},
    "403-csrf": {**asdict(errors.OUT_OF_DATE), **HOME},
    "404": {**asdict(errors.NOT_FOUND), **HOME},
    "500": {**asdict(errors.BROKEN), **HOME},
    "503": {**asdict(errors.AWAY), **HOME},
    "503-busy": {**asdict(errors.BUSY), **HOME},
}
TOO_MANY = {
    "status": 429,
    "headline": "Too many tests at once.",
    "text": "Your organization tests as much as it may just now. Try again in 12 s; saving doesn’t need a test.",
    "actions": [Action("/orgs/acme/provider-keys/", "Back to BYOK")],
}


class Toast:
    def __init__(self, level_tag: str, words: str) -> None:
        self.level_tag = level_tag
        self.extra_tags = ""
        self.words = words

    def __str__(self) -> str:
        return self.words


REMINDERS = [
    Thing(
        key_id="pk_2",
        name="Production Key",
        provider=OPENAI,
        keys_at="OpenAI’s API keys",
        hints=["sk-proj-…AbCd"],
        at=NOW - timedelta(minutes=5),
        until=1,
        holders=format_html('<a href="/orgs/acme/provider-keys/{}/">Overflow account</a> (OpenAI)', "pk_3"),
        is_alike=True,
        is_told=False,
    ),
    Thing(
        key_id="pk_7",
        name="Bedrock shared",
        provider=PROVIDERS[7],
        keys_at="AWS IAM",
        hints=["AKIA…O4HG", "AKIA…RAIK"],
        at=NOW - timedelta(hours=5),
        until=1,
        holders="",
        is_alike=False,
        is_told=False,
    ),
]
MANY = [f"service-{number}" for number in range(15)]


def api_key_sheet(action: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """What is asked about an API key before ``action``."""
    urls = {"action_url": "/orgs/acme/api-keys/key_1/", "cancel_url": "/orgs/acme/api-keys/"}
    given = {"api_key": API_KEY_ROWS[0], "action": action, "sheet": QUESTIONS[action], **urls, **more}
    return page("providerkeys/sheet.html", **given)


LOST_AND_MOVED = [
    consequence(
        "loses",
        "2 API keys lose AWS Bedrock",
        "The gateway doesn’t route AWS Bedrock requests yet. Once it does, those of these API keys are refused. "
        "No other provider key serves them.",
        "production",
        "research",
    ),
    consequence(
        "moves",
        "1 API key moves to Bedrock EU",
        "The gateway doesn’t route AWS Bedrock requests yet. Once it does, those of this API key run on Bedrock EU "
        "(assigned), and are billed there.",
        "batch-eu",
    ),
]
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "list": page("providerkeys/list.html", **LIST),
    "list-replaced": page("providerkeys/list.html", **LIST, reminders=REMINDERS),
    "list-member": page(
        "providerkeys/list.html", **{**LIST, "access": MEMBER, "organizations": [ACME], "next_url": ""}
    ),
    "list-empty": page("providerkeys/list.html", **{**LIST, "keys": [], "count": 0, "next_url": ""}),
    "list-no-match": page(
        "providerkeys/list.html", **{**LIST, "keys": [], "count": 0, "filters": Filters("nope"), "next_url": ""}
    ),
    "list-toasts": page(
        "providerkeys/list.html",
        **LIST,
        messages=[
            Toast("success", "Bedrock shared was created. Its test is running."),
            Toast("warning", "Saved untested."),
        ],
    ),
    "form-choose": form_page(ProviderKeyForm(), provider=None),
    "form-new": form_page(ProviderKeyForm(initial={"name": "Staging account", "provider": "openai"})),
    "form-tested": form_page(
        ProviderKeyForm(initial={"name": "Staging account", "provider": "openai"}), check=CHECKS["valid"]
    ),
    "form-no-api-keys": form_page(ProviderKeyForm(), api_keys=[]),
    "form-refused": form_page(REFUSED),
    "form-service-account": form_page(ServiceAccountForm(), provider=PROVIDERS[2], provider_label="Google Vertex AI"),
    "form-service-account-refused": form_page(
        SERVICE_ACCOUNT_REFUSED, provider=PROVIDERS[2], provider_label="Google Vertex AI"
    ),
    "form-service-account-edit": form_page(
        ServiceAccountForm(
            initial={
                "name": "EU analytics",
                "location": "europe-west4",
                "assign_to_organization": True,
                "version": 3,
            }
        ),
        key=KEYS[4],
        provider=PROVIDERS[2],
        title="Edit Provider Key",
    ),
    "form-service-account-edit-emptied": form_page(
        SERVICE_ACCOUNT_EMPTIED,
        key=KEYS[4],
        provider=PROVIDERS[2],
        title="Edit Provider Key",
    ),
    "form-regions": form_page(RegionsForm(), provider=PROVIDERS[7], provider_label="AWS Bedrock"),
    "form-regions-tested": form_page(
        RegionsForm(stored=STORED_REGIONS),
        provider=PROVIDERS[7],
        provider_label="AWS Bedrock",
        check=CHECKS["regions-done"],
    ),
    "form-regions-refused": form_page(REGIONS_REFUSED, provider=PROVIDERS[7], provider_label="AWS Bedrock"),
    "form-regions-edit": form_page(
        RegionsForm(stored=STORED_REGIONS, initial={"name": "Bedrock fleet", "version": 3}),
        key=KEYS[6],
        provider=PROVIDERS[7],
        title="Edit Provider Key",
    ),
    "form-regions-edit-emptied": form_page(
        REGIONS_EMPTIED,
        key=KEYS[6],
        provider=PROVIDERS[7],
        title="Edit Provider Key",
    ),
    "form-edit": form_page(
        ProviderKeyForm(initial={"name": "Production Key", "assign_to_organization": True, "version": 3}),
        key=KEYS[1],
        title="Edit Provider Key",
    ),
    "form-edit-tested-before": form_page(
        ProviderKeyForm(initial={"name": "CI account", "assign_to_organization": True, "version": 3}),
        key=KEYS[3],
        title="Edit Provider Key",
        stored=STORED_FAILING,
    ),
    "form-regions-edit-tested-before": form_page(
        RegionsForm(stored=STORED_REGIONS, initial={"name": "Bedrock fleet", "version": 3}),
        key=KEYS[6],
        provider=PROVIDERS[7],
        title="Edit Provider Key",
        stored=STORED_BY_REGION,
    ),
    "form-gone": page("providerkeys/gone.html", list_url="/list"),
    "form-conflict": form_page(
        EDITED,
        key=KEYS[1],
        title="Edit Provider Key",
        conflict=Thing(who="Dana Rossi", at=NOW - timedelta(minutes=2), fields=["name", "assignment"]),
    ),
    "delete": question("delete", KEYS[6], PROVIDERS[7], told=LOST_AND_MOVED, keys_at="AWS IAM"),
    "delete-nobody": question("delete", KEYS[5], PROVIDERS[3], keys_at="Mistral’s API keys"),
    "disable": question("disable", KEYS[6], PROVIDERS[7], told=LOST_AND_MOVED),
    "disable-again": question(
        "disable",
        KEYS[2],
        OPENAI,
        again=True,
        conflict=Thing(who="Dana Rossi", at=NOW - timedelta(minutes=2), fields=["name", "assignment"]),
    ),
    "enable": question(
        "enable",
        KEYS[5],
        PROVIDERS[3],
        told=[
            consequence("moves", "3 API keys move to this key", "Their Mistral requests run on this key.", *MANY),
            consequence("backed", "1 API key gets a key to fall back on", "Main stays first.", "ci"),
        ],
    ),
    "api-keys": page(
        "providerkeys/api_key_list.html", api_keys=API_KEY_ROWS, count=2, query="", next_url="?after=key_2-staging"
    ),
    "api-keys-empty": page("providerkeys/api_key_list.html", api_keys=[]),
    "api-keys-nothing-found": page("providerkeys/api_key_list.html", api_keys=[], query="nobody"),
    "api-key-new": page("providerkeys/api_key_new.html", form=ApiKeyForm(), offers=NO_OFFERS),
    "api-key-refused": page(
        "providerkeys/api_key_new.html",
        form=ApiKeyForm({"expiration": "date", "provider_key_ids": "gone"}),
        offers=OFFERS,
    ),
    "api-key-once": page(
        "providerkeys/api_key_once.html",
        api_key=API_KEY_ROWS[0],
        plaintext="byok_8TqZ4mNcKd2vXeRb7LhWyPs9JfAu3GtQoVi5CnMw",
        detail_url="/orgs/acme/api-keys/key_1/",
        gateway_url="https://gateway.acme.example",
    ),
    "api-key-once-unserved": page(
        "providerkeys/api_key_once.html",
        api_key=UNSERVED,
        plaintext="byok_8TqZ4mNcKd2vXeRb7LhWyPs9JfAu3GtQoVi5CnMw",
        detail_url="/orgs/acme/api-keys/key_1/",
        gateway_url="https://gateway.acme.example",
    ),
    "api-key-once-namesake": page(
        "providerkeys/api_key_once.html",
        api_key=API_KEY_ROWS[1],
        plaintext="byok_8TqZ4mNcKd2vXeRb7LhWyPs9JfAu3GtQoVi5CnMw",
        detail_url="/orgs/acme/api-keys/key_2/",
        gateway_url="https://gateway.acme.example",
        namesakes="Another API key is called staging too. Rename one to tell them apart.",
    ),
    "api-key-rotated": page(
        "providerkeys/api_key_once.html",
        api_key=API_KEY_ROWS[0],
        plaintext="byok_8TqZ4mNcKd2vXeRb7LhWyPs9JfAu3GtQoVi5CnMw",
        detail_url="/orgs/acme/api-keys/key_1/",
        gateway_url="https://gateway.acme.example",
        rotated=True,
    ),
    "api-key-rotate": page("providerkeys/api_key_rotate.html", api_key=API_KEY_ROWS[0], form=RotationForm()),
    "api-key-rotate-refused": page(
        "providerkeys/api_key_rotate.html",
        api_key=API_KEY_ROWS[1],
        form=RotationForm({"version": "1"}),
        missed=MISSED,
        conflict=True,
    ),
    "api-key-edit": api_key_sheet("edit", form=ApiKeyForm()),
    "api-key-disable": api_key_sheet("disable", alone=Thing(names=["EU analytics"], count=1, more=0)),
    "api-key-stop": api_key_sheet("stop", form=StopForm(ApiKey())),
    "api-key-stop-again": api_key_sheet("stop", form=StopForm(ApiKey()), missed=MISSED, conflict=True),
    "api-key-delete": api_key_sheet(
        "delete",
        form=DeletionForm({"version": "1"}),
        alone=Thing(names=["EU analytics", "Bedrock EU"], count=9, more=7),
        missed=MISSED,
        conflict=True,
    ),
    "api-key-rotating": page(
        "providerkeys/api_key_detail.html",
        api_key=API_KEY_ROWS[0],
        snippets=SNIPPETS,
        gateway_url="https://gateway.acme.example",
    ),
    "api-key-detail": page("providerkeys/api_key_detail.html", api_key=API_KEY_ROWS[1], snippets=SNIPPETS),
    "login": lone("registration/login.html", form=LoginForm(), next=""),
    "login-refused": lone("registration/login.html", form=LoginForm({"username": "alice@acme.test"}), next="/"),
    "login-throttled": lone("registration/login.html", form=LoginForm(), next="", throttled="15 minutes"),
    "reset": lone("registration/password_reset_form.html", form=MailForm()),
    "reset-refused": lone("registration/password_reset_form.html", form=MailForm({"email": "x"})),
    "reset-throttled": lone("registration/password_reset_form.html", form=MailForm(), throttled="15 minutes"),
    "reset-away": lone("registration/password_reset_form.html", form=MailForm(), away=True),
    "reset-done": lone("registration/password_reset_done.html"),
    "reset-confirm": lone("registration/password_reset_confirm.html", form=PasswordForm(), validlink=True),
    "reset-stale": lone("registration/password_reset_confirm.html", form=None, validlink=False),
    "reset-complete": lone("registration/password_reset_complete.html"),
    "no-membership": lone("registration/no_membership.html", user=ALICE),
    "lost": page("errors/error.html", **LOST),
    "lost-outside": lone("errors/error.html", **LOST),
    **{name: lone("errors/error.html", **said) for name, said in ERRORS.items()},
    "403-member": page("errors/error.html", **{**ERRORS["403"], **AT_HOME, "access": MEMBER}),
    "404-inside": page("errors/error.html", **{**ERRORS["404"], **AT_HOME}),
    "429": page("errors/error.html", **TOO_MANY, request_id=REQUEST_ID),
    **{
        f"check-{name}": page("providerkeys/check.html", check=each, provider_label="OpenAI")
        for name, each in CHECKS.items()
    },
}
"""Name of a page in one of its states → its template and that template's context."""
