"""Reading our own records on a host: owner, fence, journal, job directories, the marked block of /etc/hosts."""

from __future__ import annotations

import re

from sealcluster.core.facts import JobFacts, JournalEntry, Owner

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
    return int(words[1]) if len(words) == 2 and words[1].isdigit() else 0


def journal_entry(line: str) -> JournalEntry | None:
    """``j1 <epoch> <state> <step> <digest> <attempt> <rc or -> .``; None for a line that a crash tore."""
    words = line.split(" ")
    if len(words) != 8 or words[0] != "j1" or words[7] != "." or not words[1].isdigit() or not words[5].isdigit():
        return None
    rc = int(words[6]) if words[6].lstrip("-").isdigit() else None
    return JournalEntry(step=words[3], digest=words[4], attempt=int(words[5]), state=words[2], rc=rc, time=float(words[1]))


def journal_and_jobs(journal_lines: list[str], job_lines: list[str]) -> tuple[dict[str, JournalEntry], dict[str, JobFacts]]:
    """The last word on each step, and the jobs that have none yet.

    A job can have ended without its journal line (the disk was full to the last block): then its result file is the last word.
    """
    journal = {entry.step: entry for entry in map(journal_entry, journal_lines) if entry is not None}
    jobs: dict[str, JobFacts] = {}
    for line in job_lines:
        words = line.split()
        if len(words) < 4 or not words[3].isdigit():
            continue
        state, step, digest, attempt = words[0], words[1], words[2], int(words[3])
        last = journal.get(step)
        current = last is not None and (last.digest, last.attempt) == (digest, attempt)
        if last is not None and current and last.state != "started":
            continue
        if state != "ended":
            if step not in jobs or jobs[step].attempt < attempt:
                jobs[step] = JobFacts(step, digest, attempt, state)
        elif last is not None and current and len(words) > 4 and words[4].isdigit():
            rc = int(words[4])
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
