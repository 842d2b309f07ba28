"""What --help shows: whole sentences, names that a person would use, the most useful options first."""

import pytest
from typer.testing import CliRunner

from sealcluster.cli.main import COMMANDS, app


def shown(*words: str) -> str:
    return CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80"}).stdout


def test_the_list_of_commands_cuts_no_sentence_short() -> None:
    rows = shown().partition("Commands:\n")[2].splitlines()
    assert [row.split()[0] for row in rows[: len(COMMANDS)]] == list(COMMANDS)
    assert [row for row in rows[: len(COMMANDS)] if not row.endswith(".") or row.endswith("..")] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_no_type_of_a_programming_language_is_shown(name: str) -> None:
    text = shown(name)
    assert f"Usage: root {name}" in text or f"Usage: sealcluster {name}" in text
    assert [line for line in text.splitlines() if "<" in line.replace("<=", "") or "{" in line] == []


@pytest.mark.parametrize(
    ("name", "usage"),
    [("run", "[OPTIONS] IMAGE..."), ("status", "[OPTIONS] [CLUSTER]"), ("exec", "[OPTIONS] -- COMMAND..."), ("version", "[OPTIONS]")],
)
def test_the_usage_line(name: str, usage: str) -> None:
    assert shown(name).splitlines()[0].endswith(f"{name} {usage}")


def test_the_own_options_of_a_command_come_before_the_shared_ones() -> None:
    text = shown("status")
    assert text.index("--watch") < text.index("--kubeconfig") < text.index("--state")
