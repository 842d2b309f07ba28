"""The model is as unforgiving as real machines: what kubeadm, etcd, kubelet and registries refuse, it refuses."""

import asyncio
import hashlib
import tempfile
from pathlib import Path

import pytest

from sealcluster.core.errors import TerminalError, TransientError
from sealcluster.core.facts import ClusterFacts
from sealcluster.core.ops import Claim, CleanHost, EtcdMember, File, GenerateCSRs, Job, KubeadmInit, KubeadmJoin, KubeadmReset, RunScript
from sealcluster.core.ports import Credentials, Endpoint, FactsQuery, Fence, HostKeyPolicy, HostTarget
from sealcluster.testing import clock
from sealcluster.testing.model.certs import ModelCerts
from sealcluster.testing.model.host import ModelHosts
from sealcluster.testing.model.machine import ADMIN_CONF, KUBELET_CONF, MANIFESTS, Machine
from sealcluster.testing.model.workload import ModelWorkloads
from sealcluster.testing.model.world import ModelWorld

INIT = b"""\
kind: InitConfiguration
nodeRegistration: {name: NAME}
localAPIEndpoint: {advertiseAddress: ADDRESS}
---
kind: ClusterConfiguration
kubernetesVersion: v1.34.4
controlPlaneEndpoint: api.example:6443
"""
TOKEN = "abcdef.0123456789abcdef"


class Bench:
    """Three machines with everything installed but Kubernetes' control plane, driven by hand."""

    def __init__(self, masters=3):
        self.world = ModelWorld(seed=1)
        self.certs = ModelCerts(self.world.timing)
        self.machines = [self.world.add(Machine(f"m{i}", f"10.0.0.{i}")) for i in range(1, masters + 1)]
        self.attempts = 0
        for machine in self.machines:
            for binary in ("kubeadm", "kubelet"):
                machine.files.write(f"/usr/bin/{binary}", b"x")
                machine.files.write(f"/root/bin/{binary}", b"x")
            machine.files.write("/etc/hosts", b"127.0.0.1 localhost\n10.0.0.1 api.example\n")
            machine.units.install("containerd")
            machine.units.start("containerd", 0)
            machine.units.install("kubelet")
            machine.units.table["kubelet"].enabled = True

    async def __aenter__(self):
        self.pki = await self.certs.create(None)
        for name in [m.name for m in self.machines]:
            assert (await self.run(name, Claim("c1", name))).rc == 0
        return self

    async def __aexit__(self, *_):
        await self.world.end()

    def host(self, name, **credentials):
        machine = self.world.machine(name)
        login = Credentials(**({"user": "root", "password": "secret"} | credentials))
        target = HostTarget(name, machine.address, machine.port, login, HostKeyPolicy(trust_on_first_use=True))
        return ModelHosts(self.world).host(target)

    async def run(self, name, op):
        self.attempts += 1
        return await self.host(name).run(Job(type(op).__name__, "d", op, 900.0), self.attempts, Fence("c1", 1))

    async def facts(self, name):
        return await self.host(name).facts(FactsQuery(etcd=True, preflight=True))

    def authorities(self):
        pairs = {"ca": self.pki.ca, "etcd/ca": self.pki.etcd, "front-proxy-ca": self.pki.proxy}
        files = [
            File(f"/etc/kubernetes/pki/{n}.{end}", text.encode())
            for n, pair in pairs.items()
            for end, text in zip(("crt", "key"), pair, strict=True)
        ]
        sa = zip(("pub", "key"), self.pki.sa, strict=True)
        return (*files, *(File(f"/etc/kubernetes/pki/sa.{end}", text.encode()) for end, text in sa))

    def config(self, name):
        return INIT.replace(b"NAME", name.encode()).replace(b"ADDRESS", self.world.machine(name).address.encode())

    async def certificates(self, name):
        result = await self.run(name, GenerateCSRs("/root", self.config(name), self.authorities()))
        assert result.rc == 0, result.log

    async def init(self, name="m1"):
        await self.certificates(name)
        return await self.run(name, KubeadmInit(self.config(name)))

    async def join(self, name, *, master=True, token=TOKEN, ca_hash=None, prepare=True):
        if master and prepare:
            await self.certificates(name)
        await self.workload().ensure_token(TOKEN, 600)
        text = f"""\
kind: JoinConfiguration
nodeRegistration: {{name: {name}}}
discovery:
  bootstrapToken: {{apiServerEndpoint: "api.example:6443", token: {token}, caCertHashes: ["{ca_hash or self.certs.ca_hash(self.pki)}"]}}
"""
        if master:
            text += f"controlPlane: {{localAPIEndpoint: {{advertiseAddress: {self.world.machine(name).address}}}}}\n"
        return await self.run(name, KubeadmJoin(text.encode(), "master" if master else "worker"))

    def workload(self):
        endpoints = [Endpoint(m.name, m.address, 6443) for m in self.machines]
        return ModelWorkloads(self.world).open("demo", endpoints, "api.example", self.pki)

    @property
    def kube(self):
        return self.world.kube_of("c1")


def story(function):
    """Run an async test with a bench in virtual time."""

    def test():
        async def main():
            async with Bench() as bench:
                await function(bench)

        clock.run(main(), limit=50_000)

    test.__name__ = function.__name__
    test.__doc__ = function.__doc__
    return test


@story
async def test_init_makes_an_api_a_node_and_one_etcd_member(bench):
    assert (await bench.workload().facts()) == ClusterFacts(error="no master answered")
    result = await bench.init()
    assert result.rc == 0, result.log
    facts = await bench.workload().facts()
    assert facts.ready_masters == {"m1"}
    assert facts.nodes["m1"].control_plane
    assert not facts.nodes["m1"].ready
    assert "cni" in facts.nodes["m1"].message
    etcd = (await bench.facts("m1")).etcd
    assert (etcd.healthy, [m.name for m in etcd.members]) == (True, ["m1"])
    assert bench.world.ledger.init_successes == {"c1": 1}


@story
async def test_init_on_a_used_machine_fails_before_it_does_anything(bench):
    await bench.init()
    result = await bench.run("m1", KubeadmInit(bench.config("m1")))
    assert result.rc == 1
    assert "FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml" in result.log
    assert "Port-6443" in result.log
    assert bench.world.ledger.init_successes == {"c1": 1}


@story
async def test_init_without_our_authorities_is_a_violation(bench):
    result = await bench.run("m1", KubeadmInit(bench.config("m1")))
    assert result.rc == 1
    assert "without our own authorities" in bench.world.ledger.violations[0]


@story
async def test_a_second_init_success_is_a_violation(bench):
    await bench.init()
    await bench.run("m1", KubeadmReset())
    assert (await bench.init()).rc == 0
    assert "succeeded 2 times" in bench.world.ledger.violations[-1]


@story
async def test_init_interrupted_by_power_loss_leaves_half_a_control_plane(bench):
    await bench.certificates("m1")
    machine = bench.world.machine("m1")
    caller = asyncio.create_task(bench.run("m1", KubeadmInit(bench.config("m1"))))
    await _until(lambda: machine.files.names(MANIFESTS))
    bench.world.power_off(machine)
    bench.world.power_on(machine)
    with pytest.raises(TransientError):
        await caller
    facts = await bench.facts("m1")
    assert facts.jobs["KubeadmInit"].state == "interrupted"
    assert "etcd.yaml" in facts.manifests
    assert (await bench.run("m1", KubeadmInit(bench.config("m1")))).rc == 1
    assert (await bench.run("m1", KubeadmReset())).rc == 0
    assert (await bench.init()).rc == 0
    assert bench.world.ledger.violations == []


@story
async def test_a_node_is_ready_only_with_a_network_a_kubelet_and_an_api(bench):
    await bench.init()
    machine = bench.world.machine("m1")
    machine.files.write("/w/install.sh", b"model apply cni\n")
    assert (await bench.run("m1", RunScript("/w", "install.sh"))).rc == 0
    await _until_ready(bench, "m1", ready=True)
    machine.units.stop("kubelet", bench.world.now())
    await _until_ready(bench, "m1", ready=False)
    machine.units.start("kubelet", bench.world.now())
    await _until_ready(bench, "m1", ready=True)
    machine.files.write("/etc/hosts", b"127.0.0.1 localhost\n")
    await _until_ready(bench, "m1", ready=False)


async def _until(holds):
    for _ in range(10_000):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to that")


async def _until_ready(bench, name, *, ready):
    for _ in range(200):
        if (await bench.workload().facts()).nodes[name].ready is ready:
            return
        await asyncio.sleep(1)
    raise AssertionError(f"{name} did not become {'ready' if ready else 'unready'}")


@story
async def test_a_master_joins_as_a_learner_and_is_promoted(bench):
    await bench.init()
    result = await bench.join("m2")
    assert result.rc == 0, result.log
    assert [m.name for m in bench.kube.etcd.voters()] == ["m1", "m2"]
    assert (await bench.workload().facts()).ready_masters == {"m1", "m2"}


@story
async def test_joins_that_the_real_kubeadm_refuses(bench):
    await bench.init()
    wrong = await bench.join("m2", ca_hash="sha256:" + "0" * 64)
    assert "none of the public keys" in wrong.log
    expired = await bench.join("m2", token="zzzzzz.0000000000000000", prepare=False)
    assert "JWS signature" in expired.log
    bare = await bench.join("m3", prepare=False)
    assert "couldn't load the certificate file" in bare.log
    bench.world.machine("m3").files.write(KUBELET_CONF, b"x")
    used = await bench.join("m3")
    assert "FileAvailable--etc-kubernetes-kubelet.conf" in used.log
    assert all(r.rc == 1 for r in (wrong, expired, bare, used))


@story
async def test_a_worker_with_leftover_keys_is_refused(bench):
    await bench.init()
    bench.world.machine("m2").files.write("/etc/kubernetes/pki/ca.crt", b"old")
    assert "FileAvailable--etc-kubernetes-pki-ca.crt" in (await bench.join("m2", master=False)).log


@story
async def test_a_join_that_reaches_no_api_gives_up_after_five_minutes(bench):
    await bench.init()
    bench.world.network.isolated.add("m1")
    before = bench.world.now()
    bench.machines = bench.machines[1:]
    text = b"""\
kind: JoinConfiguration
discovery: {bootstrapToken: {apiServerEndpoint: "api.example:6443", token: x, caCertHashes: ["sha256:0"]}}
"""
    result = await bench.run("m2", KubeadmJoin(text))
    assert result.rc == 1
    assert 300 < bench.world.now() - before < 340


@story
async def test_a_member_whose_data_is_gone_never_comes_back_under_its_name(bench):
    await bench.init()
    await bench.join("m2")
    await bench.join("m3")
    machine = bench.world.machine("m3")
    machine.files.remove(ADMIN_CONF)
    assert (await bench.run("m3", KubeadmReset())).rc == 0
    del bench.kube.nodes["m3"]
    stale = await bench.join("m3")
    assert stale.rc == 1
    assert "lost its data" in stale.log
    member = next(m for m in bench.kube.etcd.members.values() if m.name == "m3")
    machine.files.remove(ADMIN_CONF)
    await bench.run("m3", KubeadmReset())
    assert (await bench.run("m1", EtcdMember("remove", member.id))).rc == 0
    bench.kube.nodes.pop("m3", None)
    assert (await bench.join("m3")).rc == 0


@story
async def test_without_quorum_there_is_no_api_and_no_change_of_members(bench):
    await bench.init()
    await bench.join("m2")
    await bench.join("m3")
    for name in ("m2", "m3"):
        bench.world.power_off(bench.world.machine(name))
    assert not (await bench.workload().facts()).reachable
    etcd = (await bench.facts("m1")).etcd
    assert (etcd.healthy, len(etcd.members)) == (False, 0)  # etcdctl reads the list through the quorum
    member = next(m for m in bench.kube.etcd.members.values() if m.name == "m2")
    assert (await bench.run("m1", EtcdMember("remove", member.id))).rc == 1
    for name in ("m2", "m3"):
        bench.world.power_on(bench.world.machine(name))
    await asyncio.sleep(60)
    assert (await bench.workload().facts()).ready_masters == {"m1", "m2", "m3"}


@story
async def test_cleaning_a_master_that_etcd_needs_is_a_violation(bench):
    await bench.init()
    await bench.join("m2")
    await bench.join("m3")
    bench.world.power_off(bench.world.machine("m3"))
    bench.world.machine("m2").files.remove(ADMIN_CONF)
    await bench.run("m2", CleanHost("/root"))
    assert "cost the etcd cluster its quorum" in bench.world.ledger.violations[0]


@story
async def test_wrong_credentials_sudo_and_host_keys_are_terminal(bench):
    machine = bench.world.machine("m1")
    with pytest.raises(TerminalError) as error:
        await bench.host("m1", password="wrong").facts(FactsQuery())
    assert error.value.reason == "AuthenticationFailed"
    machine.login.user, machine.login.sudo = "ops", False
    with pytest.raises(TerminalError) as error:
        await bench.host("m1", user="ops").facts(FactsQuery())
    assert error.value.reason == "SudoFailed"
    machine.login.user = "root"
    host = bench.host("m1")
    await host.facts(FactsQuery())
    pinned = host.host_key
    machine.change_host_key()
    host.target = HostTarget("m1", machine.address, 22, host.target.credentials, HostKeyPolicy(pinned=pinned))
    with pytest.raises(TerminalError) as error:
        await host.facts(FactsQuery())
    assert error.value.reason == "HostKeyMismatch"


@story
async def test_a_full_disk_fails_the_job_and_the_journal_still_says_so(bench):
    machine = bench.world.machine("m1")
    machine.files.write("/w/x.sh", b"touch /w/new\n")
    machine.files.full = True
    result = await bench.run("m1", RunScript("/w", "x.sh"))
    assert result.rc == 1
    assert "No space left on device" in result.log
    facts = await bench.facts("m1")
    assert facts.journal["RunScript"].state == "failed"
    assert facts.disks["/var/lib"].free == 0


@story
async def test_a_cut_part_goes_on_where_it_was(bench):
    content = b"x" * (5 << 20)
    digest = hashlib.sha256(content).hexdigest()
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        machine = bench.world.machine("m1")
        machine.slow = 20.0
        sending = asyncio.create_task(bench.host("m1").send(digest, Path(file.name), "c1"))
        await _until(lambda: machine.partial.get(digest, 0) >= 2 << 20)
        bench.world.network.cut.add("m1")
        with pytest.raises(TransientError):
            await sending
        bench.world.network.cut.discard("m1")
        assert 0 < await bench.host("m1").send(digest, Path(file.name), "c1") < len(content)
        assert await bench.host("m1").missing([digest]) == frozenset()


@story
async def test_a_reboot_can_take_our_lines_out_of_etc_hosts(bench):
    machine = bench.world.machine("m1")
    machine.rewrites_hosts = True
    machine.files.write("/etc/hosts", b"# BEGIN sealcluster\n10.0.0.1 api.example\n# END sealcluster\n")
    assert (await bench.facts("m1")).hosts_block == "10.0.0.1 api.example\n"
    boot = (await bench.facts("m1")).boot_id
    bench.world.power_off(machine)
    bench.world.power_on(machine)
    facts = await bench.facts("m1")
    assert facts.hosts_block is None
    assert facts.boot_id != boot


@story
async def test_skew_is_measured_against_the_observer(bench):
    bench.world.machine("m2").skew = 42.0
    assert (await bench.facts("m2")).skew == pytest.approx(42.0, abs=1)
    assert (await bench.facts("m1")).skew == pytest.approx(0.0, abs=1)


def test_a_machine_is_found_by_its_name_and_shows_its_addresses_also_after_changes():
    world = ModelWorld(seed=1)
    first = world.add(Machine("m1", "10.0.0.1"), "10.0.1.1")
    assert world.network.addresses_of(first) == {"10.0.0.1", "10.0.1.1"}
    assert set(world.machines) == {"m1"}
    second = world.add(Machine("m1", "10.0.0.1"))  # another machine takes its place
    assert world.machine("m1") is first, "which still has an address of its own, and came first"
    assert world.network.addresses_of(first) == {"10.0.1.1"}
    assert world.network.addresses_of(second) == {"10.0.0.1"}
