"""What a machine prints, as text that can be shown: no escape sequence of it reaches a terminal, a log or a status."""

from __future__ import annotations

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
_DIRECTION = {code: f"\\u{code:04x}" for code in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""Marks that turn the direction of writing, and separators that some take for line ends: a line would not read as what it is."""
_TABLE = _CONTROL | _DIRECTION


def plain(content: bytes) -> str:
    """Text, whatever bytes they are; of control characters only line breaks and tabs are left, the others are spelt out."""
    return content.decode(errors="backslashreplace").replace("\r\n", "\n").translate(_TABLE)
