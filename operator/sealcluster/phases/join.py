"""What joins of masters and workers share: undo what was left half done, then `kubeadm join` as a journalled job."""

from __future__ import annotations

from sealcluster.core import paths
from sealcluster.core.digest import digest
from sealcluster.core.errors import TransientError
from sealcluster.core.ops import Job, KubeadmJoin, KubeadmReset
from sealcluster.core.plan import Action
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context
from sealcluster.phases.init_control_plane import static_files
from sealcluster.phases.kubeadm_inputs import cluster_inputs, node_inputs
from sealcluster.render.kubeadm import render_join
from sealcluster.render.kubeadm_inputs import Discovery

STEP, UNDONE = "kubeadm-join", "kubeadm-reset"
TOKEN_TTL = 1800.0
"""Seconds a bootstrap token stays valid: one join, with room for a slow machine."""

JOIN_TIME = 600.0
"""Seconds after which a join is ended on its machine."""

RESET, JOIN = "undo the failed join", "join"


def step_of(what: str) -> str:
    """The journal step of JOIN and RESET; empty for anything else."""
    return {JOIN: STEP, RESET: UNDONE}.get(what, "")


def undoing(phase: str, host: str, what: str) -> str:
    """`Action.undoes` of a step of a join: all but the join itself make good what one before them left."""
    return "" if what == JOIN else Action(phase, JOIN, host).key


def join_digest(view: ClusterView, host: HostView) -> str:
    """Names the membership of this machine in this cluster; a reset is named alike."""
    return digest(view.state.cluster_id, STEP, host.name, "master" if host.master else "worker")


def next_step(view: ClusterView, host: HostView) -> str:
    """RESET after a failed or interrupted attempt, else JOIN (which re-attaches when one runs)."""
    facts = host.facts
    assert facts is not None
    entry, job = facts.journal.get(STEP), facts.jobs.get(STEP)
    if job is not None and job.state == "running":
        return JOIN
    clean = facts.done(UNDONE) and facts.after(UNDONE, STEP)
    if entry is not None and entry.state in ("started", "failed") and not clean:
        return RESET
    return JOIN


async def join(context: Context, view: ClusterView, host: HostView) -> None:
    """A token, the configuration, the job."""
    leader = view.leader
    if leader is None:
        raise TransientError("joining: no master's API server answers", host=host.name, step=STEP, reason="ControlPlaneUnhealthy")
    token = context.token()
    await context.gate.workload.ensure_token(token, TOKEN_TTL)
    discovery = Discovery(f"{leader.node_ip}:{view.spec.endpoint.port}", (view.ca_hash,), token)
    config = render_join(cluster_inputs(view), node_inputs(view, host), discovery, master=host.master).encode()
    files = static_files(view, host) if host.master else ()
    op = KubeadmJoin(config, "master" if host.master else "worker", files, directory=paths.cluster_dir(view.name))
    await context.gate.run(host.name, Job(STEP, join_digest(view, host), op, timeout=JOIN_TIME), reason="KubeadmJoinFailed")


async def undo(context: Context, view: ClusterView, host: HostView) -> None:
    """Reset the host's half of a join that did not end well."""
    facts = host.facts
    attempt = facts.attempts(STEP) if facts else 0
    job = Job(UNDONE, digest(join_digest(view, host), attempt), KubeadmReset(), timeout=300)
    await context.gate.run(host.name, job, reason="KubeadmJoinFailed")
