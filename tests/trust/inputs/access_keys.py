"""What is typed into rows of region, access key ID and secret access key."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.fakeproviders import samples
from tests.fakeproviders.access_keys import halves
from tests.providerkeys.regions import posted
from tests.trust.inputs.table import EDIT, NEW, STORED, Cleaned, Hinted, Input, Refused

PROVIDER: Final = "bedrock"
KEY: Final = samples.fresh_key(PROVIDER, "good")
STORED_KEY: Final = samples.key(PROVIDER, "good")
STORED_REGION: Final = "us-east-1"
_ID, _SECRET = halves(KEY)
_STORED_ID, _ = halves(STORED_KEY)
STORED_HINT: Final = f"AKIA…{_STORED_ID[-4:]}"
OTHER_REGION: Final = "eu-central-1"
# As many as there can be, and one more.
FORTY_ONE: Final = 41

_ID_MASKED: Final = "This is a masked form, which can never be used. Paste the whole access key ID."
_ID_LENGTH: Final = "An access key ID has 20 letters and digits, mostly after AKIA. Copy it again from AWS."
_ID_BLANKS: Final = "The access key ID has no blanks or line breaks inside. Paste it alone."
_ID_LETTERS: Final = "This holds invisible or non-ASCII characters. Copy the access key ID again from AWS."
_SECRET_MASKED: Final = "This is a masked form, which can never be used. Paste the whole secret access key."
_SECRET_LENGTH: Final = "A secret access key has 40 characters. Copy it again from AWS."
_SECRET_BLANKS: Final = "The secret access key has no blanks or line breaks inside. Paste it alone."
_SECRET_LETTERS: Final = "This holds invisible or non-ASCII characters. Copy the secret access key again from AWS."
_INSTEAD: Final = "Create an access key of an IAM user instead."
_BEDROCK_KEY: Final = f"This is an Amazon Bedrock API key, not an IAM access key. It can never be used here. {_INSTEAD}"
_TEMPORARY: Final = (
    f"This is a temporary access key ID, which needs a session token. It can never be used here. {_INSTEAD}"
)

_IDS: Final = {
    "a temporary id": ("ASIA" + "F" * 16, _TEMPORARY),
    "a Bedrock API key as the id": ("ABSK" + "FAKE" * 30, _BEDROCK_KEY),
    "a short-lived Bedrock API key as the id": ("bedrock-api-key-" + "FAKE" * 15, _BEDROCK_KEY),
    "a user's id": (
        "AIDA" + "F" * 16,
        f"This is the id of an IAM user, not of an access key. It can never be used here. {_INSTEAD}",
    ),
    "a role's id": (
        "AROA" + "F" * 16,
        f"This is the id of an IAM role, not of an access key. It can never be used here. {_INSTEAD}",
    ),
    "the secret as the id": (
        _SECRET,
        "This is a secret access key: the two fields are swapped. Paste the access key ID here.",
    ),
    "an id too short": (_ID[:-1], _ID_LENGTH),
    "an id too long": (f"{_ID}A", _ID_LENGTH),
    "another provider's key as the id": (samples.fresh_key("openai", "good"), _ID_LENGTH),
    "1 MiB as the id": ("A" * 1024 * 1024, _ID_LENGTH),
    "a masked id": ("AKIA…WXYZ", _ID_MASKED),
    "stars as the id": (f"AKIA{'*' * 16}", _ID_MASKED),
    "a blank inside the id": (f"{_ID[:10]} {_ID[10:]}", _ID_BLANKS),
    "a zero-width character in the id": (f"{_ID[:10]}\N{ZERO WIDTH SPACE}{_ID[11:]}", _ID_LETTERS),
    "a NUL in the id": (f"{_ID[:10]}\0{_ID[11:]}", _ID_LETTERS),
}
_SECRETS: Final = {
    "the id as the secret": (
        _ID,
        "This is an access key ID: the two fields are swapped. Paste the secret access key here.",
    ),
    "a Bedrock API key as the secret": ("ABSK" + "FAKE" * 30, _BEDROCK_KEY),
    "a secret that is url-encoded": (
        _SECRET.replace("/", "%2F"),
        "This secret is URL-encoded and can never be used like that. Paste it as AWS has shown it.",
    ),
    "a secret too short": (_SECRET[:-1], _SECRET_LENGTH),
    "a secret too long": (f"{_SECRET}A", _SECRET_LENGTH),
    "1 MiB as the secret": ("A" * 1024 * 1024, _SECRET_LENGTH),
    "a masked secret": ("FAKE" + "*" * 36, _SECRET_MASKED),
    "a line break inside the secret": (f"{_SECRET[:20]}\n{_SECRET[20:]}", _SECRET_BLANKS),
    "an emoji in the secret": (f"{_SECRET[:-1]}🔑", _SECRET_LETTERS),
    "a NUL in the secret": (f"{_SECRET[:-1]}\0", _SECRET_LETTERS),
}
_REGIONS: Final = {
    "a host as the region": "evil.com/#",
    "somebody at a host as the region": "a@evil",
    "a way up as the region": "..",
    "an encoded slash as the region": "%2f",
    "a line end behind the region": "us-east-1\n",
    "a dash of another kind in the region": "us\N{HYPHEN}east\N{HYPHEN}1",
    "70 characters as the region": "x" * 70,
    "a host behind the region": "us-east-1.evil.com",
    "capitals as the region": "US-EAST-1",
    "a region of China": "cn-north-1",
    "a region that is none": "eu-west-9",
    "a region of another cloud": "europe-west4",
    "a secret as the region": _SECRET,
    "a NUL as the region": "us-east-1\0",
}
_CLEANED: Final = {
    "blanks around both": (f"  {_ID}\n", f"\t{_SECRET}  "),
    "quotes around both": (f'"{_ID}"', f"'{_SECRET}'"),
    "exports": (f"export AWS_ACCESS_KEY_ID={_ID}", f'export AWS_SECRET_ACCESS_KEY="{_SECRET}"'),
    "lines of a credentials file": (f"aws_access_key_id = {_ID}", f"aws_secret_access_key = {_SECRET}"),
    "byte order marks": (f"\ufeff{_ID}", f"\ufeff{_SECRET}"),
}


_LIKE_AN_ID: Final = re.compile(r"[A-Z0-9]{16,24}")


def _at(part: str, row: int = 0) -> str:
    return f"regions-{row}-{part}"


def row(number: int = 0, region: str = STORED_REGION, **instead: Any) -> dict[str, Any]:
    """One good row, with ``instead`` in the place of its fields."""
    return posted(number, region, KEY, **instead)


def _refused(name: str, fields: Mapping[str, Any], at: str, says: str, **more: Any) -> Input:
    # What looks like an id is none; whatever else was typed, be it in the wrong field, may be a secret.
    typed = [str(value) for name, value in fields.items() if not name.endswith("-region")]
    secret = tuple(text for text in typed if not _LIKE_AN_ID.fullmatch(text) and text != STORED_HINT)
    return Input(name, fields, Refused(says, at), provider=PROVIDER, secret=secret, **more)


def _columns() -> Iterator[Input]:
    for name, (text, says) in _IDS.items():
        yield _refused(name, row(access_key_id=text), _at("access_key_id"), says)
    for name, (text, says) in _SECRETS.items():
        yield _refused(name, row(secret_access_key=text), _at("secret_access_key"), says)
    for name, region in _REGIONS.items():
        outcome = Refused("Choose a region from the list.", _at("region"))
        yield Input(name, row(region=region), outcome, provider=PROVIDER, secret=(_SECRET,))
    for name, (key_id, secret) in _CLEANED.items():
        fields = row(access_key_id=key_id, secret_access_key=secret)
        yield Input(name, fields, Cleaned(KEY), provider=PROVIDER)


def _halves() -> Iterator[Input]:
    """Rows of which a part is missing: in a new key, and beside what is stored."""
    yield _refused(
        "a row without its id", row(access_key_id=" "), _at("access_key_id"), "Enter the access key ID.", forms=NEW
    )
    yield _refused(
        "a row without its secret",
        row(secret_access_key=" "),
        _at("secret_access_key"),
        "Enter the secret access key.",
        forms=NEW,
    )
    yield _refused("a row without its region", row(region=""), _at("region"), "Choose a region.")
    yield _refused(
        "a row of nothing but a region",
        {_at("region"): STORED_REGION},
        _at("access_key_id"),
        "Enter the access key ID.",
        forms=NEW,
    )
    yield _refused(
        "the hint of the stored id with another secret",
        row(access_key_id=STORED_HINT),
        _at("access_key_id"),
        _ID_MASKED,
        forms=STORED,
    )


def _counts() -> Iterator[Input]:
    yield _refused("no row", {}, "regions", "Add at least one region.", forms=(*NEW, EDIT))
    yield _refused(
        "a region twice",
        {**row(0), **row(1)},
        _at("region", 1),
        f"Row 1 is for {STORED_REGION} already. Choose another region, or remove this row.",
    )
    many = {name: value for number in range(FORTY_ONE) for name, value in row(number).items()}
    yield _refused("41 rows", many, "regions", "Use at most 40 regions.")
    yield _refused(
        "a row of a very high number",
        {name.replace("0", "9999", 1): value for name, value in row(secret_access_key="x").items()},
        _at("secret_access_key"),
        _SECRET_LENGTH,
    )


def _unusual() -> Iterator[Input]:
    says = "This doesn’t look like a usual AWS access key. Testing it will tell."
    odd_id, odd_secret = "AKIA" + "0" * 16, "-" * 40
    key = KEY.replace(_ID, odd_id)
    yield Input("an id of unusual letters", row(access_key_id=odd_id), Hinted(key, says), provider=PROVIDER)
    key = KEY.replace(_SECRET, odd_secret)
    yield Input("a secret of unusual letters", row(secret_access_key=odd_secret), Hinted(key, says), provider=PROVIDER)


INPUTS: Final = (*_columns(), *_halves(), *_counts(), *_unusual())

MOVED: Final = (
    _refused(
        "another id without its secret",
        row(secret_access_key=""),
        _at("secret_access_key"),
        "A changed access key ID needs its secret access key: type it here.",
        forms=STORED,
    ),
    _refused(
        "another region without its secret",
        row(region=OTHER_REGION, access_key_id="", secret_access_key=""),
        _at("secret_access_key"),
        "A stored secret never moves to another region: type the secret access key.",
        forms=STORED,
    ),
)
"""A stored secret that would go to another account or region: rows of the family NET."""

KEPT: Final = {
    "nothing at all": {},
    "the hint of the stored id": {"access_key_id": STORED_HINT},
    "the stored id": {"access_key_id": _STORED_ID},
    "the stored id in quotes": {"access_key_id": f'"{_STORED_ID}"'},
}
"""What leaves a stored row as it is, byte for byte, when it is sent beside its region and a blank secret."""


def kept(name: str) -> dict[str, str]:
    """The fields of ``KEPT``, as the form names them."""
    return {_at(part): text for part, text in KEPT[name].items()}
