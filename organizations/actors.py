"""Who does something, as the audit trail remembers it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from organizations.models import User

type ActorKind = Literal["user", "staff", "system"]


@dataclass(frozen=True)
class Actor:
    """Text only, so that it outlives the user it names. `ip` is empty where nobody is at the other end."""

    id: str
    label: str
    kind: ActorKind
    ip: str = ""

    @classmethod
    def member(cls, user: "User", ip: str = "") -> "Actor":
        """Return the actor of somebody who acts in the console for their organization."""
        return cls(id=user.pk, label=user.label, kind="user", ip=ip)

    @classmethod
    def staff(cls, user: "User", ip: str = "") -> "Actor":
        """Return the actor of somebody who acts in Django admin; customers see "Support"."""
        return cls(id=user.pk, label=user.label, kind="staff", ip=ip)

    @classmethod
    def system(cls, label: str) -> "Actor":
        """Return the actor of a command or a task: `label` names it."""
        return cls(id="", label=label, kind="system")
