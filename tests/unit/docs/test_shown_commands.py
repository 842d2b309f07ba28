"""Every command of ours that a page shows is understood by the real command line."""

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.exceptions import TyperException

from labkit.docs import Shown, shown_commands
from sealcluster.cli.main import app

COMMANDS = shown_commands()
PROGRAM: Any = typer.main.get_command(app)


def understand(words: tuple[str, ...], *, whole: bool = True) -> None:
    """Parse, and run nothing. Running text may name a command without all that it needs (`whole=False`), never one that is none."""
    if words[:1] == ("--install-completion",):
        return
    with PROGRAM.make_context("sealcluster", list(words)) as outer:
        name, command, rest = PROGRAM.resolve_command(outer, [*outer._protected_args, *outer.args])
        try:
            command.make_context(name, list(rest), parent=outer).close()
        except TyperException as error:
            incomplete = type(error).__name__ == "MissingParameter" or "requires an argument" in str(error)
            if whole or not incomplete:
                raise


@pytest.mark.parametrize("shown", COMMANDS, ids=lambda shown: f"{shown.where} {' '.join(shown.words)[:60]}")
def test_it_is_understood(shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    understand(shown.words, whole=shown.whole)


def test_there_is_something_to_judge() -> None:
    assert len(COMMANDS) >= 20
    assert {shown.words[0] for shown in COMMANDS} >= {"run", "apply", "plan", "preflight", "status", "delete", "kubeconfig", "convert"}


@pytest.mark.parametrize("words", [("rum", "image"), ("run", "image", "--master", "10.0.0.1"), ("apply",), ("status", "a", "b")])
def test_a_mistake_is_found(words: tuple[str, ...]) -> None:
    with pytest.raises(TyperException):
        understand(words)
