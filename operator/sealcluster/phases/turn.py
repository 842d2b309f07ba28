"""Whose turn it is to become a master, kept where it survives: a machine that nobody can see may still be joining."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from sealcluster.core.errors import SealError
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context
from sealcluster.phases.join import JOIN_TIME

UNSEEN = JOIN_TIME + 60.0
"""Seconds after which a join on a machine that cannot be seen has ended: it is ended there after JOIN_TIME, which began before the first
look that failed (the rest is for both to be late)."""


def out_of_sight(view: ClusterView) -> str:
    """Name of a master that was joining when it was last seen, as far as anybody knows, and may still be at it; empty: none.

    That its Node is there says nothing: the Node comes first, etcd's member after it.
    """
    host = view.hosts.get(view.state.joining)
    return host.name if host is not None and host.facts is None and host.unseen < UNSEEN else ""


def wait_for(name: str) -> str:
    """What others need while a join may run out of sight."""
    return f"{name} to answer, for at most {UNSEEN / 60:.0f} minutes: its join may still run"


@contextlib.asynccontextmanager
async def turn_of(context: Context, host: HostView) -> AsyncIterator[None]:
    """On record before the join begins, and given back when its end was seen, good or bad; a link that is lost is no end."""
    await context.gate.update_state(lambda state: replace(state, joining=host.name))
    try:
        yield
    except SealError as error:
        if error.exit_code is not None:
            await _give_back(context, host)
        raise
    await _give_back(context, host)


async def _give_back(context: Context, host: HostView) -> None:
    await context.gate.update_state(lambda state: replace(state, joining="") if state.joining == host.name else state)
