"""Whom a key is assigned to. ``{foreign}`` and the like stand for ids that exist, or did, once the case has begun."""

from typing import Final

from organizations.ids import new_id
from tests.trust.inputs.table import SAVES, Input, Refused

_NOBODY: Final = "Choose at least one API key, or assign to the entire organization."
_NOT_YOURS: Final = "One of these API keys doesn’t exist any more. Choose from your organization’s API keys."
MANY: Final = 9_000
"""Fewer fields than a request may have; a request with more is refused before any form."""
TOO_MANY: Final = 10_000

_IDS: Final = {
    "nobody": ([], _NOBODY),
    "a foreign API key": (["{foreign}"], _NOT_YOURS),
    "a foreign API key among one's own": (["{own}", "{foreign}"], _NOT_YOURS),
    "a deleted API key": (["{deleted}"], _NOT_YOURS),
    "an id that never was": ([new_id("key")], _NOT_YOURS),
    "an id of something else": (["{provider_key}"], _NOT_YOURS),
    "an empty id": ([""], _NOT_YOURS),
    "no id but a sentence": (["' OR 1=1 --"], _NOT_YOURS),
    "a NUL": (["key_\0"], _NOT_YOURS),
    f"{MANY} ids": ([f"key_{number:022d}" for number in range(MANY)], _NOT_YOURS),
}

INPUTS: Final = tuple(
    Input(name, {"assign_to_organization": "", "api_key_ids": ids}, Refused(says, "api_key_ids"), forms=SAVES)
    for name, (ids, says) in _IDS.items()
)
PROVIDERS: Final = tuple(
    Input(name, {"provider": text}, Refused("Choose a provider from the list.", "provider"), forms=("create",))
    for name, text in {
        "no provider": "",
        "a provider that is none": "nobody",
        "a label for a provider": "OpenAI",
        "a NUL for a provider": "openai\0",
        "1 MiB for a provider": "x" * 1024 * 1024,
    }.items()
)
"""The provider is chosen in the form of a new key alone."""
