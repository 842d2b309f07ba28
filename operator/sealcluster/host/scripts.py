"""The POSIX shell scripts that ship with the package, and how they get their values."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

from sealcluster.ssh.command import quote

Value = str | int | bool | Sequence[str]
"""A sequence becomes lines; True becomes 1 and False empty."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@cache
def load(name: str) -> str:
    """The text of `scripts/<name>.sh` without the comments that stand alone on a line (they would travel with every command)."""
    text = resources.files("sealcluster.host").joinpath("scripts", f"{name}.sh").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("# "))


def assign(values: Mapping[str, Value]) -> str:
    """Shell assignments, quoted."""
    return "\n".join(f"{_name(name)}={quote(_text(name, value))}" for name, value in values.items())


def exports(values: Mapping[str, str]) -> str:
    """Shell exports, quoted, in a stable order. Names that no shell can export (an image's ENV may hold any) are left out."""
    return "".join(f"export {name}={quote(value)}\n" for name, value in sorted(values.items()) if _NAME.fullmatch(name))


def assemble(values: Mapping[str, Value], *names: str) -> str:
    """One script: the values, then the named files in order."""
    return "\n".join([assign(values), *(load(name) for name in names)]) + "\n"


def nonce() -> str:
    """A word that no output can foresee."""
    return secrets.token_hex(6)


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"setting a shell variable: {name!r} is not a name")
    return name


def _text(name: str, value: Value) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return value
    if any("\n" in item for item in value):
        raise ValueError(f"setting shell variable {name}: an item of a list holds a line break")
    return "\n".join(value)
