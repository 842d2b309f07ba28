"""One look at a host, through a real sshd."""

import asyncio
import base64
import shutil
import socket
import time

import pytest

from sealcluster.core.errors import TransientError
from sealcluster.core.facts import ManagedFile, Owner
from sealcluster.core.ops import Claim, File, PutFiles, WriteHosts
from sealcluster.core.ports import FactsQuery
from sealcluster.host.facts import TOOLS
from sealcluster.host.hosts import SshHosts
from sealcluster.ssh.command import PATH
from sshkit.machine import OURS, digest, job, machine


@pytest.fixture
async def m1(tmp_path):
    with machine(tmp_path) as made:
        yield made
        await made.close()


def everything_below(folder):
    return {
        p: (p.lstat().st_mtime_ns, p.read_bytes() if p.is_file() else None)
        for p in folder.rglob("*")
        if not p.is_relative_to(folder / "proc")
    }


ALL = FactsQuery(files=("/etc/hosts", "/etc/missing"), etcd=True, certificates=True, preflight=True, probe=(("127.0.0.1", 1),))


async def test_a_bare_machine(m1):
    m1.free()
    port = m1.port()
    facts = await port.facts(ALL)
    assert facts.machine_id == "0123456789abcdef0123456789abcdef"
    assert facts.hostname == socket.gethostname()
    assert (facts.os_id, facts.os_version, facts.arch) == ("debian", "12", "amd64")
    assert facts.systemd == 252
    assert facts.cpus >= 1
    assert facts.memory_mib > 100
    assert facts.disks["/var/lib"].total >= facts.disks["/var/lib"].free > 0
    assert m1.sshd.port in facts.listening
    assert facts.tools_missing == {tool for tool in TOOLS.split() if shutil.which(tool, path=PATH) is None}
    assert (facts.owner, facts.fence, facts.journal, facts.jobs, facts.parts) == (None, 0, {}, {}, frozenset())
    assert (facts.hosts_block, facts.kubelet_conf, facts.etcd, facts.leftovers) == (None, False, None, ())
    assert abs(facts.skew) < 0.5
    assert port.commands == 1


async def test_looking_changes_nothing(m1):
    before = everything_below(m1.box.root)
    await m1.port().facts(ALL)
    assert everything_below(m1.box.root) == before


async def test_skew_is_against_the_observers_clock(m1):
    slow = SshHosts(layout=m1.box.layout, clock=lambda: time.time() - 60)
    m1.hosts.append(slow)
    assert abs((await slow.host(m1.target).facts(FactsQuery())).skew - 60) < 1


async def test_what_we_wrote_is_found_again(m1):
    port = m1.port()
    await port.run(job(Claim("c1", "m1"), "claim"), 1, OURS)
    await port.run(job(WriteHosts((("10.0.0.1", "sealos.hub"), ("10.0.0.2", "apiserver.cluster.local"))), "hosts"), 1, OURS)
    await port.run(job(PutFiles((File("/etc/a file", b"one"), File("/etc/b", b"two"))), "files"), 1, OURS)
    m1.file("/etc/b").write_bytes(b"changed")
    facts = await port.facts(FactsQuery(files=("/etc/hosts",)))
    assert facts.owner == Owner("c1", "m1")
    assert facts.fence == OURS.number
    assert facts.hosts_block == "10.0.0.1 sealos.hub\n10.0.0.2 apiserver.cluster.local\n"
    assert facts.files["/etc/a file"] == ManagedFile(digest("one"), digest("one"))
    assert facts.files["/etc/b"] == ManagedFile(digest("two"), digest("changed"))
    assert facts.files["/etc/hosts"] == ManagedFile("", digest(m1.file("/etc/hosts").read_text()))
    m1.file("/etc/b").unlink()
    assert (await port.facts(FactsQuery())).files["/etc/b"].actual is None


async def test_units(m1):
    (m1.box.units / "state-kubelet.service").write_text("active")
    (m1.box.units / "state-registry.service").write_text("failed")
    facts = await m1.port().facts(FactsQuery(units=("kubelet", "containerd", "registry")))
    assert facts.units == {"kubelet": "active", "registry": "failed"}


async def test_a_master(m1):
    pki = m1.file("/etc/kubernetes/pki")
    (pki / "etcd").mkdir(parents=True)
    m1.file("/etc/kubernetes/manifests").mkdir()
    m1.file("/etc/kubernetes/manifests/etcd.yaml").write_text("x")
    for name in ("ca", "front-proxy-ca", "etcd/ca", "apiserver", "etcd/server"):
        (pki / f"{name}.crt").write_text(f"PEM of {name}\n")
    encoded = base64.b64encode(b"PEM of admin\n").decode()
    m1.file("/etc/kubernetes/admin.conf").write_text(
        f"users:\n- user:\n    client-certificate-data: {encoded}\n    client-key-data: c2VjcmV0\n"
    )
    m1.file("/etc/kubernetes/kubelet.conf").write_text("users:\n- user:\n    client-certificate: /var/lib/kubelet/x.pem\n")
    m1.file("/etc/kubernetes/scheduler.conf").write_text("    client-certificate-data: !!!\n")
    facts = await m1.port().facts(FactsQuery(certificates=True, preflight=True))
    assert facts.certificates == {
        "apiserver": "PEM of apiserver\n",
        "etcd/server": "PEM of etcd/server\n",
        "admin.conf": "PEM of admin\n",
        "scheduler.conf": "",
    }
    assert facts.manifests == {"etcd.yaml"}
    assert facts.kubelet_conf
    assert "/etc/kubernetes/admin.conf" in facts.leftovers
    assert (await m1.port().facts(FactsQuery())).certificates == {}


CRICTL = """#!/bin/sh
case $1 in
ps) echo abc123 ;;
exec)
	case "$*" in
	*"endpoint status"*) echo '[{"Status": {"header": {"cluster_id": 1, "member_id": 2}}}]' ;;
	*"member list"*) echo '{"members": [{"ID": 2, "name": "m1", "peerURLs": ["https://10.0.0.1:2380"]}]}' ;;
	esac
	;;
esac
"""


async def test_etcd_is_asked_in_its_container(m1):
    m1.box.tool("crictl", CRICTL)
    facts = await m1.port().facts(FactsQuery(etcd=True))
    assert (facts.etcd.cluster_id, facts.etcd.member_id, facts.etcd.healthy) == ("1", "2", True)
    assert facts.etcd.members[0].name == "m1"
    assert (await m1.port().facts(FactsQuery())).etcd is None


TWO_CALLED_ETCD = {
    "crictl": """#!/bin/sh
case "$*" in
"ps "*"--label io.kubernetes.pod.namespace=kube-system"*) echo abc123 ;;
"ps "*) printf 'of-a-user\\nabc123\\n' ;;
"exec -s abc123 "*) exec @MEMBER@ "$@" ;;
esac
""",
    "ctr": """#!/bin/sh
case "$*" in
"-n k8s.io tasks ls") printf 'TASK PID STATUS\\nof-a-user 7 RUNNING\\nabc123 8 RUNNING\\n' ;;
*"containers info of-a-user") printf '{"Labels": {"io.kubernetes.container.name": "etcd", "io.kubernetes.pod.namespace": "default"}}' ;;
*"containers info abc123") printf '{"Labels": {"io.kubernetes.container.name": "etcd", "io.kubernetes.pod.namespace": "kube-system"}}' ;;
*"tasks exec"*" abc123 "*) exec @MEMBER@ "$@" ;;
esac
""",
}


@pytest.mark.parametrize("client", TWO_CALLED_ETCD)
async def test_a_users_container_that_is_called_etcd_is_not_asked(m1, client):
    m1.box.tool("member", CRICTL.replace("case $1 in", "case exec in"))
    m1.box.tool(client, TWO_CALLED_ETCD[client].replace("@MEMBER@", str(m1.box.bin / "member")))
    facts = await m1.port().facts(FactsQuery(etcd=True))
    assert facts.etcd.members[0].name == "m1"


async def test_probes_run_side_by_side(m1):
    with socket.create_server(("127.0.0.1", 0)) as open_port:
        port = open_port.getsockname()[1]
        dark = tuple((f"192.0.2.{n}", 80) for n in range(100, 110))
        began = time.monotonic()
        facts = await m1.port().facts(FactsQuery(probe=(("127.0.0.1", port), ("127.0.0.1", 1), *dark)))
    assert facts.answers == {("127.0.0.1", port)}
    assert time.monotonic() - began < 8


async def test_start_up_files_may_print_what_they_like(m1, tmp_path):
    m1.sshd.stop()
    m1.sshd.extra = "ForceCommand printf 'Welcome \\377\\n=abc end\\n'; exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\""
    m1.sshd.start()
    assert (await m1.port().facts(FactsQuery())).os_id == "debian"


async def test_files_of_hosts_are_text_or_not(m1):
    m1.file("/etc/hosts").write_bytes(b"127.0.0.1 localhost\n\xff\xfe\x00\n# BEGIN sealcluster\n10.0.0.1 a\n# END sealcluster")
    m1.file("/etc/kubernetes/manifests").mkdir(parents=True)
    m1.file("/etc/kubernetes/manifests/=x end").write_text("x")
    facts = await m1.port().facts(FactsQuery())
    assert facts.hosts_block == "10.0.0.1 a\n"
    assert facts.manifests == {"=x end"}


@pytest.mark.parametrize("tail", ["", "# BEGIN sealcluster\n"], ids=["ended", "without an end"])
async def test_a_hosts_file_of_any_length_can_be_looked_at(m1, tail):
    block = "" if tail else "# BEGIN sealcluster\n10.0.0.1 a\n# END sealcluster\n"
    lines = "".join(f"0.0.0.0 tracker-{n}.advertising.example.com\n" for n in range(110_000))
    m1.file("/etc/hosts").write_text(f"127.0.0.1 localhost\n{tail}{lines}{block}")
    assert (await m1.port().facts(FactsQuery())).hosts_block == (None if tail else "10.0.0.1 a\n")


async def test_an_answer_that_breaks_off_is_transient(m1):
    m1.box.tool("df", "#!/bin/sh\nkill -9 $PPID\n")
    with pytest.raises(TransientError, match="ends too early"):
        await m1.port().facts(FactsQuery())


async def test_many_looks_at_once_share_one_connection(m1):
    port = m1.port()
    await asyncio.gather(*(port.facts(FactsQuery()) for _ in range(6)))
    assert len(m1.sshd.sessions()) == 1
    assert port.host_key == m1.sshd.host_key


async def test_a_machine_without_the_tools_is_looked_at_all_the_same(m1, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("sh", "cat", "date", "uname", "awk", "df", "nproc", "grep", "cut", "tr", "xargs", "sha256sum", "head", "timeout"):
        found = next(p for p in (f"/usr/bin/{name}", f"/bin/{name}") if __import__("os").path.exists(p))
        (bare / name).symlink_to(found)
    from sealcluster.host.layout import Layout

    hosts = SshHosts(layout=Layout(m1.box.layout.prefix, str(bare)))
    m1.hosts.append(hosts)
    facts = await hosts.host(m1.target).facts(FactsQuery(preflight=True))
    assert {"bash", "flock", "systemd-run", "tar"} <= facts.tools_missing
    assert facts.addresses
    assert facts.systemd == 0
