"""Colours on a terminal repeat what words say, line for line."""

import pytest
from rich.console import Console

from sealcluster.cli import here
from sealcluster.cli.paint import painted

from .conftest import GOLDEN


def ansi(line: str) -> str:
    console = Console(force_terminal=True, color_system="standard", width=200, no_color=False)
    with console.capture() as capture:
        console.print(painted([line]), soft_wrap=True, end="")
    return capture.get()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("demo   Degraded   Kubernetes v1.34.4", "\x1b[1mdemo\x1b[0m   \x1b[33mDegraded\x1b[0m   Kubernetes v1.34.4\n"),
        ("├─ m1  10.66.0.11  master  Ready  node Ready", "├─ m1  10.66.0.11  master  \x1b[32mReady\x1b[0m  node Ready\n"),
        ("└─ m2  fd00::2  master,registry  Joining", "└─ m2  fd00::2  master,registry  \x1b[36mJoining\x1b[0m\n"),
        ("│  ├─ · join: it waits", "│  ├─ \x1b[2m· join: it waits\x1b[0m\n"),
        ("  ✓  Stalled  False  AsExpected", "  \x1b[32m✓\x1b[0m  Stalled  False  AsExpected\n"),
        ("m1  clock  FAILED  +90.0 s  30 s", "m1  clock  \x1b[31mFAILED\x1b[0m  +90.0 s  30 s\n"),
        ("FAILED: m1: late", "\x1b[31mFAILED\x1b[0m: \x1b[1mm1:\x1b[0m late\n"),
        ("HOST  CHECK  RESULT", "\x1b[2mHOST  CHECK  RESULT\x1b[0m\n"),
        ("pulling 10.0.0.1:5080/x:v9: not there", "pulling 10.0.0.1:5080/x:v9: not there\n"),
        ("10.0.0.1 [bold]is no markup[/bold]", "10.0.0.1 [bold]is no markup[/bold]\n"),
    ],
)
def test_a_line(line: str, shown: str) -> None:
    assert ansi(line) == shown


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.txt")), ids=lambda file: file.stem)
def test_no_word_changes(file) -> None:
    lines = file.read_text().splitlines()
    assert painted(lines).plain == file.read_text().rstrip("\n") + "\n"


@pytest.mark.parametrize(("tty", "environment", "coloured"), [(True, {}, True), (True, {"NO_COLOR": "1"}, False), (False, {}, False)])
def test_only_on_a_terminal_that_wants_it(monkeypatch, capsys, tty, environment, coloured) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: tty)
    here.show(["  ✓  Ready  True"])
    assert ("\x1b[32m" in capsys.readouterr().out) is coloured
