"""What people and programs may paste as a service account, and what must become of it: data for parser and forms alike."""

import base64
import json
import math
import random
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from tests.fakeproviders import samples
from tests.fakeproviders.rsa_keys import pem

GOOD: Final = samples.key("google_vertex_ai", "good")
FIELDS: Final[dict[str, str]] = json.loads(GOOD)
PRIVATE_KEY: Final = FIELDS["private_key"]
REQUIRED: Final = ("type", "project_id", "private_key_id", "private_key", "client_email", "token_uri")
_PKCS8: Final = PrivateFormat.PKCS8


def changed(**fields: Any) -> str:
    """The good file with other ``fields``; a ``None`` stays one."""
    return json.dumps({**FIELDS, **fields})


def without(name: str) -> str:
    return json.dumps({field: value for field, value in FIELDS.items() if field != name})


@dataclass(frozen=True)
class Bad:
    """A paste that is refused, and with which sentences."""

    text: str = field(repr=False)
    says: str


_PASTE: Final = "Paste the whole JSON file of a service account key, as Google made it."
_WHOLE: Final = "Paste the whole JSON file as Google made it."
_ONLY_KEYS: Final = f"It can never be used: only Google service account keys are accepted. {_PASTE}"
_NEW_KEY: Final = "Create a new key for the service account"


@cache
def _key() -> RSAPrivateKey:
    key = load_pem_private_key(PRIVATE_KEY.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def _of_bits(bits: int) -> str:
    """A key of ``bits`` whose numbers fit, though its factors are no primes: its size must be refused before that is seen."""
    numbers = random.Random(bits)
    p, q = (numbers.getrandbits(bits // 2) | (3 << (bits // 2 - 2)) | 1 for _ in range(2))
    while math.gcd((p - 1) * (q - 1), 65537) != 1 or math.gcd(p, q) != 1:
        p += 2
    d = pow(65537, -1, math.lcm(p - 1, q - 1))
    public = RSAPublicNumbers(65537, p * q)
    private = RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    return pem(private.private_key(unsafe_skip_rsa_key_validation=True))


def _of_other_numbers() -> str:
    """The good key with one of its numbers changed: it still loads, but signs nothing."""
    numbers = _key().private_numbers()
    private = RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d, numbers.dmp1 ^ 4, numbers.dmq1, numbers.iqmp, numbers.public_numbers
    )
    return pem(private.private_key(unsafe_skip_rsa_key_validation=True))


def _encrypted() -> str:
    return _key().private_bytes(Encoding.PEM, _PKCS8, BestAvailableEncryption(b"passphrase")).decode()


def _public() -> str:
    return _key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _elliptic() -> str:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, _PKCS8, NoEncryption()).decode()


def _edwards() -> str:
    return ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, _PKCS8, NoEncryption()).decode()


_NOT_JSON: Final = {
    "nothing but a word": "service_account",
    "a PEM alone": PRIVATE_KEY,
    "cut off": GOOD[: len(GOOD) // 2],
    "two files": GOOD + GOOD,
    "single quotes": GOOD.replace('"', "'"),
    "an API key of OpenAI": samples.key("openai", "good"),
    "8,000 levels": "[" * 8000,
    "a number of 5,000 digits": f'{{"type": {"9" * 5000}}}',
}
_NO_OBJECT: Final = f"This JSON is not an object. {_PASTE}"
_NO_NUMBER: Final = f"This JSON holds a number that is none. {_PASTE}"
_TWICE: Final = f"This JSON names a field twice. {_PASTE}"
_LONG: Final = f"This is longer than any service account JSON (16 KiB at most). {_PASTE}"
_OTHER_FORMS: Final = {
    "an array": (json.dumps([FIELDS]), _NO_OBJECT),
    "a string": (json.dumps(GOOD), _NO_OBJECT),
    "null": ("null", _NO_OBJECT),
    "a number": ("7", _NO_OBJECT),
    "NaN": (GOOD[:-1] + ', "more": NaN}', _NO_NUMBER),
    "Infinity": (GOOD[:-1] + ', "more": -Infinity}', _NO_NUMBER),
    "a field twice": (GOOD[:-1] + ', "token_uri": "https://oauth2.googleapis.com/token"}', _TWICE),
    "an unknown field twice": (GOOD[:-1] + ', "a": 1, "a": 2}', _TWICE),
    "a field twice inside": (GOOD[:-1] + ', "a": {"b": 1, "b": 2}}', _TWICE),
    "17 KiB": (GOOD[:-1] + f', "more": "{"x" * 17 * 1024}"}}', _LONG),
    "17 KiB in other letters": (GOOD[:-1] + f', "more": "{"ж" * 8500}"}}', _LONG),
    "100,000 levels": ("[" * 100_000, _LONG),
    "a Google API key": ("AIza" + "F" * 35, f"This is a Google API key. {_ONLY_KEYS}"),
}
_SOMETHING_ELSE: Final = "something else than a service account key"
_TYPES: Final = {
    "authorized_user": "a person’s own sign-in",
    "external_account": "a workload identity federation file",
    "external_account_authorized_user": "a workforce identity federation file",
    "impersonated_service_account": "a file for acting as another service account",
    "gdch_service_account": "a Google Distributed Cloud account",
    "brand_new_type": _SOMETHING_ELSE,
    "Service_Account": _SOMETHING_ELSE,
    "service_account ": _SOMETHING_ELSE,
}
ADDRESSES: Final = (
    *("http://127.0.0.1/token", "http://[::1]/token", "http://[::ffff:169.254.169.254]/token", "http://2130706433/"),
    *("http://0x7f.1/token", "http://0177.0.0.1/token", "http://[fd00:ec2::254]/token", "http://localhost./token"),
    *("http://169.254.169.254/computeMetadata/v1/", "http://metadata.google.internal/computeMetadata/v1/token"),
    *(
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.0.1/",
        "http://[64:ff9b::7f00:1]/",
        "http://①②⑦.⓪.⓪.①/token",
    ),
    *("https://user@oauth2.googleapis.com/token", "https://oauth2.googleapis.com\\@evil.example/token"),
    *("https://oauth2.googleapis.com#@evil.example/token", "https://oauth2.googleapis.com?@evil.example/token"),
    *("https://evil.example/https://oauth2.googleapis.com/token", "https://oauth2.googleapis.com.evil.example/token"),
    *("https://oauth2.googleapis.com/token\r\nX-Evil: 1", "https://oauth2.googleapis.com/token\n"),
    *("http://oauth2.googleapis.com/token", "https://oauth2.googleapis.com:8443/token"),
    *("https://oauth2.googleapis.com/token/", "https://OAUTH2.googleapis.com/token", "//oauth2.googleapis.com/token"),
    *("file:///etc/passwd", "gopher://127.0.0.1:6379/_INFO", "https://sts.googleapis.com/v1/token", "token", " "),
)
_UNIVERSES: Final = (
    "evil.example",
    "googleapis.com.evil.example",
    "apis-tpclp.goog",
    "GoogleApis.com",
    "",
    None,
    7,
    ["googleapis.com"],
)
ANOTHER_ADDRESS: Final = (
    f"`token_uri` isn’t Google’s token address. A file that names another one can never be used. {_PASTE}"
)
_ANOTHER_UNIVERSE: Final = (
    f"`universe_domain` isn’t Google’s public cloud. A key of another one can never be used. {_PASTE}"
)
_KEY_IDS: Final = ("a b", "a\r\nb", "é" * 40, "f" * 101)
PROJECTS: Final = (
    "evil.com/#",
    "a@evil",
    "..",
    "../../v1",
    "%2f..%2f",
    "fake\nproject",
    "fake\N{NON-BREAKING HYPHEN}project",
    "\udc80project",
    "a" * 70,
    "Fake-Project",
    "short",
    "1project",
    "project-",
    "evil.com:../x",
)
_EMAILS: Final = (
    *("someone@gmail.com", "fake@evil.example", "fake@gserviceaccount.com.evil.example", "fake@evil.example/.gserviceaccount.com"),
    *("fake@x.iam.gserviceaccount.com\r\nX-Evil: 1", "fake@x.iam.gserviceaccount.com\n", "@x.iam.gserviceaccount.com"),
    *("a@b@x.iam.gserviceaccount.com", "fake", "f" * 65 + "@x.iam.gserviceaccount.com", "fake\0@x.iam.gserviceaccount.com"),
)  # fmt: skip


@cache
def bad() -> dict[str, Bad]:
    """Every paste that is refused, by name."""
    found = {name: Bad(text, f"This is not JSON. {_PASTE}") for name, text in _NOT_JSON.items()}
    found |= {name: Bad(text, says) for name, (text, says) in _OTHER_FORMS.items()}
    for kind, what in _TYPES.items():
        found[f"type {kind!r}"] = Bad(changed(type=kind), f"`type` says that this is {what}. {_ONLY_KEYS}")
    for address in ADDRESSES:
        found[f"token_uri {address!r}"] = Bad(changed(token_uri=address), ANOTHER_ADDRESS)
    for universe in _UNIVERSES:
        found[f"universe_domain {universe!r}"] = Bad(changed(universe_domain=universe), _ANOTHER_UNIVERSE)
    for name in REQUIRED:
        found[f"{name} missing"] = Bad(without(name), f"`{name}` is missing. {_PASTE}")
        found[f"{name} null"] = Bad(changed(**{name: None}), f"`{name}` is missing. {_PASTE}")
        for kind, value in {
            "empty": "",
            "a number": 7,
            "true": True,
            "a list": [FIELDS[name]],
            "an object": {},
        }.items():
            found[f"{name} {kind}"] = Bad(changed(**{name: value}), _not_googles(name))
    for name, values in {"project_id": PROJECTS, "client_email": _EMAILS, "private_key_id": _KEY_IDS}.items():
        for value in values:
            found[f"{name} {value!r}"] = Bad(changed(**{name: value}), _not_googles(name))
    return found | {f"private_key {name}": given for name, given in _bad_keys().items()}


def _not_googles(name: str) -> str:
    return f"`{name}` is not what Google writes there. {_PASTE}"


def _bad_keys() -> dict[str, Bad]:
    inside = "".join(PRIVATE_KEY.splitlines()[1:-1])
    broken = {
        "text": "not a key",
        "of which only the inside came": inside,
        "without its beginning": PRIVATE_KEY.partition("\n")[2],
        "without its end": PRIVATE_KEY.partition("-----END")[0],
        "cut": PRIVATE_KEY[:200] + PRIVATE_KEY[400:],
        "in other letters": PRIVATE_KEY.replace("A", "\N{CYRILLIC CAPITAL LETTER A}"),
        "public": _public(),
        "empty inside": "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        "of random bytes": f"-----BEGIN PRIVATE KEY-----\n{base64.b64encode(bytes(300)).decode()}\n-----END PRIVATE KEY-----",
        "called a certificate": PRIVATE_KEY.replace("PRIVATE KEY", "CERTIFICATE"),
    }
    found = {
        name: Bad(changed(private_key=text), f"`private_key` isn’t a private key in PEM form. {_WHOLE}")
        for name, text in broken.items()
    }
    found["encrypted"] = Bad(changed(private_key=_encrypted()), f"`private_key` is protected by a passphrase. {_WHOLE}")
    for name, text in {"elliptic": _elliptic(), "Edwards": _edwards()}.items():
        found[name] = Bad(changed(private_key=text), f"`private_key` isn’t an RSA key. {_NEW_KEY} and paste its JSON.")
    found["damaged"] = Bad(changed(private_key=_of_other_numbers()), f"`private_key` is damaged. {_WHOLE}")
    for bits in (512, 1024, 8192, 16384):
        found[f"of {bits} bits"] = Bad(
            changed(private_key=_of_bits(bits)), f"`private_key` must have 2048 to 4096 bits. {_NEW_KEY}."
        )
    return found


def _traditional() -> str:
    return _key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def same() -> dict[str, str]:
    """Pastes that are the good one written down differently, by name."""
    return {
        "as Google writes it": GOOD,
        "on one line": json.dumps(FIELDS),
        "in another order": json.dumps(dict(reversed(FIELDS.items()))),
        "with blanks around": f"\n\t  {GOOD}\r\n ",
        "with Windows line ends": GOOD.replace("\n", "\r\n"),
        "with a byte order mark": f"\ufeff{GOOD}",
        "with the former token address": changed(token_uri="https://accounts.google.com/o/oauth2/token"),
        "from before universes": without("universe_domain"),
        "without what only informs": json.dumps({name: FIELDS[name] for name in REQUIRED}),
        "with more than Google writes": changed(
            quota_project_id="other", trust_boundary={"a": 1}, more=[1, 2.5, None, True]
        ),
        "with addresses that nobody may follow": changed(
            auth_uri="http://127.0.0.1:1/", client_x509_cert_url="file:///etc/passwd", auth_provider_x509_cert_url=7
        ),
        "PEM with escaped line ends": changed(private_key=PRIVATE_KEY.replace("\n", "\\n")),
        "PEM with escaped Windows line ends": changed(private_key=PRIVATE_KEY.replace("\n", "\\r\\n")),
        "PEM with Windows line ends": changed(private_key=PRIVATE_KEY.replace("\n", "\r\n")),
        "PEM with blanks as line ends": changed(private_key=PRIVATE_KEY.replace("\n", " ")),
        "PEM with blanks around": changed(private_key=f"  \n{PRIVATE_KEY}\n\n"),
        "PEM in the traditional form": changed(private_key=_traditional()),
        "PEM behind other text": changed(private_key=f"Bag Attributes\n{PRIVATE_KEY}"),
    }
