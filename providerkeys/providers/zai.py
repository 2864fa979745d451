"""zAI: one API key, tested by listing the models, which is free.

Its errors carry a code of its own, sometimes under a status of 200, so the code is looked at before the status.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from providerkeys.providers.base import Answer, Api, ApiKeyProvider, Endpoint, Inference, Request, Rule, Send
from providerkeys.providers.verdicts import Link, Reason, Verdict

_KEYS = Link("zAI’s API keys", "https://z.ai/manage-apikey/apikey-list")
_BILLING = Link("your zAI billing", "https://z.ai/manage-apikey/billing")
_PLAN = Link("your zAI plan", "https://z.ai/manage-apikey/subscription")

_REASONS = {
    "accepted": Reason(
        Verdict.VALID,
        "zAI accepted the key.",
        "save it. This test doesn’t check credit; see {link}.",
        _BILLING,
    ),
    "unknown_key": Reason(
        Verdict.INVALID,
        "zAI doesn’t recognize this key, or it has expired.",
        "paste it whole, or create a new key at {link}. A key of bigmodel.cn, the Chinese platform, is not accepted here.",
        _KEYS,
    ),
    "account_inactive": Reason(
        Verdict.FORBIDDEN,
        "zAI knows this key, but its account is inactive or doesn’t exist any more.",
        "activate the account, or use a key of another one from {link}.",
        _KEYS,
    ),
    "account_locked": Reason(
        Verdict.FORBIDDEN,
        "zAI knows this key, but has locked its account.",
        "ask zAI’s support, or use a key of another account from {link}.",
        _KEYS,
    ),
    "no_credit": Reason(
        Verdict.LIMITED,
        "The key works, but its account has no credit for the general API.",
        "add credit at {link}. A Coding Plan pays only for its own tools, not for these requests. Saving is fine.",
        _BILLING,
    ),
    "no_right": Reason(
        Verdict.LIMITED,
        "The key works, but its account has no right to this API or model.",
        "check what your plan includes at {link}. Saving is fine.",
        _PLAN,
    ),
    "plan_used_up": Reason(
        Verdict.LIMITED,
        "The key works, but the usage that its plan includes is used up for now.",
        "wait for the plan’s next period, or change it at {link}. Saving is fine.",
        _PLAN,
    ),
    "plan_expired": Reason(
        Verdict.LIMITED, "The key works, but its plan has expired.", "renew it at {link}. Saving is fine.", _PLAN
    ),
    "fair_use": Reason(
        Verdict.LIMITED,
        "The key works, but zAI limits its account under its fair use policy.",
        "see {link}, or ask zAI’s support. Saving is fine.",
        _PLAN,
    ),
}

_OUTRIGHT = (200, 400, 401, 403)
_REFUSED = (*_OUTRIGHT, 429, 434)
_ABOUT_THE_KEY = ("1000", "1002", "1003", "1004", "401")

# reason: the statuses under which its codes count, and the codes. Missing is 1001 (zAI saw no key), which would be this
# check's own mistake: like every unknown code it is no judgement.
_CODES: Mapping[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    "unknown_key": (_OUTRIGHT, _ABOUT_THE_KEY),
    "unexpected": ((429,), _ABOUT_THE_KEY),
    "account_inactive": (_REFUSED, ("1110", "1111")),
    "account_locked": (_REFUSED, ("1112", "1121")),
    "no_credit": (_REFUSED, ("1113",)),
    "no_right": (_REFUSED, ("1220", "1311", "434")),
    "rate_limited": (_REFUSED, ("1302", "1303", "1304", "1305", "1312")),
    "plan_used_up": (_REFUSED, ("1308", "1310")),
    "plan_expired": (_REFUSED, ("1309",)),
    "fair_use": (_REFUSED, ("1313",)),
    "server_error": (_REFUSED, ("1120", "1230", "1234", "500")),
    # What it says about the rest of a request shows that it took the key.
    "accepted": ((400,), ("1210", "1211", "1212", "1213", "1214", "1215")),
}
_NO_SUCH_ROUTE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)


def _rules() -> Iterator[Rule]:
    for reason, (status, codes) in _CODES.items():
        yield from (Rule(status=status, code=code, reason=reason) for code in codes)
    # The same refusal has been seen without any code.
    yield Rule(status=_OUTRIGHT, says=("token expired or incorrect",), reason="unknown_key")
    yield Rule(status=(434,), reason="no_right")


@dataclass(frozen=True, kw_only=True)
class _ZAI(ApiKeyProvider):
    def headers(self, key: str) -> Mapping[str, str]:
        """Messages are Chinese unless they are asked for in English."""
        return {**super().headers(key), "Accept-Language": "en-US,en"}

    def probe(self, key: str, send: Send) -> Answer:
        """The list of models is undocumented. Were it gone, an empty request tells as much and costs nothing either."""
        answer = super().probe(key, send)
        return self._ask_for_nothing(key, send) if answer.status in _NO_SUCH_ROUTE else answer

    def _ask_for_nothing(self, key: str, send: Send) -> Answer:
        headers = {**self.headers(key), "Content-Type": "application/json"}
        path = "/api/paas/v4/chat/completions"
        return send(Request(self.endpoints[0], path, headers, method="POST", body=b"{}"))

    def classify_success(self, answer: Answer) -> str:
        """An error may come with a status of 200; what carries a code, or says that it failed, is no list of models."""
        said = answer.json_object
        if said and (reason := self.documented(answer)):
            return reason
        failed = "code" in said or said.get("success") is False
        return "unexpected" if failed else super().classify_success(answer)


PROVIDER = _ZAI(
    slug="zai",
    label="zAI",
    order=70,
    endpoints=(Endpoint("zai", "api.z.ai"),),
    probe_path="/api/paas/v4/models",
    keys_url=_KEYS.url,
    billing_url=_BILLING.url,
    docs_url="https://docs.z.ai/api-reference/introduction",
    inference=Inference(
        paths={
            Api.CHAT_COMPLETIONS: "/api/paas/v4/chat/completions",
            Api.EMBEDDINGS: "/api/paas/v4/embeddings",
        },
        models="/api/paas/v4/models",
        model_prefixes=("glm-",),
        example_model="glm-4.6",
    ),
    shape=r"[0-9a-f]{32}\.[A-Za-z0-9]{16}",
    reasons=_REASONS,
    rules=tuple(_rules()),
)
