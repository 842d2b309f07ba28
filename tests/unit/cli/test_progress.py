"""What a person sees while a command works."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from sealcluster.api import ConditionType, Finding, Reason
from sealcluster.cli import progress
from sealcluster.cli.changes import Changes, waiting_for
from sealcluster.cli.live import Live, Picture
from sealcluster.cli.progress import Narrator, teller
from sealcluster.core.plan import Failure, Problem


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Every report of one creation."""
    from .conftest import CommandLine

    line = CommandLine(tmp_path_factory.mktemp("story"))
    line.machines("a", "b")
    reports = []
    real, progress.Narrator.tell = progress.Narrator.tell, lambda _self, report: reports.append(report)
    try:
        assert line.run(nodes="10.0.0.12").code == 0
    finally:
        progress.Narrator.tell = real
    line.outside.end()
    return reports


def terminal(width=100, height=24):
    return Console(
        file=io.StringIO(), force_terminal=True, width=width, height=height, highlight=False, color_system="standard", legacy_windows=False
    )


def drawn(report, height=24):
    console = terminal(height=height)
    picture = Picture("default")
    picture.report = report
    console.print(picture)
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue()).splitlines()]


def test_each_thing_is_said_once(story):
    changes = Changes()
    lines = [line for report in story for line in changes.new(report)]
    texts = [line.text for line in lines]
    assert texts.count("default-w1: join") == 1
    assert sum("on first use" in text for text in texts) == 2
    assert [text for text in texts if "initialising the control plane" in text] == ["initialising the control plane 0/1"]
    again = Changes()
    again.new(story[0])
    assert again.new(story[0]) == []


def with_failure(report, count):
    problem = Problem("GuestFailed", "running guest: exit code 1", "default-m1", "guests", "read its lines", terminal=False)
    failure = Failure(count, problem, retry_at=report.view.steady + 5, output="\n".join(f"line {n}" for n in range(9)))
    return replace(report, problems=(problem,), view=replace(report.view, failures={"guests/x": failure}))


def test_a_failure_is_said_with_its_last_lines_and_not_again_while_it_lasts(story):
    changes = Changes()
    before = story[-1]
    changes.new(before)
    texts = [line.text for line in changes.new(with_failure(before, 1))]
    assert texts[:6] == ["GuestFailed: running guest: exit code 1; read its lines", *(f"    line {n}" for n in range(4, 9))]
    assert not [line for line in changes.new(with_failure(before, 2)) if line.kind == "problem"]
    changes.new(before)
    assert [line for line in changes.new(with_failure(before, 1)) if line.kind == "problem"]


def test_lines_carry_the_time_and_no_markup(story):
    console = Console(file=io.StringIO(), width=300)
    with Narrator(console) as narrator:
        for report in story[:20]:
            narrator.tell(report)
        narrator.say("[bold]as it is[/bold]")
    lines = console.file.getvalue().splitlines()
    assert all(re.match(r" {0,4}\d+\.\ds ", line) for line in lines)
    assert lines[-1].endswith("[bold]as it is[/bold]")


def test_the_picture_shows_phase_bar_and_hosts(story):
    busy = next(r for r in story if any(a.host == "default-w1" and a.what == "join" for a in r.running.values()))
    lines = drawn(busy)
    assert "default" in lines[0]
    assert "joining workers 0/1" in lines[0]
    assert "━" in lines[0]
    assert re.search(r"\d:\d\d$", lines[0])
    assert lines[1].split()[:4] == ["├─", "default-m1", "master", "NotReady"]
    assert re.fullmatch(r"└─ default-w1 +node +Joining +.*join.*", lines[2])


def test_before_the_first_look(story):
    assert "looking at the machines" in drawn(None)[0]


def many(report, count):
    """The same report as if there were this many more hosts."""
    template = report.view.hosts["default-w1"]
    extra = {}
    for n in range(count):
        spec = template.spec.model_copy(update={"name": f"x{n}", "address": f"10.9.{n // 250}.{n % 250 + 1}"})
        extra[spec.name] = replace(template, name=spec.name, spec=spec, row=None, facts=None)
    extra["x777"] = replace(extra["x777"], error=Problem("AuthenticationFailed", "logging in: permission denied", "x777", "connect"))
    view = replace(report.view, hosts={**report.view.hosts, **extra})
    return replace(report, view=view, problems=(extra["x777"].error,))


def test_a_large_cluster_fits_and_shows_what_matters(story):
    lines = drawn(many(story[-1], 1000), height=12)
    assert len(lines) <= 12
    assert any("x777" in line and "permission denied" in line for line in lines)
    assert "994 more" in lines[-1]
    assert "of 1002 are Ready" in lines[-1]


def test_live_keeps_what_must_not_be_lost_and_leaves_the_terminal_clean(story):
    console = terminal()
    with Live("default", console) as live:
        for report in story:
            live.tell(report)
        live.say("done", "green")
    text = console.file.getvalue()
    assert text.count("on first use") == 2
    assert "done" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is back


@pytest.mark.parametrize(("tty", "verbose", "kind"), [(True, False, Live), (True, True, Narrator), (False, False, Narrator)])
def test_live_only_on_a_terminal_and_not_beside_the_log(monkeypatch, tty, verbose, kind):
    real = progress.Console
    monkeypatch.setattr(progress, "Console", lambda **how: real(**{**how, "file": io.StringIO(), "force_terminal": tty}))
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(teller("default", verbose=verbose), kind)


def test_a_cluster_that_is_applied_and_sick_says_what_it_waits_for(story):
    """Nothing is left to do and nothing fails, yet a node is not Ready: silence would look like a hang."""
    details = {**story[-1].account.details, ConditionType.WORKERS_READY: Finding.false(Reason.NODES_NOT_READY, "0 of 2 nodes are Ready")}
    sick = replace(story[-1], step=None, account=replace(story[-1].account, details=details))
    assert "0 of 2 nodes are Ready" in drawn(sick)[0]
    assert "0 of 2 nodes are Ready" in [line.text for line in Changes().new(sick)]
    assert waiting_for(story[-1]) == ""
