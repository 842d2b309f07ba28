"""The parsed form of a template."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal: string, integer, boolean."""

    value: str | int | bool


@dataclass(frozen=True, slots=True)
class Nil:
    """The literal `nil`."""


@dataclass(frozen=True, slots=True)
class Field:
    """A path from the dot: `.a.b`; the empty path is the dot itself."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable with a path from it: `$x.a`; the name `$` is the root of the data."""

    name: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """The name of a function; its arguments are the rest of the command."""

    name: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A path from a parenthesised pipeline: `(…).a`; the path may be empty."""

    pipe: Pipe
    path: tuple[str, ...]


Operand = Constant | Nil | Field | Variable | Function | Chain


@dataclass(frozen=True, slots=True)
class Pipe:
    """`$x := command | command`."""

    line: int
    declares: tuple[str, ...]
    assigns: bool
    commands: tuple[tuple[Operand, ...], ...]


@dataclass(frozen=True, slots=True)
class Text:
    """What stands outside of the braces."""

    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """A pipeline whose value is printed, unless it only sets a variable."""

    pipe: Pipe


@dataclass(frozen=True, slots=True)
class Branch:
    """One arm of an if or with."""

    kind: str
    pipe: Pipe
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """if / else if / else, with / else with / else."""

    branches: tuple[Branch, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """range … else."""

    pipe: Pipe
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Jump:
    """`break` or `continue`."""

    kind: str
    line: int


Node = Text | Action | Choice | Range | Jump
