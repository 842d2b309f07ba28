"""A control plane that joins: a learner that is promoted, one at a time."""

from __future__ import annotations

from sealcluster.testing.model import configs, kubeadm
from sealcluster.testing.model.etcd import EtcdRefused, Member
from sealcluster.testing.model.execution import Execution, Failed
from sealcluster.testing.model.kube import ModelKube
from sealcluster.testing.model.machine import ADMIN_CONF, ETCD_DATA, MANIFESTS

ETCD_TIMEOUT = 120.0


async def join(run: Execution, config: configs.JoinConfig, kube: ModelKube) -> None:
    """Files, kubelet, etcd member, API server, label: in kubeadm's order."""
    with run.world.changing_masters(kube, run.machine.name):
        kubeadm.write_kubeconfig(run, ADMIN_CONF, kube)
        kubeadm.write_manifests(run, kube)
        await kubeadm.register(run, config, kube)
        member = await _add_member(run, config, kube)
        await _start_member(run, kube, member)
        await run.until(
            kubeadm.CONTROL_PLANE_TIMEOUT, "waiting for the new API server", lambda: run.world.planes.api_up(run.machine, kube, run.now)
        )
        kube.nodes[config.node.name].control_plane = True
        await run.spend(0.2)


async def _add_member(run: Execution, config: configs.JoinConfig, kube: ModelKube) -> Member:
    url = f"https://{config.node.address}:2380"
    deadline = run.now + ETCD_TIMEOUT
    while True:
        try:
            return kube.etcd.add(config.node.name, url, run.machine.name, learner=True)
        except EtcdRefused as error:
            if run.now >= deadline:
                raise Failed(1, f"error execution phase etcd-join: {error}") from error
        await run.spend(0.1)


async def _start_member(run: Execution, kube: ModelKube, member: Member) -> None:
    if member.started and run.world.planes.member_of(run.machine) != member.id:
        await run.spend(2.0)
        raise Failed(1, "error execution phase etcd-join: the member has lost its data: tocommit is out of range [lastIndex(0)]")
    run.machine.files.write(ETCD_DATA, f"{kube.etcd.id}/{member.id}".encode())
    run.machine.files.write(f"{MANIFESTS}/etcd.yaml", f"# cluster {kube.etcd.id}\n".encode(), 0o600)
    await run.until(ETCD_TIMEOUT, "waiting for the new etcd member", lambda: run.world.planes.etcd_runs(run.machine, member, run.now))
    member.started = True
    await run.spend(1.0, "learner-sync")
    await run.until(ETCD_TIMEOUT, "promoting the etcd learner", lambda: _promoted(kube, member))


def _promoted(kube: ModelKube, member: Member) -> bool:
    if not member.learner:
        return True
    try:
        kube.etcd.promote(member.id)
    except EtcdRefused:
        return False
    return True
