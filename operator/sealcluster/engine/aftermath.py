"""What an action may have changed is looked at again when it ends; the rest is not."""

from __future__ import annotations

from collections.abc import Sequence

from sealcluster.core.plan import Action
from sealcluster.engine.memory import Memory
from sealcluster.phases.releasing import REMOVE

OF_NODES = frozenset({"init-control-plane", "join-masters", "join-nodes", "node-settings", "guests", "leave", "certificates"})
"""Phases whose actions may have changed what the new cluster's API says."""


async def look_after(memory: Memory, ended: Sequence[Action]) -> None:
    """Look at what these actions touched, and at what became stale meanwhile."""
    touched: set[str] = set()
    for action in ended:
        if action.host:
            touched.add(action.host)
        if action.phase in ("join-masters", "leave"):
            touched.update(action.args.values())
        if action.phase == "join-masters" or action.what.startswith(REMOVE):
            touched.update(h.name for h in memory.view(frozenset()).joined_masters)
        if not action.host or action.phase == "kubeconfig":
            await memory.look_records()
            touched.update(h.name for h in memory.view(frozenset()).masters if action.phase == "authorities")
    touched |= memory.stale
    memory.stale = set()
    await memory.look_at(sorted(touched))
    if any(action.phase in OF_NODES for action in ended):
        await memory.look_cluster()
