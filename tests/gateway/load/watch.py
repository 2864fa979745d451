"""What the gateway's process holds while it works: descriptors, memory, processor time."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Look:
    """One look at a process, after so many ``requests``."""

    requests: int
    descriptors: int
    mebibytes: float
    cpu_seconds: float
    at: float = field(default_factory=time.monotonic)


@dataclass
class Watch:
    """Looks at the process ``pid``, each ``every`` requests."""

    pid: int
    every: int
    looks: list[Look] = field(default_factory=list)

    def at(self, requests: int) -> None:
        if requests % self.every == 0:
            self.looks.append(self.look(requests))

    def look(self, requests: int) -> Look:
        folder = Path(f"/proc/{self.pid}")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        used = (folder / "stat").read_text().rpartition(")")[2].split()
        return Look(
            requests=requests,
            descriptors=len(list((folder / "fd").iterdir())),
            mebibytes=int(status["VmRSS"].split()[0]) / 1024,
            cpu_seconds=(int(used[11]) + int(used[12])) / _TICKS,
        )
