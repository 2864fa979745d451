from dataclasses import dataclass, field

from providerkeys.providers.base import Credential


@dataclass(frozen=True, slots=True)
class Row:
    """One credential of a check: typed (``credential``), or stored in ``record`` at ``version``.

    ``fingerprint`` stands for its bytes; ``label`` names it where a check has several (a region).
    """

    fingerprint: str
    label: str = ""
    record: str = ""
    version: int = 0
    credential: Credential | None = field(default=None, repr=False)
