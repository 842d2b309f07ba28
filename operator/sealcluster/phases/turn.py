"""Whose turn it is to change etcd's members, kept where it survives: a machine that nobody can see may still be at it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from sealcluster.core.digest import digest
from sealcluster.core.errors import JobFailed
from sealcluster.core.ops import EtcdMember, Job
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context
from sealcluster.phases.join import JOIN_TIME
from sealcluster.phases.releasing import ETCD_STEP, member_of

UNSEEN = JOIN_TIME + 60.0
"""Seconds after which a change on a machine that cannot be seen has ended: the longest one, a join, is ended there after JOIN_TIME, and it
began before the first look that failed (the rest is for both to be late)."""


def out_of_sight(view: ClusterView) -> str:
    """Name of a machine that may still be changing etcd's members and cannot be seen; empty: none.

    That a joining master's Node is there says nothing: the Node comes first, etcd's member after it.
    """
    host = view.hosts.get(view.state.changing)
    return host.name if host is not None and host.facts is None and host.unseen < UNSEEN else ""


def wait_for(name: str) -> str:
    """What others need while that is so."""
    return f"{name} to answer, for at most {UNSEEN / 60:.0f} minutes: it may still be changing etcd's members"


@contextlib.asynccontextmanager
async def turn_of(context: Context, host: str) -> AsyncIterator[None]:
    """On record before the change begins on this host, and given back when its end was seen, good or bad."""
    await context.gate.update_state(lambda state: replace(state, changing=host))
    try:
        yield
    except JobFailed:
        await _give_back(context, host)
        raise
    await _give_back(context, host)


async def _give_back(context: Context, host: str) -> None:
    await context.gate.update_state(lambda state: replace(state, changing="") if state.changing == host else state)


async def remove_member(context: Context, view: ClusterView, host: HostView, *, on: str) -> None:
    """Take the etcd member of `host` away, by a job on another master."""
    member = member_of(view, host)
    if member is None:
        return
    job = Job(ETCD_STEP, digest("remove", member.id), EtcdMember("remove", member.id), timeout=120)
    async with turn_of(context, on):
        await context.gate.run(on, job, reason="EtcdUnhealthy")
