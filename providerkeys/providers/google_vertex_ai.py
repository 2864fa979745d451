"""Google Vertex AI: a service account's key, tested by signing in and by counting the tokens of one word, both free."""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from providerkeys.providers import google_count_tokens, google_locations, google_oauth, service_account
from providerkeys.providers.base import Api, Credential, CredentialKind, Inference, NoWayIn, Provider, Send, WayIn
from providerkeys.providers.refusals import Refused
from providerkeys.providers.service_account import ServiceAccount
from providerkeys.providers.verdicts import Link, Reason, Verdict

_KEYS = Link("your Google Cloud service accounts", "https://console.cloud.google.com/iam-admin/serviceaccounts")
_BILLING = Link("your Google Cloud billing", "https://console.cloud.google.com/billing")
_API = Link("the Vertex AI API", "https://console.cloud.google.com/apis/library/aiplatform.googleapis.com")
_IAM = Link("your project’s IAM page", "https://console.cloud.google.com/iam-admin/iam")
_POLICIES = Link("your organization policies", "https://console.cloud.google.com/iam-admin/orgpolicies")
_LOCATIONS = Link("Google’s list of locations", "https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations")

_PUBLISHER_MODEL: Final = re.compile(r"publishers/(?P<publisher>[^/]+)/models/(?P<model>[^/]+)")
_LONGEST_HINT: Final = 200

_REASONS = {
    "accepted": Reason(
        Verdict.VALID,
        "Google accepted the service account for Vertex AI.",
        "save it. This test doesn’t check quota or credit; see {link}.",
        _BILLING,
    ),
    "account_deleted": Reason(
        Verdict.INVALID,
        "Google doesn’t know this service account: it was deleted.",
        "create a key of another account at {link}.",
        _KEYS,
    ),
    "key_deleted": Reason(
        Verdict.INVALID,
        "Google doesn’t know this key of the service account: it was deleted or disabled, or is another account’s.",
        "create a new key at {link}.",
        _KEYS,
    ),
    "not_recognised": Reason(
        Verdict.INVALID, "Google doesn’t recognize this service account key.", "create a new key at {link}.", _KEYS
    ),
    "token_refused": Reason(
        Verdict.INVALID,
        "Vertex AI doesn’t recognize this service account, though Google signed it in.",
        "check whether the account still exists at {link}, then create a new key.",
        _KEYS,
    ),
    "account_disabled": Reason(
        Verdict.FORBIDDEN,
        "Google knows this service account, but it is disabled.",
        "enable it at {link}, then test again.",
        _KEYS,
    ),
    "policy": Reason(
        Verdict.FORBIDDEN,
        "Google knows this service account, but doesn’t let it sign in to Google Cloud.",
        "ask the people who run your Google Cloud organization; see {link}.",
        _POLICIES,
    ),
    "api_disabled": Reason(
        Verdict.FORBIDDEN,
        "The key works, but the Vertex AI API is not enabled in its project.",
        "enable {link} in that project, wait a few minutes and test again.",
        _API,
    ),
    "no_permission": Reason(
        Verdict.FORBIDDEN,
        "The key works, but may not use Vertex AI in this project, or there is no such project.",
        "grant the role “Vertex AI User” to the service account at {link}, and check project_id.",
        _IAM,
    ),
    "wrong_project": Reason(
        Verdict.FORBIDDEN,
        "The key works, but not for the project that it names.",
        "check project_id, and the rights of the service account there at {link}.",
        _IAM,
    ),
    "billing": Reason(
        Verdict.LIMITED,
        "The key works, but billing is disabled in its project.",
        "enable it at {link}. Saving is fine.",
        _BILLING,
    ),
    "no_model": Reason(
        Verdict.LIMITED,
        "The key works, but none of the models that the test knows is served at this location.",
        "compare the location with {link}. Saving is fine if your models are served there.",
        _LOCATIONS,
    ),
    "models_not_allowed": Reason(
        Verdict.LIMITED,
        "The key works, but a policy of your organization doesn’t allow the models that the test knows.",
        "see which models are allowed at {link}. Saving is fine.",
        _POLICIES,
    ),
    "location_refused": Reason(
        Verdict.LIMITED,
        "The key works, but Vertex AI doesn’t serve this project at this location.",
        "choose a location from {link}, or leave it empty for global.",
        _LOCATIONS,
    ),
    "tokens_limited": Reason(
        Verdict.UNREACHABLE,
        "Google limits sign-ins just now. The key was not judged.",
        "test again in a minute, or save it untested.",
    ),
    "clock": Reason(
        Verdict.UNREACHABLE,
        "This server’s clock is wrong, so Google refuses what it signs. The key was not judged.",
        "ask the person who runs this server to set its clock, then test again.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class _GoogleVertexAI(Provider):
    credential: CredentialKind = CredentialKind.SERVICE_ACCOUNT

    def check(self, credential: Credential, send: Send) -> str:
        account, location = _account_in(credential), credential.destination.get("location", google_locations.DEFAULT)
        if account is None or location not in google_locations.ENDPOINTS:
            # Saved before a rule became stricter. What can't be trusted is not sent.
            return "unreadable"
        try:
            reason = _use(account, location, send)
            return _use(account, location, send) if reason == "token_refused" else reason
        except google_oauth.NoToken as no_token:
            return no_token.reason

    def way_in(self, credential: Credential, send: Send) -> WayIn:
        """Its OpenAI-compatible endpoint, with an access token that lasts for about an hour."""
        account, location = _account_in(credential), credential.destination.get("location", google_locations.DEFAULT)
        if account is None or location not in google_locations.ENDPOINTS:
            raise NoWayIn("unreadable")
        try:
            token = google_oauth.access_token(account, send)
        except google_oauth.NoToken as no_token:
            raise NoWayIn(no_token.reason) from None
        place = f"projects/{quote(account.project_id, safe='')}/locations/{location}"
        return WayIn(
            google_locations.ENDPOINTS[location],
            {"Authorization": f"Bearer {token}"},
            token,
            base_path=f"/v1/{place}/endpoints/openapi",
            seconds=google_oauth.TOKEN_SECONDS,
        )

    def models_in(self, document: Any) -> list[str]:
        """``publishers/google/models/gemini-…`` becomes ``google/gemini-…``."""
        listed = document.get("publisherModels") if isinstance(document, dict) else None
        names = (row.get("name") for row in (listed if isinstance(listed, list) else []) if isinstance(row, dict))
        found = (_PUBLISHER_MODEL.fullmatch(name) for name in names if isinstance(name, str))
        return [f"{match['publisher']}/{match['model']}" for match in found if match]

    def model_id(self, asked: str) -> str:
        """Its endpoint wants the publisher in front; a bare id means one of Google's own models."""
        return asked if "/" in asked else f"google/{asked}"

    def hint(self, credential: Credential) -> str:
        """The service account’s address, and its project where the address doesn’t tell."""
        account = _account_in(credential)
        if account is None:
            return "••••"
        both = f"{account.client_email} · {account.project_id}"
        enough = f"@{account.project_id}." in account.client_email or len(both) > _LONGEST_HINT
        return account.client_email if enough else both


def _account_in(credential: Credential) -> ServiceAccount | None:
    try:
        return service_account.parse(credential.secret)
    except Refused:
        return None


def _use(account: ServiceAccount, location: str, send: Send) -> str:
    token = google_oauth.access_token(account, send)
    return google_count_tokens.ask(account.project_id, location, token, send)


PROVIDER = _GoogleVertexAI(
    slug="google_vertex_ai",
    label="Google Vertex AI",
    order=30,
    endpoints=(google_oauth.ENDPOINT, *google_locations.ENDPOINTS.values()),
    keys_url=_KEYS.url,
    billing_url=_BILLING.url,
    docs_url="https://cloud.google.com/vertex-ai/generative-ai/docs",
    inference=Inference(
        paths={Api.CHAT_COMPLETIONS: "/chat/completions"},
        models="/v1beta1/publishers/google/models?pageSize=100",
        model_prefixes=("gemini-", "google/"),
        example_model="gemini-2.5-flash",
    ),
    signs_in=True,
    reasons=_REASONS,
)
