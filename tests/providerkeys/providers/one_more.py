"""A provider that doesn't exist, as its file would be: good in every way."""

from typing import Final

SLUG: Final = "third"
SOURCE: Final = '''
"""One more provider, in one file."""

from collections.abc import Mapping
from dataclasses import dataclass

from providerkeys.providers.base import ApiKeyProvider, Endpoint, Rule
from providerkeys.providers.verdicts import Link, Reason, Verdict

_KEYS = Link("Third's API keys", "https://third.example/keys")


@dataclass(frozen=True, kw_only=True)
class _Third(ApiKeyProvider):
    def headers(self, key: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {key}"}


PROVIDER = _Third(
    slug="third",
    label="Third",
    order=999,
    endpoints=(Endpoint("third", "api.third.example"),),
    probe_path="/v1/models",
    keys_url=_KEYS.url,
    billing_url=_KEYS.url,
    docs_url=_KEYS.url,
    reasons={
        "accepted": Reason(Verdict.VALID, "Third accepted the key.", "save it."),
        "unknown_key": Reason(Verdict.INVALID, "Third doesn't recognize this key.", "create one at {link}.", _KEYS),
    },
    rules=(Rule(status=(401,), reason="unknown_key"),),
)
'''
