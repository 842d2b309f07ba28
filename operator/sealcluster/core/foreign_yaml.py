"""YAML that somebody else wrote: read within bounds.

A few hundred bytes of aliases or merge keys (``<<``) stand for gigabytes once they are written out, and whoever walks over the values
walks over all of it. So the nodes are composed first, what they would become is counted, and only then are values made of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

LARGEST = 512 << 10
"""What a text may become, in characters of its scalars and `PER_NODE` for each node. A manifest of 256 KiB is some three fifths of it."""
PER_NODE = 16
DEEPEST = 100
"""Levels. Whoever writes or walks what was read spends a few of Python's thousand frames on each."""
LONGEST_NUMBER = 100
"""Characters. Reading a number takes longer than its text is long, and Python refuses to print one of thousands of digits."""

_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class TooMuch(yaml.MarkedYAMLError):
    """YAML that is none for us: `problem` says why, `problem_mark` where."""

    def __init__(self, problem: str, mark: yaml.Mark | None) -> None:
        super().__init__(problem=problem, problem_mark=mark)


UNREADABLE = (yaml.YAMLError, ValueError, RecursionError)
"""What reading may raise: dates and numbers that are none are ValueErrors."""


def compose(text: str, largest: int = LARGEST) -> Iterator[yaml.Node]:
    """The documents of a stream as nodes, one after another; TooMuch when they would become larger than `largest`, all together."""
    for node, _ in _composed(text, largest):
        yield node


def load(text: str, largest: int = LARGEST) -> list[Any]:
    """The documents of a stream as values; raises what `UNREADABLE` lists."""
    return [loader.construct_document(node) for node, loader in _composed(text, largest)]


def complaint(error: Exception) -> str:
    """What is wrong, for a message that names the text: quotes nothing of it."""
    mark = getattr(error, "problem_mark", None)
    at = f" in line {mark.line + 1}" if mark else ""
    return f"{error.problem}{at}" if isinstance(error, TooMuch) else f"is not YAML{at}"


def _composed(text: str, largest: int) -> Iterator[tuple[yaml.Node, _Loader]]:
    if len(text) > largest:
        raise TooMuch(f"is longer than {largest >> 10} KiB", None)
    loader = _Loader(text, largest)
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None
            loader.left -= _Weighing(loader.left).weigh(node)[0]
            yield node, loader
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """Stops as soon as the nodes alone are too many or too deep: composing is the slowest part of it."""

    def __init__(self, text: str, left: int) -> None:
        super().__init__(text)
        self.left = left
        self._nodes = left // PER_NODE
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """One node and what is below it."""
        self._nodes -= 1
        self._depth += 1
        if self._nodes < 0:
            raise TooMuch("holds more than it may", parent.start_mark if parent else None)
        if self._depth > DEEPEST:
            raise TooMuch("is nested too deeply", parent.start_mark if parent else None)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Weighing:
    """Sizes and depths of one document's nodes with every alias written out; each node is looked at once."""

    def __init__(self, left: int) -> None:
        self._left = left
        self._known: dict[int, tuple[int, int] | None] = {}
        """By identity; None while we are inside of it."""

    def weigh(self, node: yaml.Node) -> tuple[int, int]:
        """(size, levels) of the node. A merge key adds what it merges, so it weighs as much as the aliases that it names."""
        if id(node) in self._known:
            known = self._known[id(node)]
            if known is None:
                raise TooMuch("refers to itself", node.start_mark)
            return known
        self._known[id(node)] = None
        size, levels = PER_NODE, 1
        if isinstance(node, yaml.ScalarNode):
            size += len(node.value)
            if node.tag in _NUMBERS and len(node.value) > LONGEST_NUMBER:
                raise TooMuch("holds a number that is too long", node.start_mark)
        else:
            for child in _children(node):
                more, deep = self.weigh(child)
                size, levels = size + more, max(levels, deep + 1)
        if size > self._left:
            raise TooMuch("grows to more than it may when its aliases are written out", node.start_mark)
        if levels > DEEPEST:
            raise TooMuch("is nested too deeply", node.start_mark)
        self._known[id(node)] = size, levels
        return size, levels


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    """In the order of the text, so that what an alias names was weighed before."""
    for entry in node.value:
        if isinstance(node, yaml.MappingNode):
            yield from entry
        else:
            yield entry
