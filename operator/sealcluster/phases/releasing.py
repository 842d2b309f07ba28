"""What leaving and deleting share: whose a machine is, whether it is lost, how it is cleaned and what is said when it is not. Pure."""

from __future__ import annotations

from sealcluster.api import ACKNOWLEDGE_LOST_ANNOTATION
from sealcluster.core import paths
from sealcluster.core.digest import digest
from sealcluster.core.errors import TransientError
from sealcluster.core.facts import EtcdMember
from sealcluster.core.ops import CleanHost, Job
from sealcluster.core.plan import Problem
from sealcluster.core.quorum import etcd_state
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context

PATIENCE = 3
"""Failed looks in a row after which a machine that must be released is not just rebooting."""
REMOVE = "remove the etcd member of"
"""What the action is called that takes a leaving master's vote; the machine's name follows."""
ETCD_STEP = "etcd-member"
CHANGES_MASTERS = ("kubeadm-init", "kubeadm-join", ETCD_STEP)
"""Jobs that must not be cut off on a master: they change the membership of etcd."""


def acknowledged(view: ClusterView, host: HostView) -> bool:
    """True when a person named this machine as lost."""
    text = view.annotations.get(ACKNOWLEDGE_LOST_ANNOTATION, "")
    pairs = [p.strip().partition("=") for p in text.split(",") if p.strip()]
    return host.row is not None and any(name == host.name and value == host.row.machine_id for name, _, value in pairs)


def stranger(host: HostView) -> bool:
    """True when another machine answers at the address than the one that was installed."""
    return host.facts is not None and host.row is not None and host.facts.machine_id != host.row.machine_id


def out_of_reach(host: HostView) -> bool:
    """True when the machine itself cannot be worked on: it does not answer, or another one does."""
    return host.error is not None or stranger(host)


def ours(view: ClusterView, host: HostView) -> bool:
    """True while the machine still carries our owner file."""
    if host.facts is None or host.facts.owner is None or stranger(host):
        return False
    return host.facts.owner.cluster_id == view.state.cluster_id


def member_of(view: ClusterView, host: HostView) -> EtcdMember | None:
    """The etcd member of this machine, if etcd knows one."""
    return etcd_state(view).member(host.name, host.node_ip) if host.was_master else None


def dead_members(view: ClusterView) -> tuple[HostView, ...]:
    """Masters that leave, whose machine is lost or cleaned and whose etcd member is still there: these go before anybody joins."""
    return tuple(
        h
        for h in view.leaving
        if (acknowledged(view, h) if out_of_reach(h) else h.facts is not None and not ours(view, h)) and member_of(view, h) is not None
    )


def under_way(host: HostView, *steps: str) -> str:
    """Name of a job that runs on the machine (one of `steps`, where any are given); empty: none."""
    jobs = host.facts.jobs.values() if host.facts is not None else ()
    return next((j.step for j in jobs if j.state == "running" and (not steps or j.step in steps)), "")


async def free_of_changes(context: Context, host: HostView) -> None:
    """Before an etcd member is taken away: its machine, where it answers, is made ours alone and must not be joining.

    An operator that was superseded a moment ago may have started a join there after we looked.
    """
    if host.facts is None:
        return
    facts = await context.gate.hold(host.name)
    busy = next((j.step for j in facts.jobs.values() if j.state == "running" and j.step in CHANGES_MASTERS), "") if facts else ""
    if busy:
        raise TransientError(f"removing an etcd member: {busy} runs on {host.name}", host=host.name, reason="EtcdUnhealthy")


def clean_job(view: ClusterView, host: HostView) -> Job:
    """Undo everything on the machine."""
    row = host.row
    names = (str(view.spec.registry.domain), str(view.spec.endpoint.domain), "lvscare.node.ip")
    scripts, env = (row.clean, dict(row.clean_env)) if row else ((), {})
    op = CleanHost(paths.rootfs(view.name), scripts, env, names, subnets=(str(view.spec.network.pod_subnet),))
    return Job("clean", digest(view.state.cluster_id, host.name, "clean"), op, timeout=900)


def lost(view: ClusterView, host: HostView, phase: str) -> Problem:
    """What to do about a machine that must be released and does not answer."""
    machine = host.row.machine_id if host.row else "?"
    why = host.error.message if host.error else f"another machine (machine-id {host.facts.machine_id if host.facts else '?'}) answers there"
    return Problem(
        "LostHostNeedsAcknowledgement",
        f"{host.name} ({host.address}) must be released and cannot be reached: {why}",
        host.name,
        phase,
        f"bring it back to have it cleaned, or, if it is gone for ever: kubectl annotate sealcluster {view.name} "
        f"{ACKNOWLEDGE_LOST_ANNOTATION}={host.name}={machine}",
        terminal=host.error is None or host.error.terminal or host.failures >= PATIENCE,
    )


def not_clean(host: HostView, phase: str) -> Problem | None:
    """What is left on a machine that was cleaned, seen from outside; None: nothing, or it is another cluster's now."""
    if host.facts is None or host.facts.owner is not None or stranger(host) or not host.facts.leftovers:
        return None
    left = ", ".join(host.facts.leftovers[:5])
    return Problem("HostNotClean", f"{host.name} is not clean: {left}", host.name, phase, "remove what is named, then it is released")
