"""Ops that change files and run scripts."""

from __future__ import annotations

import hashlib

from sealcluster.core.facts import Owner
from sealcluster.core.ops import (
    Claim,
    CleanHost,
    EtcdMember,
    GenerateCSRs,
    Guest,
    InstallCertificates,
    PutFiles,
    RunScript,
    StartUnits,
    WriteHosts,
)
from sealcluster.testing.model import configs, etchosts, paper, resetting
from sealcluster.testing.model.contentops import take, unpacked
from sealcluster.testing.model.etcd import EtcdRefused
from sealcluster.testing.model.execution import Execution, Failed
from sealcluster.testing.model.machine import MANIFESTS, PKI
from sealcluster.testing.model.shell import bash

KUBERNETES = "/etc/kubernetes"


async def claim(run: Execution, op: Claim) -> None:
    """The machine learns whose it is. The owner file is written at the very start: the journal needs its directory."""
    await run.spend(1.0)
    if op.hostname is not None:
        run.machine.hostname = op.hostname
    run.machine.owner = Owner(op.cluster_id, op.name)


async def write_hosts(run: Execution, op: WriteHosts) -> None:
    """Replace our block."""
    await run.spend(1.0)
    run.machine.files.write(etchosts.PATH, etchosts.with_block(run.machine.hosts_text, op.entries).encode())


async def run_script(run: Execution, op: RunScript) -> None:
    """``bash <text>`` as sealos does."""
    await run.spend(0.6)
    await bash(run, op.cwd, f"bash {op.text}", op.env)
    await run.spend(0.4)


async def put_files(run: Execution, op: PutFiles) -> None:
    """Write and remember, remove and forget."""
    await run.spend(1.0)
    for file in op.files:
        run.machine.files.write(file.path, file.content, file.mode)
        run.machine.managed[file.path] = hashlib.sha256(file.content).hexdigest()
    for path in op.remove:
        run.machine.files.remove(path)
        run.machine.managed.pop(path, None)


async def guest(run: Execution, op: Guest) -> None:
    """Unpack an application, run its commands; the first that fails fails it."""
    for content in take(run, op.parts):
        for path, data, mode in unpacked(content):
            run.machine.files.write(f"{op.workdir}/{path}", data, mode)
    for file in op.files:
        run.machine.files.write(f"{op.workdir}/{file.path}", file.content, file.mode)
    application = op.workdir.removesuffix("/workdir").rpartition("/")[2]
    run.world.ledger.guest_runs[application] += 1
    for command in op.commands:
        await run.spend(0.9 / len(op.commands))
        await bash(run, op.workdir, command, op.env)
    for digest in op.parts:
        run.machine.store.pop(digest, None)


async def generate_csrs(run: Execution, op: GenerateCSRs) -> None:
    """Authorities, keys, requests."""
    machine = run.machine
    config = configs.read_init(op.config, machine.hostname, machine.address)
    if not machine.files.exists(f"{op.root}/bin/kubeadm"):
        raise Failed(127, f"{op.root}/bin/kubeadm: No such file or directory")
    for file in op.authorities:
        machine.files.write(file.path, file.content, file.mode)
    run.world.ledger.cas.setdefault(run.owner, set()).add(machine.files.text(f"{PKI}/ca.crt"))
    await run.spend(0.5)
    lines = []
    for name in (*paper.LEAVES, *paper.FIRST_LEAVES):
        path = _key_path(name)
        if machine.files.read(path) is None:
            server = f"server: https://{config.domain}:{config.port}\n" if name.endswith(".conf") else ""
            machine.files.write(path, (server + paper.write("PRIVATE KEY", machine=machine.machine_id, name=name)).encode(), 0o600)
        lines.append(f"== {name}\n{paper.write('CERTIFICATE REQUEST', key=f'{machine.machine_id}/{name}', node=config.node.name)}")
    run.output = "".join(lines)
    await run.spend(0.5)


def _key_path(name: str) -> str:
    return f"{KUBERNETES}/{name}.key" if name.endswith(".conf") else f"{PKI}/{name}.key"


def certificate_path(name: str) -> str:
    """Where the leaf of this name lies."""
    return f"{KUBERNETES}/{name}" if name.endswith(".conf") else f"{PKI}/{name}.crt"


async def install_certificates(run: Execution, op: InstallCertificates) -> None:
    """Certificates beside their keys; kubeconfigs whole."""
    await run.spend(0.5)
    for name, pem in op.certificates.items():
        chosen = run.machine.files.text(_key_path(name)).partition("\n")[0]
        server = f"server: {op.server}" if op.server else chosen
        text = f"{server}\n{pem}" if name.endswith(".conf") else pem
        run.machine.files.write(certificate_path(name), text.encode(), 0o600)
    await run.spend(0.5)


async def etcd_member(run: Execution, op: EtcdMember) -> None:
    """``etcdctl member remove`` or ``promote``, through the member on this machine."""
    planes = run.world.planes
    kube = planes.of(run.machine)
    if kube is None or not planes.etcd_healthy(run.machine, kube, run.now):
        raise Failed(1, "etcdctl: context deadline exceeded")
    with run.world.changing_masters(kube, run.machine.name):
        await run.spend(1.0)
        member = kube.etcd.members.get(op.member_id)
        try:
            if op.action == "remove" and member is not None:
                kube.etcd.remove(op.member_id)
                if not kube.etcd.quorum():
                    run.world.violate(f"{run.machine.name}: removing etcd member {op.member_id} cost the quorum")
            elif op.action == "promote" and (member is None or member.learner):
                kube.etcd.promote(op.member_id)
        except EtcdRefused as error:
            raise Failed(1, f"etcdctl: {error}") from error


def _cluster_ends(run: Execution) -> None:
    """Releasing the only machine of a cluster that nobody has joined ends that cluster: another may be initialised elsewhere."""
    kube = run.world.planes.of(run.machine)
    alone = kube is not None and all(node.machine == run.machine.name for node in kube.nodes.values())
    if alone and run.world.ledger.init_successes[run.owner] > 0 and run.owner not in run.world.deleting:
        run.world.ledger.init_successes[run.owner] -= 1


async def start_units(run: Execution, op: StartUnits) -> None:
    """``systemctl start``."""
    await run.spend(1.0)
    for unit in op.units:
        if not run.machine.units.start(unit, run.now, enable=False):
            raise Failed(5, f"Failed to start {unit}.service: Unit {unit}.service not found.")


async def restore_manifests(run: Execution) -> None:
    """What is gone comes back from the copy."""
    await run.spend(1.0)
    if not run.machine.kept_manifests:
        raise Failed(66, "this machine keeps no copy of its static pods")
    for name, content in run.machine.kept_manifests.items():
        if not run.machine.files.exists(f"{MANIFESTS}/{name}"):
            run.machine.files.write(f"{MANIFESTS}/{name}", content, 0o600)


async def clean_host(run: Execution, op: CleanHost) -> None:
    """Undo everything; who the machine belongs to goes last."""
    machine = run.machine
    await run.spend(0.2)
    _cluster_ends(run)
    await resetting.leave_etcd(run)
    await run.spend(0.2)
    resetting.wipe(run)
    for text in op.scripts:
        name = text.split()[0].removeprefix("./")
        if machine.files.exists(f"{op.root}/scripts/{name}"):
            await bash(run, f"{op.root}/scripts", f"bash {text}", op.env)
    await run.spend(0.4)
    machine.files.remove(op.root)
    machine.files.remove(op.root.rpartition("/")[0])
    machine.files.write(etchosts.PATH, etchosts.with_block(machine.hosts_text, ()).encode())
    for path in list(machine.managed):
        machine.files.remove(path)
    machine.managed.clear()
    machine.registry.trees.clear()
    machine.registry.tree = None
    machine.files.remove("/etc/cni/net.d")
    await run.spend(0.2)
    machine.store.clear()
    machine.release()
