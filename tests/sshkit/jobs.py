"""A job that counts how often it was really started."""

import asyncio

from sshkit.sandbox import wait_for

COUNT = "echo once >>runs; echo working; "
"""The beginning of a job's script."""


def runs(m1):
    """How often jobs that begin with `COUNT` were started."""
    file = m1.file("/work/runs")
    return len(file.read_text().split()) if file.exists() else 0


async def until(condition, what, seconds=15.0):
    """Wait for something that happens on the machine."""
    await asyncio.to_thread(wait_for, condition, what, seconds)
