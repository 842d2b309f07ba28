"""Our own records on a host: what a crash can leave in them, and what we make of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcluster.core.facts import JobFacts, JournalEntry, Owner
from sealcluster.host import records

D1, D2 = "1" * 64, "2" * 64


def journal_line(state="done", step="rootfs", digest=D1, attempt=1, rc="0", time=100):
    return f"j1 {time} {state} {step} {digest} {attempt} {rc} ."


def read(journal=(), jobs=()):
    return records.journal_and_jobs(list(journal), list(jobs))


def test_an_entry_is_read():
    entry = records.journal_entry(journal_line())
    assert entry == JournalEntry("rootfs", D1, 1, "done", 0, 100.0)


def test_a_started_entry_has_no_exit_code():
    assert records.journal_entry(journal_line("started", rc="-")).rc is None


@given(st.integers(0, len(journal_line()) - 1))
def test_a_torn_line_says_nothing(length):
    assert records.journal_entry(journal_line()[:length]) is None


@given(st.text())
def test_no_line_is_too_strange(line):
    records.journal_entry(line)


def test_a_running_job_is_listed():
    journal, jobs = read([journal_line("started", rc="-")], [f"running rootfs {D1} 1"])
    assert jobs == {"rootfs": JobFacts("rootfs", D1, 1, "running")}
    assert journal["rootfs"].state == "started"


def test_a_job_whose_end_is_journalled_is_not_listed():
    assert read([journal_line()], [f"interrupted rootfs {D1} 1"])[1] == {}


def test_a_result_without_journal_line_is_the_last_word():
    journal, jobs = read([journal_line("started", rc="-")], [f"ended rootfs {D1} 1 3 0.50"])
    assert (journal["rootfs"].state, journal["rootfs"].rc) == ("failed", 3)
    assert jobs == {}


def test_an_old_result_does_not_hide_a_new_attempt():
    journal, _ = read([journal_line("started", attempt=2, rc="-")], [f"ended rootfs {D1} 1 0 0.50"])
    assert (journal["rootfs"].state, journal["rootfs"].attempt) == ("started", 2)


def test_what_was_said_later_comes_later_whatever_the_clock_said():
    journal, _ = read([journal_line(time=50), journal_line(step="check", time=900), journal_line(time=20), "torn"])
    assert list(journal) == ["check", "rootfs"]


def test_the_newest_attempt_is_listed():
    _, jobs = read([], [f"interrupted rootfs {D1} 1", f"running rootfs {D2} 2", f"interrupted rootfs {D1} 1"])
    assert jobs["rootfs"].attempt == 2


def test_an_interrupted_attempt_is_listed_until_a_later_one_has_begun():
    cut = f"interrupted rootfs {D1} 1"
    assert read([journal_line("started", rc="-")], [cut])[1]["rootfs"].state == "interrupted"
    for state, rc in (("started", "-"), ("done", "0"), ("failed", "1")):
        assert read([journal_line(state, attempt=2, rc=rc)], [cut])[1] == {}
    assert read([journal_line(attempt=2)], [f"running rootfs {D1} 1"])[1]["rootfs"].attempt == 1


def test_broken_job_lines_are_skipped():
    assert read([], ["", "running", f"running rootfs {D1} x"]) == ({}, {})


@pytest.mark.parametrize(("content", "expected"), [("", None), ("c1 m1\n", Owner("c1", "m1")), ("c1", Owner("c1", "")), ("\n", None)])
def test_owner(content, expected):
    assert records.owner(content) == expected


@pytest.mark.parametrize(("content", "expected"), [("", 0), ("c1 7\n", 7), ("c1\n", 0), ("c1 x\n", 0)])
def test_fence(content, expected):
    assert records.fence(content) == expected


BLOCK = "# BEGIN sealcluster\n10.0.0.1 sealos.hub\n# END sealcluster\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("127.0.0.1 localhost\n", None),
        (f"127.0.0.1 localhost\n{BLOCK}", "10.0.0.1 sealos.hub\n"),
        (f"{BLOCK}10.0.0.9 other\n", "10.0.0.1 sealos.hub\n"),
        ("# BEGIN sealcluster\n10.0.0.1 sealos.hub\n", None),
        ("# BEGIN sealcluster\n# END sealcluster\n", ""),
    ],
)
def test_hosts_block(content, expected):
    assert records.hosts_block(content) == expected
