"""Draws what the command line prints as pictures for the pages: from the golden files, which tests compare with its real output.

`--check` fails when a picture is not what would be drawn.
"""

import sys
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "cli"
PICTURES = ROOT / "docs" / "pictures"
SCREENS = {
    "preflight-failed": "sealcluster preflight",
    "plan-new": "sealcluster plan -f cluster.yaml",
    "status-ready": "sealcluster status",
    "status-sick": "sealcluster status",
}
"""Golden file to the command whose output it is."""

ADVANCE, LINE, MARGIN, BAR, SIZE = 7.8, 18, 16, 34, 13
TEXT, DIM, GOOD, BAD, NEW = "#d8dee9", "#8f9aab", "#8fce8f", "#ff8b7f", "#8ec7ff"


def colour(line: str) -> str:
    """As a person would mark it."""
    words = line.split()
    if "FAILED" in line or words[:1] == ["!"]:
        return BAD
    if words[:1] == ["✓"]:
        return GOOD
    if words[:1] == ["+"]:
        return NEW
    return DIM if line.startswith(("HOST ", "further ")) else TEXT


def draw(command: str, text: str) -> str:
    """A window with a prompt and the output below it; every line has its exact width, whatever font is there."""
    lines = text.replace("TIME", "2026-01-31T12:00:00Z").rstrip().splitlines()
    shown = [(f"$ {command}", TEXT), *((line, colour(line)) for line in lines)]
    width = max(len(line) for line, _ in shown) * ADVANCE + 2 * MARGIN
    height = len(shown) * LINE + BAR + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img" aria-label="{escape(command)}">',
        f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#1e232b"/>',
        *(f'<circle cx="{18 + 18 * at}" cy="16" r="5.5" fill="{fill}"/>' for at, fill in enumerate(("#ff5f57", "#febc2e", "#28c840"))),
        f'<g font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="{SIZE}" xml:space="preserve">',
    ]
    for number, (line, fill) in enumerate(shown):
        body = line.rstrip()
        if body:
            indent = len(body) - len(body.lstrip())
            at = f'x="{MARGIN + indent * ADVANCE:.1f}" y="{BAR + LINE * number + SIZE}" textLength="{len(body.strip()) * ADVANCE:.1f}"'
            parts.append(f'<text {at} lengthAdjust="spacingAndGlyphs" fill="{fill}">{escape(body.strip()).replace(" ", "&#160;")}</text>')
    return "\n".join([*parts, "</g>", "</svg>", ""])


def main() -> int:
    """Write, or compare."""
    stale = []
    for name, command in SCREENS.items():
        picture, wanted = PICTURES / f"{name}.svg", draw(command, (GOLDEN / f"{name}.txt").read_text())
        if not picture.exists() or picture.read_text() != wanted:
            stale.append((picture, wanted))
    if "--check" in sys.argv[1:]:
        for picture, _ in stale:
            print(f"{picture.relative_to(ROOT)} does not show what the command prints: run make docs", file=sys.stderr)
        return 1 if stale else 0
    for picture, wanted in stale:
        picture.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
