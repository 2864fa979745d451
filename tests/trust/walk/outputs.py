"""What commands print: those that dump, those that describe, our own."""

from collections.abc import Sequence
from typing import Final

from tests.trust.walk.scene import Scene

DUMP: Final = ("dumpdata",)
ALL: Final = (
    DUMP,
    ("sqlmigrate", "providerkeys", "0001"),
    ("inspectdb",),
    ("add_member", "--organization", "Acme", "--email", "erin@acme.example", "--role", "member"),
)


def collect(scene: Scene, commands: Sequence[tuple[str, ...]]) -> None:
    """Run them on the product's data, with a password on the standard input of each."""
    for command in commands:
        given = scene.secrets.password(f"on the standard input of {command[0]}").value
        output = scene.operator.run(*command, given=given)
        scene.outputs[" ".join(command)] = f"{output.code}\n".encode() + output.text
