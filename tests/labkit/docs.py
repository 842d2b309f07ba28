"""What our pages and examples show: fenced blocks, commands and YAML documents, each with the place where it stands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from labkit.manifests import ROOT

PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md")])
EXAMPLES = sorted((ROOT / "examples").rglob("*.yaml"))
_FENCE = re.compile(r"^([ ]*)```(\w*)[^\n]*\n(.*?)^\1```[ ]*$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:sealcluster|kubectl seal) [^`]+)`")
_PLACEHOLDER = re.compile(r"…|\b[A-Z]{3,}(?:[-=][A-Z-]+)?\b")
PROGRAMS = (("sealcluster",), ("kubectl", "seal"))


@dataclass(frozen=True)
class Block:
    """A fenced block of one page."""

    where: str
    """Page and line."""
    language: str
    text: str


@dataclass(frozen=True)
class Shown:
    """A command of ours that a page shows."""

    where: str
    words: tuple[str, ...]
    """What follows the name of the program."""
    whole: bool = True
    """False in running text, which may name a command without all that it needs."""


def place(path: Path, text: str, at: int) -> str:
    """`docs/cli.md:12`."""
    return f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, at) + 1}"


def blocks(path: Path) -> list[Block]:
    """Fenced blocks of a page, without their indentation."""
    text = path.read_text()
    found = []
    for match in _FENCE.finditer(text):
        indent = len(match[1])
        body = "\n".join(line[indent:] for line in match[3].splitlines())
        found.append(Block(place(path, text, match.start()), match[2], body + "\n"))
    return found


def documents(where: str, text: str) -> list[tuple[str, Any]]:
    """YAML documents with their place."""
    return [(where, document) for document in yaml.safe_load_all(text) if document is not None]


def shown_yaml() -> list[tuple[str, Any]]:
    """Every YAML document of every page and example."""
    found = [
        item for page in PAGES for block in blocks(page) if block.language in ("yaml", "yml") for item in documents(block.where, block.text)
    ]
    return found + [item for path in EXAMPLES for item in documents(str(path.relative_to(ROOT)), path.read_text())]


def shown_commands() -> list[Shown]:
    """Every command line of ours in shell blocks, and those in running text that hold no placeholder."""
    found = []
    for page in PAGES:
        for block in blocks(page):
            if block.language in ("sh", "bash", "console", "shell"):
                found += [Shown(block.where, words) for words in _ours(block.text)]
        text = page.read_text()
        for match in _INLINE.finditer(text):
            if not _PLACEHOLDER.search(match[1]):
                found += [Shown(place(page, text, match.start()), words, whole=False) for words in _ours(match[1])]
    return found


def _ours(text: str) -> Iterator[tuple[str, ...]]:
    """Commands of ours in a piece of shell: continued lines joined, redirections and what they are piped into left out."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="|&;<>()")
        lexer.whitespace_split = True
        command: list[str] = []
        for word in [*lexer, ";"]:
            if word and set(word) <= set("|&;<>()"):
                words = [w for w in command if not re.fullmatch(r"[A-Z_]+=.*", w)] if command[:1] and "=" in command[0] else command
                for program in PROGRAMS:
                    name = words[: len(program)]
                    if [Path(part).name for part in name] == list(program):
                        yield tuple(words[len(program) :])
                command = []
            else:
                command.append(word)
