"""Leaving a cluster: the etcd member, the containers, the files of kubeadm."""

from __future__ import annotations

from sealcluster.testing.model.etcd import EtcdRefused
from sealcluster.testing.model.execution import Execution
from sealcluster.testing.model.machine import ADMIN_CONF, ETCD_DATA, MANIFESTS

KUBERNETES = "/etc/kubernetes"


async def leave_etcd(run: Execution) -> None:
    """Like kubeadm: take our member out of a cluster that answers; where it does not, warn and go on."""
    machine, planes = run.machine, run.world.planes
    kube = planes.of(machine)
    member_id = planes.member_of(machine)
    if kube is None or member_id is None or member_id not in kube.etcd.members or not machine.files.exists(f"{MANIFESTS}/etcd.yaml"):
        return
    if len(kube.etcd.members) == 1 or not machine.files.exists(ADMIN_CONF):
        return
    if not planes.api_at(machine, kube.domain, kube.port, kube, run.now):
        run.log.append("[reset] WARNING: failed to remove the etcd member: the API server does not answer")
        return
    try:
        kube.etcd.remove(member_id)
        run.log.append("[reset] removed the etcd member")
    except EtcdRefused as error:
        run.log.append(f"[reset] WARNING: failed to remove the etcd member: {error}")


def wipe(run: Execution) -> None:
    """Containers, manifests, keys, kubeconfigs and etcd's data are gone; judged by what it does to the quorum."""
    machine, planes = run.machine, run.world.planes
    kube = planes.of(machine)
    had_quorum = kube is not None and kube.etcd.quorum()
    run.world.pods.kill(machine)
    machine.units.stop("kubelet", run.now)
    machine.files.remove(KUBERNETES)
    machine.files.remove(ETCD_DATA)
    machine.kept_manifests = {}
    if kube is not None and had_quorum and not kube.etcd.quorum() and not run.world.doomed(kube):
        run.world.violate(f"{machine.name}: {run.kind} cost the etcd cluster its quorum")
