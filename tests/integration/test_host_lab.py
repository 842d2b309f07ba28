"""The host adapter on real machines: systemd, sudo, reboots, a full disk, the real kubeadm."""

import asyncio
import hashlib
import io
import statistics
import tarfile
import time

import pytest

from sealab.gobuild import binary
from sealab.machines import MachineSpec
from sealcluster.core.errors import TerminalError, TransientError
from sealcluster.core.ops import Claim, CleanHost, File, GenerateCSRs, InstallCertificates, InstallRootfs, PutFiles, RunScript
from sealcluster.core.ports import CertificatePolicy, Credentials, FactsQuery, Fence, HostKeyPolicy, HostTarget, NodeIdentity
from sealcluster.host.hosts import SshHosts
from sealcluster.phases.certificates import authority_files, parse_requests
from sealcluster.pki.certs import Certificates
from sealcluster.render.kubeadm import render_csr
from sealcluster.render.kubeadm_inputs import NodeInputs
from sealcluster.render.kubeconfig import admin_kubeconfig
from sshkit.machine import job
from unit.render.kubeadm_cases import cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

FENCE = Fence("c1", 1)


@pytest.fixture(scope="module")
def lab(module_machines):
    return module_machines(
        1, MachineSpec("ops", port=2222, user="ops", auth="password", sudo="password"), MachineSpec("tiny", disk_gib=0.5)
    )


@pytest.fixture
async def hosts():
    hosts = SshHosts()
    yield hosts
    await hosts.close()


def target(machine, **credentials):
    own = {"password": machine.password} if machine.record.auth == "password" else {"private_key": machine.key.read_text()}
    keys = HostKeyPolicy(known_hosts="".join(f"[{machine.address}]:{machine.port},{machine.address} {key}\n" for key in machine.host_keys))
    return HostTarget(machine.name, machine.address, machine.port, Credentials(user=machine.user, **{**own, **credentials}), keys)


def script(machine, text):
    machine.exec("mkdir -p /work && cat >/work/script", input=text.encode())
    return RunScript("/work", "script")


async def claimed(hosts, machine, **credentials):
    """The machine, ours: nothing but a claim starts on one that is nobody's."""
    port = hosts.host(target(machine, **credentials))
    assert (await port.run(job(Claim("c1", machine.name), "claim"), 1, FENCE)).rc == 0
    return port


def unique(step="step"):
    """A step name of this test run."""
    return f"{step}-{time.time_ns()}"


async def test_a_real_machine(lab, hosts):
    machine = lab.machines["m1"]
    port = hosts.host(target(machine))
    facts = await port.facts(FactsQuery(preflight=True, units=("ssh", "kubelet"), probe=((machine.address, 22), (machine.address, 1))))
    assert (facts.machine_id, facts.hostname, facts.os_id) == (machine.machine_id, "m1", "debian")
    assert machine.address in facts.addresses
    assert facts.units == {"ssh": "active"}
    assert facts.answers == {(machine.address, 22)}
    assert facts.tools_missing == frozenset()
    assert facts.modules_missing == frozenset()
    assert facts.leftovers == ()
    assert abs(facts.skew) < 0.5
    assert port.host_key in machine.host_keys


async def test_a_faked_clock_is_seen(lab, hosts, fault):
    machine = lab.machines["m1"]
    fault.skew_clock(lab, machine, 90)
    try:
        assert abs((await hosts.host(target(machine)).facts(FactsQuery())).skew - 90) < 1
    finally:
        fault.skew_clock(lab, machine, 0)


async def test_sudo_with_a_password_on_another_port(lab, hosts):
    machine = lab.machines["ops"]
    port = await claimed(hosts, machine)
    result = await port.run(job(script(machine, "id -un; echo $registryPassword"), unique()), 1, FENCE)
    assert (result.rc, result.log) == (0, "root")
    for _ in range(3):
        assert (await port.facts(FactsQuery())).machine_id == machine.machine_id
    with pytest.raises(TerminalError) as caught:
        await hosts.host(target(machine, become_password="wrong words")).facts(FactsQuery())
    assert caught.value.reason == "SudoFailed"
    with pytest.raises(TerminalError) as caught:
        await hosts.host(target(machine, password="wrong words")).facts(FactsQuery())
    assert caught.value.reason == "AuthenticationFailed"


async def test_sudo_that_wants_a_terminal(lab, hosts):
    machine = lab.machines["ops"]
    machine.exec("echo 'Defaults requiretty' >/etc/sudoers.d/zz-tty && chmod 440 /etc/sudoers.d/zz-tty")
    try:
        port = await claimed(hosts, machine, become_password=machine.password)
        assert (await port.facts(FactsQuery())).machine_id == machine.machine_id
        assert (await port.run(job(PutFiles((File("/etc/x", b"\0\3\4\n" * 1000),)), unique()), 1, FENCE)).rc == 0
        assert machine.exec("cat /etc/x").stdout == b"\0\3\4\n" * 1000
    finally:
        machine.exec("rm /etc/sudoers.d/zz-tty")


async def test_started_five_times_at_once_it_runs_once(lab, hosts):
    machine = lab.machines["m1"]
    await claimed(hosts, machine)
    wanted = job(script(machine, "echo once >>/work/five; sleep 1"), unique("five"))
    operators = [SshHosts() for _ in range(5)]
    try:
        results = await asyncio.gather(*(o.host(target(machine)).run(wanted, 1, FENCE) for o in operators))
    finally:
        for operator in operators:
            await operator.close()
    assert [r.rc for r in results] == [0] * 5
    assert machine.exec("cat /work/five").stdout == b"once\n"


async def test_a_job_outlives_the_ssh_service(lab, hosts, fault):
    machine = lab.machines["m1"]
    wanted = job(script(machine, "echo once >>/work/outlives; while ! [ -e /work/go ]; do sleep 0.1; done; echo end"), unique("outlives"))
    running = asyncio.ensure_future((await claimed(hosts, machine)).run(wanted, 1, FENCE))
    await until(machine, "/work/outlives")
    fault.kill_sshd(lab, machine)
    machine.exec("touch /work/go")
    fault.start_sshd(lab, machine)
    assert (await running).log == "end"
    assert machine.exec("cat /work/outlives").stdout == b"once\n"


async def test_a_reboot_interrupts_a_job_and_is_seen(lab, hosts, fault):
    machine = lab.machines["m1"]
    step = unique("reboot")
    wanted = job(script(machine, "echo once >>/work/reboot; sleep 300"), step)
    port = await claimed(hosts, machine)
    before = (await port.facts(FactsQuery())).boot_id
    running = asyncio.ensure_future(port.run(wanted, 1, FENCE))
    await until(machine, "/work/reboot")
    await asyncio.to_thread(fault.reboot, lab, machine)
    with pytest.raises(TransientError, match="interrupted"):
        await running
    facts = await port.facts(FactsQuery())
    assert facts.jobs[step].state == "interrupted"
    assert before
    assert machine.exec("cat /work/reboot").stdout == b"once\n"


async def test_the_time_limit_ends_everything(lab, hosts):
    machine = lab.machines["m1"]
    wanted = job(script(machine, "setsid sleep 4711 & sleep 4712"), unique("limit"), timeout=2)
    result = await (await claimed(hosts, machine)).run(wanted, 1, FENCE)
    assert result.rc == 124
    await asyncio.to_thread(machine.exec, "for i in $(seq 100); do pgrep -f 'sleep 471[12]' || exit 0; sleep 0.1; done; exit 1")
    assert machine.exec("systemctl list-units --all --no-legend 'sealcluster-*'").stdout == b""


async def test_a_full_disk_is_named_and_heals(lab, hosts, fault):
    machine = lab.machines["tiny"]
    port = await claimed(hosts, machine)
    fault.fill_disk(lab, machine)
    try:
        with pytest.raises(TransientError) as caught:
            await port.run(job(PutFiles((File("/etc/big", b"x" * 3_000_000),)), "files"), 1, FENCE)
        assert caught.value.reason == "DiskFull"
        assert (await port.facts(FactsQuery())).owner.name == "tiny"
    finally:
        fault.free_disk(lab, machine)
    assert (await port.run(job(PutFiles((File("/etc/big", b"x" * 3_000_000),)), "files"), 1, FENCE)).rc == 0


async def test_files_are_put_quickly(lab, hosts):
    port = await claimed(hosts, lab.machines["m1"])
    await port.facts(FactsQuery())
    took = []
    for n in range(7):
        began = time.perf_counter()
        await port.run(job(PutFiles((File("/etc/quick", f"{n} {time.time_ns()}".encode()),)), unique("quick")), 1, FENCE)
        took.append(time.perf_counter() - began)
    print(f"PutFiles: median {statistics.median(took) * 1e3:.0f} ms, best {min(took) * 1e3:.0f} ms")  # noqa: T201 -- a measurement
    assert min(took) < 1


POLICY = CertificatePolicy("v1.34.4", "10.96.0.0/22", "cluster.local", 86400 * 3650, 86400 * 36500)


async def test_certificates_with_the_real_kubeadm(lab, hosts, tmp_path):
    machine = lab.machines["m1"]
    root = "/var/lib/sealos/data/certs/rootfs"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(binary("kubeadm", "v1.34.4"), "bin/kubeadm")
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    (tmp_path / "part").write_bytes(buffer.getvalue())
    port = await claimed(hosts, machine)
    await port.send(digest, tmp_path / "part", FENCE.cluster_id)
    assert (await port.run(job(InstallRootfs(root, (digest,)), unique("rootfs")), 1, FENCE)).rc == 0

    certs = Certificates(time.time, admin_kubeconfig)
    pki = await certs.create(POLICY)
    node = NodeIdentity("m1", machine.address, (), first=True)
    config = render_csr(cluster(34), NodeInputs("m1", machine.address)).encode()
    asked = await port.run(job(GenerateCSRs(root, config, authority_files(pki)), unique("csr")), 1, FENCE)
    assert asked.rc == 0, asked.log
    signed = await certs.sign(pki, node, POLICY, parse_requests(asked.output), time.time())
    installed = await port.run(job(InstallCertificates(signed, pki.ca[0], "https://apiserver.cluster.local:6443"), unique("crt")), 1, FENCE)
    assert installed.rc == 0, installed.log
    facts = await port.facts(FactsQuery(certificates=True))
    assert set(facts.certificates) == set(signed)
    assert certs.missing(pki, node, POLICY, facts.certificates, time.time()) == ()
    # kubeadm accepts all of it as complete: it makes nothing new
    machine.exec("cat >/work/init.yaml", input=config)
    made = machine.exec(f"{root}/bin/kubeadm init phase certs all --config /work/init.yaml 2>&1").stdout.decode()
    assert "Generating" not in made, made

    again = await port.run(job(GenerateCSRs(root, config, authority_files(pki)), unique("csr")), 1, FENCE)
    assert again.rc == 0, again.log
    renewed = await certs.sign(pki, node, POLICY, parse_requests(again.output), time.time())
    assert (
        await port.run(job(InstallCertificates(renewed, pki.ca[0], "https://apiserver.cluster.local:6443"), unique("crt")), 1, FENCE)
    ).rc == 0


async def test_a_clean_machine_afterwards(lab, hosts):
    machine = lab.machines["m1"]
    port = await claimed(hosts, machine)
    machine.exec(
        "ip link add cni0 type bridge; iptables -N KUBE-TEST; iptables -A INPUT -j KUBE-TEST; iptables -A INPUT -p tcp --dport 1 -j ACCEPT;"
        " mkdir -p /var/lib/kubelet/x /var/log/pods/y /etc/cni/net.d; mount -t tmpfs tmpfs /var/lib/kubelet/x"
    )
    result = await port.run(job(CleanHost("/var/lib/sealos/data/certs/rootfs"), unique("clean")), 1, FENCE)
    assert result.rc == 0, f"{result.log}\n{result.output}"
    rules = machine.exec("iptables-save").stdout
    assert b"KUBE" not in rules
    assert b"--dport 1 -j ACCEPT" in rules
    left = machine.exec(
        "ip -o link show; ls -d /etc/kubernetes /etc/cni /var/lib/kubelet /var/log/pods /var/lib/sealos /var/lib/sealcluster 2>/dev/null; true"
    )
    assert b"cni0" not in left.stdout
    assert b"/var/lib" not in left.stdout
    assert (await port.facts(FactsQuery())).owner is None


async def until(machine, path):
    await asyncio.to_thread(machine.exec, f"for i in $(seq 300); do [ -e {path} ] && exit 0; sleep 0.1; done; exit 1")
