"""When something is tried again, and when a person is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcluster.core.errors import TerminalError, TransientError
from sealcluster.core.plan import Action
from sealcluster.engine.gate import telling_line
from sealcluster.engine.retry import LONGEST, PATIENCE, SLOW, SLOW_AUTHENTICATION, delay, failure

ACTION = Action("join-nodes", "join", "w1")


@given(st.integers(1, PATIENCE - 1), st.floats(0, 1))
def test_the_first_tries_follow_soon_and_ever_later(count, jitter):
    wait = delay("ScriptFailed", count, terminal=False, jitter=jitter)
    assert 1 <= wait <= LONGEST * 1.25
    assert wait < delay("ScriptFailed", count + 1, terminal=False, jitter=jitter) or wait >= LONGEST * 0.75


@pytest.mark.parametrize(
    ("reason", "terminal", "count", "seconds"),
    [
        ("ScriptFailed", False, PATIENCE, SLOW),
        ("ScriptFailed", True, 1, SLOW),
        ("AuthenticationFailed", True, 1, SLOW_AUTHENTICATION),
        ("SudoFailed", True, 9, SLOW_AUTHENTICATION),
    ],
)
def test_what_a_person_must_mend_is_tried_slowly(reason, terminal, count, seconds):
    assert delay(reason, count, terminal=terminal, jitter=0.5) == seconds


def test_failures_are_counted_and_end_with_a_person():
    known = None
    for number in range(1, PATIENCE + 1):
        error = TransientError("joining: no", reason="KubeadmJoinFailed", host="w1", exit_code=1)
        known = failure(ACTION, error, known, 5000.0, 0.5, steady=100.0)
        assert known.count == number
        assert known.problem.terminal is (number >= PATIENCE)
    assert (known.problem.host, known.problem.phase, known.exit_code) == ("w1", "join-nodes", 1)
    assert (known.retry_at, known.time) == (100.0 + SLOW, 5000.0)


def test_a_terminal_error_asks_a_person_at_once():
    assert failure(ACTION, TerminalError("no such image", reason="ImageNotFound"), None, 0.0, 0.5, steady=0.0).problem.terminal


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("", ""),
        ("one\n\ntwo\n\n", "two"),
        (
            "[preflight] Some fatal errors occurred:\n\t[ERROR FileAvailable--x]: /x already exists\n\t[ERROR Port-10250]: in use\n"
            "error: error execution phase preflight\nTo see the stack trace of this error execute with --v=5 or higher\n",
            "[ERROR FileAvailable--x]: /x already exists; [ERROR Port-10250]: in use",
        ),
        (
            "error: error execution phase x: boom\nTo see the stack trace of this error execute with --v=5 or higher\n",
            "error: error execution phase x: boom",
        ),
    ],
)
def test_the_line_that_says_most_is_shown(log, line):
    assert telling_line(log) == line
