"""Certificates as a server may show them: right, and wrong in each way that a client must not accept."""

import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.utils import timezone

HOST: Final = "localhost"
_DAY: Final = timedelta(days=1)
_SIGNS_CERTIFICATES: Final = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


class Party:
    """Somebody with a name and a key."""

    def __init__(self, name: str) -> None:
        self.key, self.common_name = ec.generate_private_key(ec.SECP256R1()), name
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def certify(self, other: "Party", start: timedelta = -_DAY, end: timedelta = _DAY) -> x509.Certificate:
        """A certificate for ``other``, valid from ``start`` to ``end``, both from now; strict enough for any client."""
        now, is_own = timezone.now(), other is self
        issuer = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        builder = (
            x509.CertificateBuilder(self.name, other.name, other.key.public_key(), x509.random_serial_number())
            .not_valid_before(now + start)
            .not_valid_after(now + end)
            .add_extension(x509.BasicConstraints(ca=is_own, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(other.key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(other.common_name)]), critical=False)
        )
        if is_own:
            builder = builder.add_extension(_SIGNS_CERTIFICATES, critical=True)
        return builder.sign(self.key, hashes.SHA256())


class Authority(Party):
    """Whoever signs certificates; ``file`` is what a client that trusts it is given."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self.folder, self.file = folder, folder / f"{name}.pem"
        self.file.write_bytes(self.certify(self).public_bytes(Encoding.PEM))

    def context(self, host: str = HOST, start: timedelta = -_DAY, end: timedelta = _DAY) -> ssl.SSLContext:
        """A server's, with a certificate for ``host``."""
        server = Party(host)
        return _context(self.folder / f"{host}.chain", self.certify(server, start, end), server)


def self_signed(folder: Path) -> ssl.SSLContext:
    server = Party(HOST)
    return _context(folder / "self.chain", server.certify(server), server)


def of_yesterday(context: ssl.SSLContext) -> ssl.SSLContext:
    """The same server, speaking TLS 1.1 and no other version."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


WRONG: Final[dict[str, Callable[[Authority, Authority], ssl.SSLContext]]] = {
    "expired": lambda trusted, _: trusted.context(start=-2 * _DAY, end=-_DAY),
    "not valid yet": lambda trusted, _: trusted.context(start=_DAY, end=2 * _DAY),
    "self-signed": lambda trusted, _: self_signed(trusted.folder),
    "of an unknown authority": lambda _, unknown: unknown.context(),
    "for another host": lambda trusted, _: trusted.context("evil.example"),
    "over TLS 1.1": lambda trusted, _: of_yesterday(trusted.context()),
}


def _context(file: Path, certificate: x509.Certificate, server: Party) -> ssl.SSLContext:
    private = server.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
