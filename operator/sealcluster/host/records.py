"""Reading our own records on a host: owner, fence, journal, job directories, the marked block of /etc/hosts."""

from __future__ import annotations

import re

from sealcluster.core.facts import JobFacts, JournalEntry, Owner
from sealcluster.host.numbers import number

HOSTS_BEGIN = "# BEGIN sealcluster"
HOSTS_END = "# END sealcluster"

_DIGEST = re.compile(r"[0-9a-f]{64}")


def is_digest(name: str) -> bool:
    """sha256 in hex."""
    return _DIGEST.fullmatch(name) is not None


def owner(content: str) -> Owner | None:
    """``<cluster id> <name>``."""
    words = content.split()
    return Owner(words[0], words[1] if len(words) > 1 else "") if words else None


def fence(content: str) -> int:
    """``<cluster id> <number>``."""
    words = content.split()
    return (number(words[1]) or 0) if len(words) == 2 else 0


def journal_entry(line: str) -> JournalEntry | None:
    """``j1 <epoch> <state> <step> <digest> <attempt> <rc or -> .``; None for a line that a crash tore."""
    words = line.split(" ")
    if len(words) != 8 or words[0] != "j1" or words[7] != ".":
        return None
    time, attempt, rc = number(words[1]), number(words[5]), number(words[6].removeprefix("-"))
    if time is None or attempt is None:
        return None
    if rc is not None and words[6].startswith("-"):
        rc = -rc
    return JournalEntry(step=words[3], digest=words[4], attempt=attempt, state=words[2], rc=rc, time=float(time))


def journal_and_jobs(journal_lines: list[str], job_lines: list[str]) -> tuple[dict[str, JournalEntry], dict[str, JobFacts]]:
    """The last word on each step, in the order in which they were said, and the jobs that have none yet.

    A job can have ended without its journal line (the disk was full to the last block): then its result file is the last word.
    """
    journal: dict[str, JournalEntry] = {}
    for entry in filter(None, map(journal_entry, journal_lines)):
        journal.pop(entry.step, None)  # a later word takes a later place
        journal[entry.step] = entry
    jobs: dict[str, JobFacts] = {}
    for line in job_lines:
        words = line.split()
        attempt = number(words[3]) if len(words) > 3 else None
        if attempt is None:
            continue
        state, step, digest = words[:3]
        last = journal.get(step)
        current = last is not None and (last.digest, last.attempt) == (digest, attempt)
        if last is not None and current and last.state != "started":
            continue
        if state == "interrupted" and last is not None and last.attempt > attempt:
            continue  # a later attempt has the last word
        if state != "ended":
            if step not in jobs or jobs[step].attempt < attempt:
                jobs[step] = JobFacts(step, digest, attempt, state)
        elif last is not None and current and len(words) > 4 and (rc := number(words[4])) is not None:
            journal[step] = JournalEntry(step, digest, attempt, "failed" if rc else "done", rc, last.time)
    return journal, jobs


def hosts_block(content: str) -> str | None:
    """The lines between our markers, each with its line break; None without a complete block."""
    lines = content.splitlines()
    try:
        begin = lines.index(HOSTS_BEGIN)
        return "".join(f"{line}\n" for line in lines[begin + 1 : lines.index(HOSTS_END, begin)])
    except ValueError:
        return None
