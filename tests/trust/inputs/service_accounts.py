"""What is pasted as a service account JSON, and typed as its location."""

from collections.abc import Iterator
from typing import Final

from tests.fakeproviders import samples
from tests.providerkeys.providers.service_account_inputs import (
    ANOTHER_ADDRESS,
    FIELDS,
    GOOD,
    PRIVATE_KEY,
    bad,
    changed,
    same,
)
from tests.trust.inputs.table import NEW, STORED, Cleaned, Hinted, Input, Refused

PROVIDER: Final = "google_vertex_ai"
STORED_KEY: Final = samples.key(PROVIDER, "iam")
STORED_LOCATION: Final = "europe-west4"
_STORED_HINT: Final = "fake-sample7-iam@fake-example-project.iam.gserviceaccount.com"
_NOT_JSON: Final = bad()["nothing but a word"].says
_CHOOSE: Final = "Choose a Google Cloud region such as europe-west4, or us, eu or global; leave it empty for global."
SECRET: Final = (*PRIVATE_KEY.splitlines()[2:-2:4], FIELDS["private_key_id"])
"""What of the good file nobody may see: some lines of its key stand for all."""

LOCATIONS: Final = {
    "a host": "evil.com/#",
    "somebody at a host": "a@evil",
    "a way up": "..",
    "an encoded slash": "%2f",
    "a line inside": "europe-west4\nX-Evil: 1",
    "a dash of another kind": "europe\N{NON-BREAKING HYPHEN}west4",
    "70 characters": "a" * 70,
    "a host behind it": "europe-west4.evil.com",
    "a region that is none": "europe-west99",
    "a region of AWS": "eu-central-1",
    "the key itself": PRIVATE_KEY,
    "a NUL": "europe-west4\0",
}
_UNUSUAL: Final = {
    "a key id of another shape": (
        {"private_key_id": "my-own-id"},
        "The private_key_id is not of the usual shape. Testing it will tell.",
    ),
    "an account of another project": (
        {"project_id": "another-project"},
        "The service account is of another project than project_id. Testing it will tell if it may be used.",
    ),
}


def _bad() -> Iterator[Input]:
    said = set[str]()
    for name, given in bad().items():
        if given.says == ANOTHER_ADDRESS and given.says in said:
            # The first stands for all: the others go through the same forms in NET-01.
            continue
        outcome = Refused(given.says, "provider_key")
        yield Input(name, {"provider_key": given.text}, outcome, PROVIDER, secret=SECRET, variant=given.says in said)
        said.add(given.says)


INPUTS: Final = (
    *_bad(),
    *(
        Input(name, {"provider_key": text}, Cleaned(GOOD), PROVIDER, secret=SECRET, variant=number > 0)
        for number, (name, text) in enumerate(same().items())
    ),
    *(
        Input(name, {"provider_key": changed(**fields)}, Hinted(changed(**fields), says), PROVIDER, secret=SECRET)
        for name, (fields, says) in _UNUSUAL.items()
    ),
    *(
        Input(
            f"{name} as the location",
            {"provider_key": GOOD, "location": text},
            Refused(_CHOOSE, "location"),
            PROVIDER,
            secret=SECRET,
            variant=number > 0,
        )
        for number, (name, text) in enumerate(LOCATIONS.items())
    ),
    *(
        Input(
            name,
            {"provider_key": text},
            Refused("Paste the service account JSON, or choose its file.", "provider_key"),
            PROVIDER,
            forms=NEW,
        )
        for name, text in {"nothing": "", "blanks alone": " \r\n "}.items()
    ),
    Input(
        "the hint of the stored key",
        {"provider_key": _STORED_HINT},
        Refused(_NOT_JSON, "provider_key"),
        PROVIDER,
        forms=STORED,
        secret=(),
    ),
)
MOVED: Final = (
    Input(
        "another location without the file",
        {"provider_key": "", "location": "us-central1"},
        Refused("To change the location, paste the whole service account JSON again.", "provider_key"),
        PROVIDER,
        forms=STORED,
    ),
    Input(
        "a location emptied without the file",
        {"provider_key": "", "location": ""},
        Refused("To change the location, paste the whole service account JSON again.", "provider_key"),
        PROVIDER,
        forms=STORED,
    ),
)
"""A stored key that would be used at another place: rows of the family NET."""


def addressed_to(address: str) -> Input:
    """The good file with another ``token_uri``."""
    fields = {"provider_key": changed(token_uri=address)}
    return Input(repr(address), fields, Refused(ANOTHER_ADDRESS, "provider_key"), PROVIDER, secret=SECRET, variant=True)
