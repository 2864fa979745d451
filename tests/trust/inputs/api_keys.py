"""What is pasted as an API key."""

from collections.abc import Iterator
from typing import Final

from organizations.ids import new_id
from tests.fakeproviders import samples
from tests.trust.inputs.table import NEW, STORED, Cleaned, Hinted, Input, Refused

KEY: Final = samples.fresh_key("openai", "good")
STORED_KEY: Final = samples.key("openai", "good")
STORED_HINT: Final = f"sk-proj-…{STORED_KEY[-4:]}"
_HALF: Final = len(KEY) // 2
_FAKE: Final = "FAKE" * 20

_CLEANED: Final = {
    "blanks around": f"  {KEY}\t",
    "a line end behind": f"{KEY}\r\n",
    "wide blanks around": f"\N{NO-BREAK SPACE}{KEY}\N{EM SPACE}",
    "double quotes": f'"{KEY}"',
    "single quotes": f"'{KEY}'",
    "backticks": f"`{KEY}`",
    "Bearer in front": f"Bearer {KEY}",
    "a whole header": f"Authorization: Bearer {KEY}",
    "a quoted header": f'"Authorization: Bearer {KEY}"',
    "an export": f"export OPENAI_API_KEY={KEY}",
    "a quoted export": f'export OPENAI_API_KEY="{KEY}"',
    "a line of a .env file": f"OPENAI_API_KEY={KEY}",
    "blanks around the sign": f"OPENAI_API_KEY = {KEY}",
    "a semicolon behind": f"OPENAI_API_KEY='{KEY}';",
    "a byte order mark": f"\ufeff{KEY}",
}

_BLANKS: Final = "An API key has no blanks or line breaks inside. Paste the key alone."
_LETTERS: Final = "This holds invisible or non-ASCII characters. Copy the key again from your provider."
_LONG: Final = "This is longer than any API key (1024 characters at most). Paste the key alone."
_PLACEHOLDER: Final = "This is a placeholder. Paste the key that your provider gave you."
_MASKED: Final = "This is the masked form of a key, which can never be used. Paste the whole key."
_OURS: Final = "This is an id of this console, not a key. It can never be used. Paste your provider’s key."
_ADDRESS: Final = "This is a web address, not a key. It can never be used. Paste the key that is found there."
_CHOOSE: Final = "Choose the provider that it belongs to."

_REFUSED: Final = {
    "a line break inside": (f"{KEY[:_HALF]}\n{KEY[_HALF:]}", _BLANKS),
    "a blank inside": (f"{KEY[:_HALF]} {KEY[_HALF:]}", _BLANKS),
    "two keys": (f"{KEY} {KEY}", _BLANKS),
    "a zero-width character": (f"{KEY[:_HALF]}\N{ZERO WIDTH SPACE}{KEY[_HALF:]}", _LETTERS),
    "a joiner": (f"{KEY[:_HALF]}\N{ZERO WIDTH JOINER}{KEY[_HALF:]}", _LETTERS),
    "a NUL": (f"{KEY[:_HALF]}\0{KEY[_HALF:]}", _LETTERS),
    "an escape": (f"{KEY[:_HALF]}\x1b{KEY[_HALF:]}", _LETTERS),
    "a Cyrillic letter": (KEY[:_HALF] + "\N{CYRILLIC SMALL LETTER A}" + KEY[_HALF:], _LETTERS),
    "an emoji": (f"{KEY}🔑", _LETTERS),
    "8 KiB": (KEY + "a" * 8192, _LONG),
    "1 MiB": (KEY + "a" * 1024 * 1024, _LONG),
    "1 MiB of quotes": ('"' * 512 * 1024 + KEY + '"' * 512 * 1024, _LONG),
    "100,000 levels of JSON": ("[" * 100_000, _LONG),
    "a placeholder": ("YOUR_API_KEY", _PLACEHOLDER),
    "a placeholder of a document": ("sk-your-key-here", _PLACEHOLDER),
    "angle brackets": ("<api-key>", _PLACEHOLDER),
    "a hint with dots": ("sk-proj-...AbCd", _MASKED),
    "a hint with stars": ("sk-ab***WXYZ", _MASKED),
    "a hint of bullets": ("••••", _MASKED),
    **{f"an id of ours ({prefix}_)": (new_id(prefix), _OURS) for prefix in ("key", "pk", "org", "chk")},
    "a service account": (
        '{"type":"service_account"}',
        "This is a JSON document. It can never be used with OpenAI. Paste the key alone.",
    ),
    "an API key of this product": (
        "byok_" + _FAKE[:50],
        "This is an API key of this product. It can never be used with OpenAI. Paste the key that your provider gave you.",
    ),
    "a console token of this product": (
        "byokc_" + _FAKE[:50],
        (
            "This is a console token of this product. It can never be used with OpenAI. Paste the key that your provider "
            "gave you."
        ),
    ),
}

# What belongs to somebody else: who can still choose the provider is told to, and of a stored key it stays.
_INSTEAD: Final = "Paste a key of OpenAI, or add this one as a new key."
_FOREIGN: Final = {
    "a key of Anthropic": (
        samples.fresh_key("anthropic", "good"),
        "This is a key of Anthropic. It can never be used with OpenAI",
        ": choose Anthropic as the provider, or paste another key.",
    ),
    "a key of xAI": (
        samples.fresh_key("xai", "good"),
        "This is a key of xAI. It can never be used with OpenAI",
        ": choose xAI as the provider, or paste another key.",
    ),
    "a Google API key": (
        "AIza" + _FAKE[:35],
        "This is a Google API key. It can never be used with OpenAI",
        f". {_CHOOSE}",
    ),
    "an AWS access key id": (
        "AKIA" + _FAKE[:16],
        "This is an AWS access key id. It can never be used with OpenAI",
        f". {_CHOOSE}",
    ),
    "a temporary AWS id": (
        "ASIA" + _FAKE[:16],
        "This is a temporary AWS access key id. It can never be used with OpenAI",
        f". {_CHOOSE}",
    ),
    "a Bedrock API key": (
        "ABSK" + "FAKE" * 30,
        "This is an Amazon Bedrock API key. It can never be used with OpenAI",
        f". {_CHOOSE}",
    ),
}

# Kinds that can never work, at their own provider.
_KINDS: Final = {
    "anthropic": {
        "sk-ant-admin01-": ("an Anthropic admin key", "Create an API key of a workspace instead."),
        "sk-ant-oat01-": ("an Anthropic subscription token", "Create an API key in the Console instead."),
        "sk-ant-ort01-": ("an Anthropic subscription token", "Create an API key in the Console instead."),
    },
    "openai": {
        "sk-admin-": ("an OpenAI admin key", "Create a project key instead."),
        "eyJ": ("a ChatGPT sign-in token", "Create a project key instead."),
        "org-": ("the id of an OpenAI organization, not a key", "Paste a project key instead."),
        "proj_": ("the id of an OpenAI project, not a key", "Paste a project key instead."),
    },
    "xai": {"xai-token-": ("an xAI management key", "Create an API key instead.")},
}

_UNUSUAL: Final = {
    ("openai", "a shape that OpenAI has not"): (
        "sk-" + _FAKE[:30],
        "This doesn’t look like a usual OpenAI key. Testing it will tell.",
    ),
    ("openai", "a key that looks like DeepSeek's"): (
        samples.fresh_key("deepseek", "good"),
        "This doesn’t look like a usual OpenAI key; it looks like one of DeepSeek. Testing it will tell.",
    ),
    ("zai", "a key that looks like Mistral's"): (
        samples.fresh_key("mistral", "good"),
        "This doesn’t look like a usual zAI key; it looks like one of Mistral. Testing it will tell.",
    ),
    ("mistral", "a key that looks like zAI's"): (
        samples.fresh_key("zai", "good"),
        "This doesn’t look like a usual Mistral key; it looks like one of zAI. Testing it will tell.",
    ),
    ("deepseek", "a key that looks like Mistral's"): (
        samples.fresh_key("mistral", "good"),
        "This doesn’t look like a usual DeepSeek key; it looks like one of Mistral. Testing it will tell.",
    ),
    ("anthropic", "a shape that Anthropic has not"): (
        "sk-ant-" + _FAKE[:50],
        "This doesn’t look like a usual Anthropic key. Testing it will tell.",
    ),
    ("xai", "a shape that xAI has not"): (
        "xai-" + _FAKE[:50],
        "This doesn’t look like a usual xAI key. Testing it will tell.",
    ),
}


def _at_the_field(says: str) -> Refused:
    return Refused(says, "provider_key")


def _rows() -> Iterator[Input]:
    for name, text in _CLEANED.items():
        yield Input(name, {"provider_key": text}, Cleaned(KEY))
    for name, (text, says) in _REFUSED.items():
        yield Input(name, {"provider_key": text}, _at_the_field(says))
    for name, (text, what, end) in _FOREIGN.items():
        yield Input(name, {"provider_key": text}, _at_the_field(what + end), forms=NEW)
        over = _at_the_field(f"{what}. {_INSTEAD}")
        yield Input(f"{name}, over a stored one", {"provider_key": text}, over, forms=STORED)
    for provider, kinds in _KINDS.items():
        for prefix, (what, instead) in kinds.items():
            says = f"This is {what}. It can never be used for requests. {instead}"
            fields = {"provider_key": f"{prefix}{_FAKE}"}
            yield Input(f"{what} at {provider} ({prefix})", fields, _at_the_field(says), provider=provider)
    for (provider, name), (text, says) in _UNUSUAL.items():
        yield Input(f"{name} at {provider}", {"provider_key": text}, Hinted(text, says), provider=provider)


INPUTS: Final = (
    *(
        Input(name, {"provider_key": text}, _at_the_field("Enter the API key."), forms=NEW)
        for name, text in {"nothing": "", "blanks alone": " \t ", "a line end alone": "\r\n"}.items()
    ),
    Input("quotes alone", {"provider_key": '""'}, _at_the_field("Enter the API key.")),
    # The form shows this address itself, and must not show that of anybody's project.
    Input("an address", {"provider_key": "https://platform.openai.com/api-keys"}, _at_the_field(_ADDRESS), secret=()),
    Input(
        "an address with an id",
        {"provider_key": f"HTTPS://platform.openai.com/?project=proj_{_FAKE[:24]}"},
        _at_the_field(_ADDRESS),
        secret=(f"project=proj_{_FAKE[:24]}",),
    ),
    # The stored key's own hint, as the form itself shows it.
    Input("the hint of the stored key", {"provider_key": STORED_HINT}, _at_the_field(_MASKED), forms=STORED),
    *_rows(),
)
