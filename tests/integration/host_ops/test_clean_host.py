"""A cleaned machine is as it was before, and what is left is told."""

from pathlib import PurePath

import pytest

from sealcluster.core.ops import Claim, CleanHost, File, KubeadmInit, PutFiles, WriteHosts
from sealcluster.core.ports import FactsQuery
from sshkit.ops import CONFIG, ENTRIES, ROOT, do, done, tree


@pytest.fixture
def cleanable(m1, kubeadm):
    """Commands that would reach this machine's own kernel do nothing."""
    for name in ("iptables-save", "ip6tables-save", "nft", "ipvsadm"):
        m1.box.tool(name, "#!/bin/sh\n")
    m1.box.tool(
        "ip",
        f'#!/bin/sh\ncase "$*" in *"link show"*) cat {m1.box.root}/links 2>/dev/null ;; *) echo "$@" >>{m1.box.root}/ipcalls ;; esac\n',
    )
    return m1


async def test_a_cleaned_host_is_as_it_was(cleanable):
    m1 = cleanable
    before = {p: c for p, c in tree(m1.box.root).items() if p.startswith("etc/")}
    scripts = m1.file(f"{ROOT}/scripts")
    scripts.mkdir(parents=True)
    (scripts / "clean.sh").write_text("echo cleaned $1; exit 3")
    await done(m1, Claim("c1", "m1"))
    await done(m1, WriteHosts(ENTRIES))
    await done(m1, PutFiles((File("/etc/kubernetes/x", b"x"), File("/etc/own.conf", b"x"))))
    await done(m1, KubeadmInit(CONFIG))
    m1.file("/etc/hosts").write_text(m1.file("/etc/hosts").read_text() + "10.0.0.9 sealos.hub\n10.0.0.9 sealos.hub mine\n")
    result = await done(m1, CleanHost(ROOT, ("clean.sh $criData",), {"criData": "/var/x"}, ("sealos.hub",)))
    assert "cleaned /var/x" in result.log
    assert "clean script 1: exit code 3" in result.log
    after = {p: c for p, c in tree(m1.box.root).items() if p.startswith("etc/")}
    assert after.pop("etc/hosts") == before.pop("etc/hosts") + b"10.0.0.9 sealos.hub mine\n"
    assert after == before
    assert not m1.file("/var/lib/sealos").exists()
    assert not m1.box.state.exists()
    facts = await m1.port_.facts(FactsQuery())
    assert (facts.owner, facts.journal, facts.jobs, facts.fence) == (None, {}, {}, 0)


async def test_what_is_left_is_told_and_the_host_stays_ours(cleanable):
    m1 = cleanable
    await done(m1, Claim("c1", "m1"))
    m1.file("/links").write_text("7: cni0: <UP> mtu 1500\n8: eth0@if9: <UP> mtu 1500\n")
    result = await do(m1, CleanHost(ROOT))
    assert result.rc == 1
    assert result.output == "link cni0\n"
    assert "link del cni0" in m1.file("/ipcalls").read_text()
    assert "eth0" not in m1.file("/ipcalls").read_text()
    facts = await m1.port_.facts(FactsQuery())
    assert facts.owner.cluster_id == "c1"
    assert facts.journal["CleanHost"].state == "failed"
    m1.file("/links").unlink()
    await done(m1, CleanHost(ROOT))
    assert (await m1.port_.facts(FactsQuery())).owner is None


async def test_disks_of_the_machine_itself_are_emptied_and_stay_mounted(cleanable, mount):
    m1 = cleanable
    await done(m1, Claim("c1", "m1"))
    await done(m1, KubeadmInit(CONFIG, directory=str(PurePath(ROOT).parent)))
    disks = [mount(m1.file(path), "-t", "tmpfs", "tmpfs") for path in ("/var/lib/etcd", "/var/lib/kubelet", "/var/lib/containerd", ROOT)]
    for disk in disks:
        (disk / "data").mkdir()
    await done(m1, CleanHost(ROOT))
    assert [(disk.is_mount(), list(disk.iterdir())) for disk in disks] == [(True, [])] * 4
    assert [f.name for f in m1.file(ROOT).parent.iterdir()] == ["rootfs"]


async def test_data_on_volumes_survive_the_image_s_clean_script(cleanable, mount, tmp_path):
    m1 = cleanable
    await done(m1, Claim("c1", "m1"))
    scripts = m1.file(f"{ROOT}/scripts")
    scripts.mkdir(parents=True)
    (scripts / "clean.sh").write_text(f"rm -rf {m1.file('/var/lib/kubelet')}")
    (tmp_path / "volume").mkdir()
    (tmp_path / "volume/precious").write_text("x")
    mount(m1.file("/var/lib/kubelet/pods/a b"), "--bind", tmp_path / "volume")
    await done(m1, CleanHost(ROOT, ("clean.sh",)))
    assert (tmp_path / "volume/precious").exists()


async def test_what_is_mounted_below_a_directory_that_goes_is_told_not_deleted(cleanable, mount, tmp_path):
    m1 = cleanable
    await done(m1, Claim("c1", "m1"))
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/precious").write_text("x")
    mount(m1.file("/var/log/pods/kept logs"), "--bind", tmp_path / "logs")
    result = await do(m1, CleanHost(ROOT))
    assert (result.rc, result.output) == (1, "/var/log/pods\n")
    assert "still mounted" in result.log
    assert (tmp_path / "logs/precious").exists()


async def test_what_is_left_is_noticed_on_a_full_disk_too(cleanable, little):
    m1 = cleanable
    await done(m1, Claim("c1", "m1"))
    m1.box.tool("ip", f'#!/bin/sh\ncat /dev/zero >>{little}/filler 2>/dev/null\necho "7: cni0: <UP> mtu 1500"\n')
    assert (await do(m1, CleanHost(ROOT))).rc == 1
    assert (little / "owner").exists()


async def test_keys_of_what_broke_off_go_too(cleanable):
    m1 = cleanable
    await done(m1, Claim("c1", "m1"))
    state = m1.box.state
    for path in ("requests.new/pki/apiserver.key", "requests/pki/etcd/server.key", "manifests/etcd.yaml", "fence.tmp"):
        (state / path).parent.mkdir(parents=True, exist_ok=True)
        (state / path).write_text("x")
    # what is there when the owner is about to go: the rest goes with whoever waits for the result
    m1.box.tool("sync", f'#!/bin/sh\n[ "$*" != {state} ] || ls {state} >>{m1.file("/seen")}\nexec /bin/sync "$@"\n')
    await done(m1, CleanHost(ROOT))
    assert set(m1.file("/seen").read_text().split()) == {"owner", "lock", "jobs"}


async def test_lines_of_the_image_go_from_files_of_the_machine(cleanable):
    m1 = cleanable
    await done(m1, Claim("c1", "m1"))
    file = m1.file("/etc/security/limits.conf")
    file.parent.mkdir()
    file.write_text("* soft core 0\n# sealos\n* soft nofile 65536 # sealos\n")
    file.chmod(0o640)
    await done(m1, CleanHost(ROOT))
    assert file.read_text() == "* soft core 0\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert [f.name for f in file.parent.iterdir()] == ["limits.conf"]
