"""What kubeadm does to a machine and to a cluster: init, worker join, reset. Control-plane joins are in `joinmaster`."""

from __future__ import annotations

from sealcluster.core.ops import KubeadmInit, KubeadmJoin
from sealcluster.testing.model import configs, joinmaster, paper, resetting
from sealcluster.testing.model.controlplane import CONTROL_PLANE_MANIFESTS
from sealcluster.testing.model.execution import Execution, Failed
from sealcluster.testing.model.kube import ModelKube
from sealcluster.testing.model.machine import ADMIN_CONF, ETCD_DATA, KUBELET_CONF, MANIFESTS, PKI, Machine

CONTROL_PLANE_TIMEOUT = 240.0
AUTHORITIES = ("ca.crt", "ca.key", "etcd/ca.crt", "etcd/ca.key", "front-proxy-ca.crt", "front-proxy-ca.key", "sa.key", "sa.pub")


def preflight_tools(run: Execution) -> None:
    """kubeadm and kubelet must be there, containerd must run."""
    machine = run.machine
    if not machine.files.exists("/usr/bin/kubeadm"):
        raise Failed(127, "kubeadm: command not found")
    if "kubelet" not in machine.units.table:
        raise Failed(1, "[ERROR KubeletVersion]: couldn't get kubelet version")
    if not machine.units.active("containerd"):
        raise Failed(1, "[ERROR CRI]: container runtime is not running")


def preflight_control_plane(run: Execution) -> None:
    """No manifests, no etcd data, free ports."""
    machine = run.machine
    errors = [
        f"[ERROR FileAvailable--etc-kubernetes-manifests-{name}]"
        for name in sorted(machine.files.names(MANIFESTS) & CONTROL_PLANE_MANIFESTS)
    ]
    if machine.files.exists(ETCD_DATA):
        errors.append("[ERROR DirAvailable--var-lib-etcd]: /var/lib/etcd is not empty")
    busy = run.world.planes.listening(machine, run.now) & {6443, 10259, 10257, 2379, 2380}
    errors += [f"[ERROR Port-{port}]: Port {port} is in use" for port in sorted(busy)]
    if errors:
        raise Failed(1, "error execution phase preflight: " + "; ".join(errors))


def missing_authorities(machine: Machine) -> list[str]:
    """CA files that a control plane needs and that are not there."""
    return [name for name in AUTHORITIES if machine.files.read(f"{PKI}/{name}") is None]


def write_manifests(run: Execution, kube: ModelKube) -> None:
    """Static pods of the control plane; etcd comes when its member does."""
    for name in sorted(CONTROL_PLANE_MANIFESTS - {"etcd.yaml"}):
        run.machine.files.write(f"{MANIFESTS}/{name}", f"# cluster {kube.etcd.id}\n".encode(), 0o600)


def keep_manifests(machine: Machine) -> None:
    """The copy that lost static pods are restored from."""
    found = {name: machine.files.read(f"{MANIFESTS}/{name}") for name in CONTROL_PLANE_MANIFESTS}
    machine.kept_manifests = {name: content for name, content in found.items() if content is not None}


def write_kubeconfig(run: Execution, path: str, kube: ModelKube) -> None:
    """A kubeconfig, unless a good one is there."""
    if run.machine.files.read(path) is None:
        run.machine.files.write(path, f"server: https://{kube.domain}:{kube.port}\n".encode(), 0o600)


async def init(run: Execution, op: KubeadmInit) -> None:
    """``kubeadm init``."""
    machine = run.machine
    config = configs.read_init(op.config, machine.hostname, machine.address)
    for file in op.files:
        machine.files.write(file.path, file.content, file.mode)
    machine.files.write(f"{op.directory}/etc/kubeadm-init.yaml", op.config, 0o600)
    run.world.ledger.init_starts[run.owner] += 1
    await run.spend(0.1)
    preflight_tools(run)
    preflight_control_plane(run)
    missing = missing_authorities(machine)
    if missing:
        run.world.violate(f"{machine.name}: kubeadm init without our own authorities: {', '.join(missing)}")
        raise Failed(1, f"error execution phase certs: missing {', '.join(missing)}")
    _forbid_second_cluster(run)
    kube = run.world.new_kube(run.owner, machine.files.text(f"{PKI}/ca.crt"), config.domain, config.port, config.version)
    for path in (ADMIN_CONF, KUBELET_CONF):
        write_kubeconfig(run, path, kube)
    machine.units.start("kubelet", run.now)
    await run.spend(0.2)
    write_manifests(run, kube)
    member = kube.etcd.found(config.node.name, f"https://{config.node.address}:2380", machine.name)
    machine.files.write(ETCD_DATA, f"{kube.etcd.id}/{member.id}".encode())
    machine.files.write(f"{MANIFESTS}/etcd.yaml", f"# cluster {kube.etcd.id}\n".encode(), 0o600)
    await run.until(
        CONTROL_PLANE_TIMEOUT,
        "waiting for the control plane",
        lambda: run.world.planes.api_at(machine, kube.domain, kube.port, kube, run.now),
    )
    await run.spend(0.4)
    if not run.world.planes.api_at(machine, kube.domain, kube.port, kube, run.now):
        raise Failed(1, "error execution phase upload-config: the API server does not answer")
    taints = config.node.effective_taints(control_plane=True)
    kube.add_node(config.node.name, machine.name, config.node.address, control_plane=True, taints=taints)
    kube.configured = True
    await run.spend(0.3)
    keep_manifests(machine)
    successes = run.world.ledger.init_successes
    successes[run.owner] += 1
    if successes[run.owner] > 1:
        run.world.violate(f"kubeadm init succeeded {successes[run.owner]} times for cluster {run.owner}")


def _forbid_second_cluster(run: Execution) -> None:
    before = run.world.kube_of(run.owner)
    if before is not None and len(before.nodes) > 1:
        run.world.violate(f"{run.machine.name}: kubeadm init although {len(before.nodes)} nodes have joined")


async def join(run: Execution, op: KubeadmJoin) -> None:
    """``kubeadm join``, worker or control plane."""
    machine = run.machine
    config = configs.read_join(op.config, machine.hostname, machine.address)
    for file in op.files:
        machine.files.write(file.path, file.content, file.mode)
    await run.spend(0.1)
    preflight_tools(run)
    _preflight_join(run, control_plane=config.control_plane)
    kube = await _discover(run, config)
    if config.control_plane:
        await joinmaster.join(run, config, kube)
        keep_manifests(machine)
    else:
        machine.files.write(f"{PKI}/ca.crt", kube.ca.encode())
        await register(run, config, kube)
    run.world.ledger.join_successes[machine.name] += 1


def _preflight_join(run: Execution, *, control_plane: bool) -> None:
    machine = run.machine
    errors = []
    if machine.files.exists(KUBELET_CONF):
        errors.append("[ERROR FileAvailable--etc-kubernetes-kubelet.conf]: /etc/kubernetes/kubelet.conf already exists")
    if not control_plane and machine.files.exists(f"{PKI}/ca.crt"):
        errors.append("[ERROR FileAvailable--etc-kubernetes-pki-ca.crt]: /etc/kubernetes/pki/ca.crt already exists")
    if machine.units.active("kubelet") and 10250 in machine.hardware.busy_ports:
        errors.append("[ERROR Port-10250]: Port 10250 is in use")
    if errors:
        raise Failed(1, "error execution phase preflight: " + "; ".join(errors))
    if control_plane:
        preflight_control_plane(run)
        missing = missing_authorities(machine)
        if missing:
            raise Failed(1, f"failure loading certificate: couldn't load the certificate file {PKI}/{missing[0]}")


async def _discover(run: Execution, config: configs.JoinConfig) -> ModelKube:
    def found() -> ModelKube | None:
        for kube in run.world.planes.by_ca.values():
            if run.world.planes.api_at(run.machine, config.domain, config.port, kube, run.now):
                return kube
        return None

    await run.until(config.timeout, "couldn't validate the identity of the API Server", lambda: found() is not None)
    kube = found()
    assert kube is not None
    if paper.ca_hash(kube.ca) not in config.ca_hashes:
        raise Failed(
            1, f'cluster CA found in cluster-info ConfigMap is invalid: none of the public keys "{paper.ca_hash(kube.ca)}" are pinned'
        )
    if not kube.configured:
        raise Failed(1, 'failed to get config map: configmaps "kubeadm-config" not found')
    if not kube.token_valid(config.token, run.now):
        raise Failed(1, f'could not find a JWS signature in the cluster-info ConfigMap for token ID "{config.token[:6]}"')
    return kube


async def register(run: Execution, config: configs.JoinConfig, kube: ModelKube) -> None:
    """Start kubelet with its bootstrap and wait until the Node is registered."""
    machine = run.machine
    run.world.planes.sync_nodes(kube, run.now)
    same = kube.nodes.get(config.node.name)
    if same is not None and same.ready:
        raise Failed(1, f'a Node with name "{config.node.name}" and status "Ready" already exists in the cluster')
    write_kubeconfig(run, KUBELET_CONF, kube)
    machine.units.start("kubelet", run.now)
    await run.spend(0.4)
    await run.until(
        CONTROL_PLANE_TIMEOUT, "kubelet TLS bootstrap", lambda: run.world.planes.api_at(machine, kube.domain, kube.port, kube, run.now)
    )
    taints = config.node.effective_taints(control_plane=config.control_plane)
    kube.add_node(config.node.name, machine.name, config.node.address, control_plane=False, taints=taints)
    await run.spend(0.2)


async def reset(run: Execution) -> None:
    """``kubeadm reset -f`` and what it leaves behind."""
    await run.spend(0.4)
    await resetting.leave_etcd(run)
    await run.spend(0.3)
    resetting.wipe(run)
    await run.spend(0.3)
