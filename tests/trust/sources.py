"""The project's own sources, read by cases that look for what no module may do."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import providerkeys

ROOT: Final = Path(providerkeys.__file__).parent.parent


@cache
def sources() -> dict[str, ast.Module]:
    """The project's own modules by path, tests aside."""
    packages = [folder.parent for folder in ROOT.glob("*/__init__.py") if folder.parent.name != "tests"]
    files = [*ROOT.glob("*.py"), *(file for package in packages for file in package.rglob("*.py"))]
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in files}


@cache
def names(tree: ast.AST) -> tuple[str, ...]:
    """Every name that a module uses, imports or spells in a text, as ``getattr`` and ``import_module`` take it."""
    return tuple(_names(tree))


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                yield name
            case ast.Import(names=imported):
                yield from (one.name for one in imported)
            case ast.ImportFrom(module=str(module), names=imported):
                for one in imported:
                    yield from (one.name, f"{module}.{one.name}")
