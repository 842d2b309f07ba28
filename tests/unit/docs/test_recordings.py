"""Recordings of a terminal: the screen is understood, what was recorded is still what the commands print, and tells nothing of one machine."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console

from labkit.manifests import ROOT
from sealcluster.api import ConditionType
from sealcluster.cli.paint import painted

RECORDINGS = sorted((ROOT / "hack/demo/recordings").glob("*.txt"))
SGR = re.compile(r"\x1b\[[0-9;]*m")


def load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look for their module
    spec.loader.exec_module(module)
    return module


terminal = load(ROOT / "hack/demo/terminal.py", "sealdemo_terminal")
screens = load(ROOT / "hack/gen_screens.py", "sealdemo_screens")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("one\r\ntwo\r\n", ["one", "two"]),
        ("10%\r20%\r\n", ["20%"]),
        ("\x1b[32mok\x1b[0m, \x1b[1;31mbad\x1b[0m\r\n", ["\x1b[32mok\x1b[0m, \x1b[1;31mbad\x1b[0m"]),
        ("\x1b[1m\x1b[31mboth\x1b[32mgreen\x1b[39m\x1b[22mnone", ["\x1b[1;31mboth\x1b[0m\x1b[1;32mgreen\x1b[0mnone"]),
        ("first\r\nsecond\r\n\x1b[2K\x1b[1A\x1b[2Kagain\r\n", ["first", "again"]),
        ("\x1b[?25lx\x1b[?25h", ["x"]),
        ("wide" * 6, ["widewidewidewidewide", "wide"]),
        ("abc\x1b[1K\x1b[0K", [""][:0]),
        ("\x1b[38;5;197mbar\x1b[0m", ["\x1b[38;5;197mbar\x1b[0m"]),
        ("kept\r\ngone\r\ngone\x1b[1A\r\x1b[J", ["kept"]),
    ],
)
def test_the_screen(written: str, shown: list[str]) -> None:
    for size in (len(written), 1):  # whole, and character by character: a sequence may come in pieces
        screen = terminal.Screen(20)
        for start in range(0, len(written), size):
            screen.feed(written[start : start + size])
        assert screen.lines() == shown


def test_what_the_screen_does_not_know_is_said() -> None:
    with pytest.raises(ValueError, match="H is not known"):
        terminal.Screen(20).feed("\x1b[3;4H")


def test_a_line_becomes_pieces_of_one_colour_in_their_place() -> None:
    green, text = screens.COLOURS["32"], screens.TEXT
    piece = screens.Piece
    assert screens.pieces("  \x1b[32m✓\x1b[0m  Ready  \x1b[1mTrue\x1b[0m") == [
        piece(2, "✓", green),
        piece(5, "Ready", text),
        piece(12, "True", text, bold=True),
    ]
    with pytest.raises(ValueError, match="no colour for 35"):
        screens.pieces("\x1b[35mpink\x1b[0m")


def test_a_picture_may_end_early_and_says_so() -> None:
    picture = screens.draw("$ x\nshown\n\x1b[1mconditions\x1b[0m\nhidden\n", "conditions")
    assert "shown" in picture
    assert "…" in picture
    assert "hidden" not in picture


def test_there_is_one_for_every_picture() -> None:
    assert {path.stem for path in RECORDINGS} >= set(screens.SCREENS)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_it_tells_nothing_of_the_machine_that_recorded(path: Path) -> None:
    assert re.findall(r"/(?:root|home|tmp|run|var|usr|opt|srv|mnt|work|build)/", path.read_text()) == []
    assert path.read_text().startswith("$ ")


@pytest.mark.parametrize("path", [p for p in RECORDINGS if not p.stem.startswith("get-")], ids=lambda path: path.stem)
def test_its_colours_are_those_that_the_command_line_paints(path: Path) -> None:
    """A difference: record anew, make screens."""
    lines = path.read_text().rstrip("\n").split("\n")[1:]
    console = Console(force_terminal=True, color_system="256", width=300)
    with console.capture() as capture:
        console.print(painted([SGR.sub("", line) for line in lines]), soft_wrap=True, end="")
    assert [screens.pieces(line) for line in lines] == [screens.pieces(line) for line in capture.get().rstrip("\n").split("\n")]


@pytest.mark.parametrize("name", ["status-ready", "status-sick"])
def test_a_recorded_status_has_every_condition(name: str) -> None:
    """A condition that was added or renamed since: record anew, make screens."""
    text = SGR.sub("", (ROOT / f"hack/demo/recordings/{name}.txt").read_text())
    assert re.findall(r"^  [✓!·]  (\w+)", text, re.MULTILINE) == [kind.value for kind in ConditionType]
