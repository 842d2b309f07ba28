"""`kubeadm init`: succeeds exactly once per cluster, ever.

The state record takes {attempt, host} before anything starts on the host, and {etcd cluster id} after success, both by
compare-and-swap. An attempt that failed or was interrupted is undone on the same host before the next one is counted.
"""

from __future__ import annotations

from dataclasses import replace

from sealcluster.api import made_from
from sealcluster.core import paths
from sealcluster.core.digest import digest
from sealcluster.core.errors import TransientError
from sealcluster.core.ops import File, Job, KubeadmInit, KubeadmReset
from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.core.state import InitRecord, StateRecord
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context
from sealcluster.phases.bootstrap import bootstrapped
from sealcluster.phases.certificates import certificates_ready
from sealcluster.phases.kubeadm_inputs import AUDIT_POLICY, cluster_inputs, node_inputs
from sealcluster.phases.releasing import ours
from sealcluster.render.kubeadm import render_init

STEP = "kubeadm-init"
RECORD, RESET, INIT = "record the new cluster", "undo the failed attempt", "initialise the control plane"


def static_files(view: ClusterView, host: HostView) -> tuple[File, ...]:
    """Files that a master's API server mounts."""
    rootfs = view.rootfs_for(host)
    policy = rootfs.small_files.get(AUDIT_POLICY) if rootfs else None
    return (File("/etc/kubernetes/audit-policy.yml", policy.encode(), 0o600),) if policy else ()


def init_digest(cluster_id: str, attempt: int) -> str:
    """Names one attempt of the one init."""
    return digest(cluster_id, "kubeadm-init", attempt)


class InitControlPlane:
    """The first master."""

    name = "init-control-plane"
    title = "initialising the control plane"

    def plan(self, view: ClusterView) -> PhasePlan:
        """Record, undo, or initialise: what the host's journal and the state record together ask for."""
        if view.initialized:
            return PhasePlan(done=1, total=1)
        born = next((h for h in view.hosts.values() if ours(view, h) and _born(view, h)), None)
        if born is not None:
            return PhasePlan(problems=(_too_old(view, born),), total=1)
        host = view.init_host
        if host is None or host.facts is None:
            return PhasePlan((Action(self.name, INIT, why="the cluster does not exist", needs="a master that can be reached"),), total=1)
        record = view.state.init
        tried = host.facts.journal.get(STEP)
        this = init_digest(view.state.cluster_id, record.attempt)
        if record.attempt and host.done(STEP, this):
            return self._one(Action(self.name, RECORD, host.name, "kubeadm init succeeded", _answers(host), watch=(host.name,)))
        if host.going:
            return PhasePlan(total=1)  # what it began may end and be recorded; nothing new begins there
        started = tried is not None and tried.digest == this and tried.state != "done"
        running = _running(host)
        if record.attempt and started and not running and not host.done("kubeadm-reset", this):
            return self._one(
                Action(self.name, RESET, host.name, "kubeadm init failed or was interrupted", step="kubeadm-reset", undoes=self._key(host))
            )
        needs = ""
        if not running:
            needs = self._needs(view, host)
        return self._one(Action(self.name, INIT, host.name, "the cluster does not exist", needs, step=STEP))

    def _key(self, host: HostView) -> str:
        return Action(self.name, INIT, host.name).key

    @staticmethod
    def _one(action: Action) -> PhasePlan:
        return PhasePlan((action,), total=1)

    @staticmethod
    def _needs(view: ClusterView, host: HostView) -> str:
        if not certificates_ready(view, host):
            return "its certificates"
        if not bootstrapped(view, host):
            return "its bootstrap"
        if not host.done("pull") and not any(k.startswith(f"pull-container-images/{host.name}/") for k in view.failures):
            return "its container images"
        return ""

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """One of the three, each safe to repeat after a crash at any point."""
        host = view.hosts[action.host]
        if action.what == RECORD:
            await self._record(context, view, host)
        elif action.what == RESET:
            this = init_digest(view.state.cluster_id, view.state.init.attempt)
            await context.gate.run(host.name, Job("kubeadm-reset", this, KubeadmReset(), timeout=300), reason="KubeadmInitFailed")
        else:
            await self._init(context, view, host)

    async def _init(self, context: Context, view: ClusterView, host: HostView) -> None:
        assert host.facts is not None
        record = view.state.init
        this = init_digest(view.state.cluster_id, record.attempt)
        fresh = not record.host or host.done("kubeadm-reset", this)
        made = made_from(view.spec)
        if fresh:
            attempt = record.attempt + 1

            def count(state: StateRecord) -> StateRecord:
                if state.init.initialized or state.init.attempt != attempt - 1:
                    raise TransientError("initialising the control plane: another attempt was recorded meanwhile", reason="StateConflict")
                return replace(
                    state, init=InitRecord(attempt, host.name), rootfs=rootfs_digests(view), version=view.version, made_from=made
                )

            await context.gate.update_state(count)
            this = init_digest(view.state.cluster_id, attempt)
        elif not _running(host) and view.state.made_from != made:  # counted and never begun; the spec was changed since
            await context.gate.update_state(lambda state: replace(state, made_from=made))
        config = render_init(cluster_inputs(view), node_inputs(view, host)).encode()
        job = Job(STEP, this, KubeadmInit(config, static_files(view, host), directory=paths.cluster_dir(view.name)), timeout=900)
        await context.gate.run(host.name, job, reason="KubeadmInitFailed")

    async def _record(self, context: Context, view: ClusterView, host: HostView) -> None:
        etcd = host.facts.etcd if host.facts else None
        if etcd is None or not etcd.cluster_id:
            raise TransientError(
                "reading the new cluster's etcd id: etcd does not answer yet", host=host.name, step=STEP, reason="EtcdUnhealthy"
            )

        def done(state: StateRecord) -> StateRecord:
            made = state.made_from or made_from(view.spec)  # a release that did not write it down began the attempt
            return replace(state, init=replace(state.init, etcd_cluster_id=etcd.cluster_id, ca_hash=view.ca_hash), made_from=made)

        await context.gate.update_state(done)


def _born(view: ClusterView, host: HostView) -> bool:
    """True for a machine of ours on which this cluster came to life, although the record knows of no such init."""
    entry = host.facts.journal.get(STEP) if host.facts is not None else None
    known = {init_digest(view.state.cluster_id, attempt) for attempt in range(view.state.init.attempt + 1)}
    return host.done("kubeadm-join") or (entry is not None and entry.state in ("started", "done") and entry.digest not in known)


def _too_old(view: ClusterView, host: HostView) -> Problem:
    return Problem(
        "StateUnreadable",
        f"{host.name} is part of this cluster already, and the state record {view.name}-state knows nothing of that: it is older than the cluster",
        host.name,
        "init-control-plane",
        "restore the newest backup of the state record; nothing is changed on any machine until then",
        cluster=True,
    )


def _running(host: HostView) -> bool:
    job = host.facts.jobs.get(STEP) if host.facts is not None else None
    return job is not None and job.state == "running"


def _answers(host: HostView) -> str:
    return "" if host.facts is not None and host.facts.etcd is not None and host.facts.etcd.cluster_id else "etcd to answer"


def rootfs_digests(view: ClusterView) -> dict[str, str]:
    """What the cluster is made from, by architecture."""
    return {arch: image.digest for arch, images in view.images.items() for image in images if image.type == "rootfs"}
