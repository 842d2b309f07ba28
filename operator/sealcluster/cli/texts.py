"""Texts that options name: a file, or standard input for `-`."""

from __future__ import annotations

import sys
from pathlib import Path

from sealcluster.core.errors import TerminalError


def source_of(path: Path) -> str:
    """What a person calls it."""
    return "standard input" if str(path) == "-" else str(path)


def read(path: Path, what: str = "") -> str:
    """The text. `what` it is for, where the name of the file does not tell; TerminalError for what is no text, OSError for no file."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.expanduser().read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise TerminalError(f"reading {f'{what} from ' if what else ''}{source_of(path)}: it is not text", reason="InvalidSpec") from None


def read_some(path: Path, what: str) -> str:
    """The same, where an empty text can only be a mistake: an empty file, or standard input that another option has read already."""
    text = read(path, what)
    if not text.strip():
        raise TerminalError(
            f"reading {what} from {source_of(path)}: it is empty",
            reason="InvalidSpec",
            hint="only one option can read standard input" if str(path) == "-" else "",
        )
    return text
