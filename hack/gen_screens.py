"""Draws recordings of a terminal (`hack/demo/recordings`, made by `make screens`) as pictures for the pages.

`--check` fails when a picture is not what would be drawn.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parent.parent
RECORDINGS = ROOT / "hack" / "demo" / "recordings"
PICTURES = ROOT / "docs" / "pictures"
SCREENS = {
    "preflight-failed": "",
    "plan-new": "",
    "get-working": "",
    "status-working": "conditions",
    "status-ready": "",
    "status-sick": "",
}
"""Recording to the line before which its picture ends: a page need not show all of it."""

ADVANCE, LINE, MARGIN, BAR, SIZE = 7.8, 18, 16, 34, 13
TEXT = "#d8dee9"
COLOURS = {"31": "#ff8b7f", "32": "#8fce8f", "33": "#e6c07b", "36": "#8ec7ff", "2": "#8f9aab"}
"""Terminal colours (SGR parameters) to those of the picture."""
SGR = re.compile(r"\x1b\[([0-9;]*)m")


@dataclass(frozen=True)
class Piece:
    """Text of one colour in a line; `at` is its first column."""

    at: int
    text: str
    fill: str = TEXT
    bold: bool = False


def pieces(line: str) -> list[Piece]:
    """A recorded line; blanks at the ends of a piece are left out, for they are not seen."""
    found: list[Piece] = []
    column, fill, bold = 0, TEXT, False
    for number, part in enumerate(SGR.split(line)):
        if number % 2:
            parameters = part.split(";")
            unknown = [p for p in parameters if p not in ("", "0", "1", *COLOURS)]
            if unknown:
                raise ValueError(f"drawing {line!r}: no colour for {', '.join(unknown)}; add it to COLOURS")
            if parameters[0] in ("", "0"):
                fill, bold = TEXT, False
            fill = next((COLOURS[p] for p in parameters if p in COLOURS), fill)
            bold = bold or "1" in parameters
        else:
            body = part.strip()
            if body:
                found.append(Piece(column + len(part) - len(part.lstrip()), body, fill, bold))
            column += len(part)
    return found


def draw(recording: str, until: str = "") -> str:
    """A window with the command and the output below it; every piece has its exact width, whatever font is there."""
    lines = recording.rstrip("\n").split("\n")
    ends = next((n for n, line in enumerate(lines) if until and SGR.sub("", line) == until), None)
    shown = [pieces(line) for line in (lines if ends is None else [*lines[:ends], "\x1b[2m…\x1b[0m"])]
    width = max(piece.at + len(piece.text) for line in shown for piece in line) * ADVANCE + 2 * MARGIN
    height = len(shown) * LINE + BAR + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img" aria-label="{escape(lines[0])}">',
        f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#1e232b"/>',
        *(f'<circle cx="{18 + 18 * at}" cy="16" r="5.5" fill="{fill}"/>' for at, fill in enumerate(("#ff5f57", "#febc2e", "#28c840"))),
        f'<g font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="{SIZE}" xml:space="preserve">',
    ]
    for number, line in enumerate(shown):
        for piece in line:
            at = f'x="{MARGIN + piece.at * ADVANCE:.1f}" y="{BAR + LINE * number + SIZE}" textLength="{len(piece.text) * ADVANCE:.1f}"'
            weight = ' font-weight="bold"' if piece.bold else ""
            body = escape(piece.text).replace(" ", "&#160;")
            parts.append(f'<text {at} lengthAdjust="spacingAndGlyphs" fill="{piece.fill}"{weight}>{body}</text>')
    return "\n".join([*parts, "</g>", "</svg>", ""])


def main() -> int:
    """Write, or compare."""
    stale = []
    for name, until in SCREENS.items():
        picture, wanted = PICTURES / f"{name}.svg", draw((RECORDINGS / f"{name}.txt").read_text(), until)
        if not picture.exists() or picture.read_text() != wanted:
            stale.append((picture, wanted))
    if "--check" in sys.argv[1:]:
        for picture, _ in stale:
            print(f"{picture.relative_to(ROOT)} is not what was recorded: run make docs", file=sys.stderr)
        return 1 if stale else 0
    for picture, wanted in stale:
        picture.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
