"""RSA keys that grow out of a word, the same in every process: whoever knows the word knows the key, so none is written
down and none has to be told. Good for nothing but tests.
"""

import math
import random
from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

_EXPONENT = 65537
_SMALL = math.prod(
    number for number in range(3, 2000, 2) if all(number % odd for odd in range(3, 45, 2) if odd < number)
)


@cache
def private_key(word: str, bits: int = 2048) -> RSAPrivateKey:
    """The key of ``word``. Finding its primes takes a moment, a tenth of a second for most words."""
    numbers = random.Random(f"{word} {bits}")
    p, q = _prime(numbers, bits // 2), _prime(numbers, bits // 2)
    d = pow(_EXPONENT, -1, math.lcm(p - 1, q - 1))
    public = RSAPublicNumbers(_EXPONENT, p * q)
    private = RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    return private.private_key(unsafe_skip_rsa_key_validation=True)


def pem(key: RSAPrivateKey) -> str:
    """The key as Google writes it: PKCS #8, unencrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def numbers_in(der: bytes) -> list[tuple[int, int]]:
    """Where in an encoded key (PKCS #8) its large numbers stand, as start and end: modulus, exponent, primes and the rest."""
    key = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, RSAPrivateKey)
    private = key.private_numbers()
    large = (private.public_numbers.n, private.d, private.p, private.q, private.dmp1, private.dmq1, private.iqmp)
    encoded = [number.to_bytes((number.bit_length() + 7) // 8, "big") for number in large]
    return [(at, at + len(number)) for number in encoded for at in [der.index(number)]]


def _prime(numbers: random.Random, bits: int) -> int:
    while True:
        # The two highest bits are set, so that the product of two such primes has all its bits.
        candidate = numbers.getrandbits(bits) | (3 << (bits - 2)) | 1
        if math.gcd(candidate, _SMALL) == 1 and candidate % _EXPONENT != 1 and _is_prime(candidate):
            return candidate


def _is_prime(number: int) -> bool:
    """OpenSSL says it of each factor of a key that is to be checked, in a fifth of the time of Python's ``pow``."""
    d = pow(_EXPONENT, -1, number - 1)
    public = RSAPublicNumbers(_EXPONENT, 3 * number)
    private = RSAPrivateNumbers(number, 3, d, d, d % 2, pow(3, -1, number), public)
    try:
        private.private_key()
    except ValueError:
        return False
    return True
