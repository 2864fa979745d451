"""An RSA private key in PEM, as people paste it: checked, and written down in one way."""

from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from providerkeys.providers.refusals import Refused

_LEAST_BITS: Final = 2048
_MOST_BITS: Final = 4096
_AS_GOOGLE_MADE_IT: Final = "Paste the whole JSON file as Google made it."


def normalized(name: str, pasted: str) -> str:
    """``pasted`` as PKCS #8 with plain line ends: equal for equal keys.

    Raises ``Refused``, which names the field ``name``, unless it is an unencrypted RSA key of 2048 to 4096 bits.
    """
    key = load(name, _with_line_ends(pasted))
    if not _LEAST_BITS <= key.key_size <= _MOST_BITS:
        raise Refused(f"`{name}` must have 2048 to 4096 bits. Create a new key for the service account.")
    if not _belong_together(key):
        raise Refused(f"`{name}` is damaged. {_AS_GOOGLE_MADE_IT}")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def load(name: str, pem: str) -> RSAPrivateKey:
    """The RSA key in ``pem``, its numbers unchecked. Raises ``Refused``, which names the field ``name``."""
    try:
        # OpenSSL's own check takes 40 ms for a usual key, seconds for one far too large (measured): see ``_belong_together``.
        key = load_pem_private_key(pem.encode("ascii"), None, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        sentence = f"`{name}` is protected by a passphrase. {_AS_GOOGLE_MADE_IT}"
    except (ValueError, UnsupportedAlgorithm):
        sentence = f"`{name}` isn’t a private key in PEM form. {_AS_GOOGLE_MADE_IT}"
    else:
        if isinstance(key, RSAPrivateKey):
            return key
        sentence = f"`{name}` isn’t an RSA key. Create a new key for the service account and paste its JSON."
    # Raised outside the handler: what the library says may hold a part of the key.
    raise Refused(sentence)


def _with_line_ends(pasted: str) -> str:
    """Line ends as they were before some program escaped them."""
    text = pasted.replace("\r\n", "\n").strip()
    return text if "\n" in text else text.replace("\\r", "").replace("\\n", "\n")


def _belong_together(key: RSAPrivateKey) -> bool:
    """Whether its numbers are those of one key: a damaged one would sign what nobody accepts."""
    numbers = key.private_numbers()
    p, q, d, public = numbers.p, numbers.q, numbers.d, numbers.public_numbers
    return (
        p * q == public.n
        and all(d * public.e % (prime - 1) == 1 for prime in (p, q))
        and (numbers.dmp1, numbers.dmq1) == (d % (p - 1), d % (q - 1))
        and numbers.iqmp * q % p == 1
    )
