"""Where the walk takes place: a running product, its fake providers, and what was kept of all that was said."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

from redis import Redis

from tests.fakeproviders import providers, samples
from tests.fakeproviders.client import FakeProviders
from tests.fakeproviders.service_accounts import ServiceAccountShape, token_seed
from tests.fakeproviders.shape import API_KEY
from tests.product import Product
from tests.trust.canary import Canary
from tests.trust.faults.layers import fault_file
from tests.trust.walk.operator import Operator
from tests.trust.walk.tap import Tap
from tests.trust.walk.visitor import Record, Visitor

ALICE: Final = "alice@acme.example"
SAM: Final = "sam@support.example"
SECRETS_FILE: Final = "secrets.env"
PYTHON_PROCESSES: Final = ("supervisor", "web", "worker", "beat")
TOKEN: Final = "access token"
_ENVIRONMENT: Final = {
    "DJANGO_SETTINGS_MODULE": "tests.trust.faults.settings",
    "BYOK_ORGANIZATION": "Acme",
    "BYOK_ADMIN_EMAIL": ALICE,
    "BYOK_STAFF_EMAIL": SAM,
    "CHECKS_PER_MINUTE": "1000",
    "CHECKS_UNFINISHED": "500",
    "LOGIN_FAILURES": "3",
}


# Where a field goes that is no key of its own; what is not here never leaves, it only signs.
_ON_ITS_WAY: Final[Mapping[str, tuple[str, ...]]] = {
    "private_key_id": ("assertion of google_oauth",),
    TOKEN: ("authorization of google_vertex_ai",),
    "access_key_id": ("authorization of aws_sts", "authorization of bedrock"),
}


def own_places(provider: str, field: str) -> tuple[str, ...]:
    """The places where a provider receives this field of its own credentials."""
    if field != API_KEY:
        return _ON_ITS_WAY.get(field, ())
    (service,) = providers.get(provider).services
    return (f"{service.auth_header} of {service.name}",)


@dataclass(frozen=True)
class Typed:
    """A credential as people type it, with a canary for each of its fields."""

    provider: str
    value: str = field(repr=False)
    fields: Mapping[str, Canary]

    @property
    def arrives(self) -> str:
        """What the stand-in that is asked first knows it by."""
        return providers.get(self.provider).shape.arrives(self.value)


def _token(name: str, provider: str, value: str) -> dict[str, Canary]:
    """What all access tokens for a service account have in common."""
    if provider != "google_vertex_ai":
        return {}
    seed = token_seed(providers.get(provider).shape.arrives(value))
    return {TOKEN: Canary.whole(f"{TOKEN} for {name}", seed)}


class Secrets:
    """The canaries of a walk, and the few places where one may be."""

    def __init__(self) -> None:
        self.canaries: list[Canary] = []
        self.allowed: set[tuple[str, str]] = set()
        self.planted: set[str] = set()
        """Of those that a planted defect gives away."""

    def add(self, canary: Canary) -> Canary:
        self.canaries.append(canary)
        return canary

    def key(self, provider: str, scenario: str, what: str, *, refused: bool = False) -> Canary:
        """An API key, random to the last character. Its provider may see it, unless we are to refuse it."""
        return self.credential(provider, scenario, what, refused=refused).fields[API_KEY]

    def credential(self, provider: str, scenario: str, what: str, *, refused: bool = False) -> Typed:
        """A credential of any kind. Its provider may see what is meant to arrive there, unless we are to refuse it."""
        value = samples.fresh_key(provider, scenario)
        name = f"{provider} key {len(self.canaries)} ({scenario}): {what}"
        fields = Canary.fields(name, provider, value)
        for part, canary in {**fields, **_token(name, provider, value)}.items():
            self._expect(canary, () if refused else own_places(provider, part))
        return Typed(provider, value, fields)

    def renamed(self, account: Typed, scenario: str, what: str) -> Typed:
        """Another service account that gets another answer, with the key of ``account``: its tokens alone are new."""
        shape = providers.get(account.provider).shape
        assert isinstance(shape, ServiceAccountShape)
        value = shape.renamed(account.value, scenario)
        token = _token(f"{account.provider} key {len(self.canaries)} ({scenario}): {what}", account.provider, value)
        for part, canary in token.items():
            self._expect(canary, own_places(account.provider, part))
        return Typed(account.provider, value, account.fields)

    def _expect(self, canary: Canary, places: Iterable[str]) -> None:
        self.add(canary)
        for place in places:
            self.allow(canary, place)

    def password(self, what: str) -> Canary:
        return self.add(Canary.password(f"password {len(self.canaries)}: {what}"))

    def add_server_keys(self, product: Product) -> None:
        """Our own two keys, wherever this product has them from."""
        file = product.data_dir / SECRETS_FILE
        stored = dict(line.split("=", 1) for line in file.read_text().splitlines()) if file.exists() else {}
        keys = {**stored, **product.environment}
        self.add(Canary.whole("SECRET_KEY", keys["SECRET_KEY"]))
        self.add(Canary.fernet_key("CREDENTIAL_KEYS", keys["CREDENTIAL_KEYS"]))
        for place in (SECRETS_FILE, *(f"environ of {name}" for name in PYTHON_PROCESSES)):
            for canary in self.canaries[-2:]:
                self.allow(canary, place)

    def allow(self, canary: Canary, place: str) -> None:
        self.allowed.add((canary.name, place))


@dataclass(frozen=True)
class Snapshot:
    """What a browser holds at one moment of the walk."""

    place: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Scene:
    """A product that somebody walks through. ``temporary`` is the folder for its temporary files, and no other's."""

    product: Product
    fakes: FakeProviders
    tap: Tap
    temporary: Path
    secrets: Secrets
    passwords: dict[str, Canary]
    operator: Operator
    started: float = field(default_factory=time.time)
    record: Record = field(default_factory=Record)
    snapshots: list[Snapshot] = field(default_factory=list)
    outputs: dict[str, bytes] = field(default_factory=dict)
    forced: dict[str, list[int]] = field(default_factory=dict)
    """Each layer that was made to fail, and the statuses of the answers meanwhile."""
    deleted: list[Canary] = field(default_factory=list)
    """The ciphertext of what was deleted."""
    before_deletion: list[bytes] = field(default_factory=list)

    @classmethod
    @contextmanager
    def open(cls, **environment: str) -> Iterator[Self]:
        """A fresh product, for the length of a ``with`` block."""
        with TemporaryDirectory(prefix="can-") as folder, FakeProviders.start() as fakes:
            data, temporary = (Path(folder) / name for name in ("data", "tmp"))
            temporary.mkdir()
            secrets = Secrets()
            passwords = {email: secrets.password(f"of {email}") for email in (ALICE, SAM)}
            for password in passwords.values():
                secrets.allow(password, "environ of supervisor")
            given = {
                **_ENVIRONMENT,
                "TMPDIR": str(temporary),
                "BYOK_ADMIN_PASSWORD": passwords[ALICE].value,
                "BYOK_STAFF_PASSWORD": passwords[SAM].value,
                **environment,
            }
            with Product.start_in(data, fakes, **given) as product, Tap.on(_broker_socket(product)) as tap:
                secrets.add_server_keys(product)
                with Operator.arrive(product.environment) as operator:
                    yield cls(product, fakes, tap, temporary, secrets, passwords, operator)

    def visitor(self, name: str) -> Visitor:
        return Visitor(self.product.base_url, self.record, name)

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What the product's database says."""
        with closing(self.database()) as connection:
            return connection.execute(sql, parameters).fetchall()

    def one(self, sql: str, *parameters: Any) -> Any:
        ((value,),) = self.rows(sql, *parameters)
        return value

    def tables(self) -> bytes:
        """Every row of every table, as SQL."""
        with closing(self.database()) as connection:
            return "\n".join(connection.iterdump()).encode("utf-8", "surrogateescape")

    @contextmanager
    def broker(self) -> Iterator[Redis]:
        """The embedded broker."""
        with closing(Redis(unix_socket_path=_broker_socket(self.product))) as client:
            yield client

    def database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.product.data_dir / "db.sqlite3", timeout=10)

    @contextmanager
    def failing(self, layer: str) -> Iterator[list[int]]:
        """Every process fails at ``layer`` meanwhile; what is appended to the list is kept."""
        file = fault_file(self.product.data_dir)
        file.write_text(layer)
        try:
            yield self.forced.setdefault(layer, [])
        finally:
            file.unlink()


def _broker_socket(product: Product) -> str:
    return (product.data_dir / "run" / "broker.url").read_text().strip().removeprefix("redis+socket://")
