"""kubeadm init, join and reset, by a stand-in that records what it was asked."""

import pytest

from sealcluster.core.ops import File, KubeadmInit, KubeadmJoin, KubeadmReset, RestoreManifests
from sshkit.ops import CONFIG, do, done


async def test_init(m1, kubeadm):
    op = KubeadmInit(CONFIG, (File("/etc/kubernetes/audit-policy.yml", b"audit"),), "/var/lib/sealos/data/default")
    result = await done(m1, op)
    kept = m1.file("/var/lib/sealos/data/default/etc/kubeadm-init.yaml")
    assert kept.read_bytes() == CONFIG
    assert kept.stat().st_mode & 0o777 == 0o600
    assert m1.file("/given").read_bytes() == CONFIG
    assert m1.file("/etc/kubernetes/audit-policy.yml").read_bytes() == b"audit"
    assert m1.file("/root/.kube/config").read_text() == "admin\n"
    assert m1.file("/root/.kube/config").stat().st_mode & 0o777 == 0o600
    assert "abcdef.0123456789abcdef" not in result.log
    for flag in ("--skip-certificate-key-print", "--skip-token-print", "--ignore-preflight-errors=SystemVerification"):
        assert flag in kubeadm.read_text()


async def test_a_failed_init_tells_its_exit_code(m1, kubeadm):
    m1.file("/code").write_text("42")
    assert (await do(m1, KubeadmInit(CONFIG))).rc == 42
    assert not m1.file("/root/.kube/config").exists()


@pytest.mark.parametrize("role", ["master", "worker"])
async def test_only_masters_get_the_admin_kubeconfig(m1, kubeadm, role):
    await done(m1, KubeadmJoin(CONFIG, role))
    assert m1.file("/root/.kube/config").exists() == (role == "master")
    left = [f for f in m1.box.root.rglob("*") if f.is_file() and not f.is_relative_to(m1.box.root / "proc") and f.name != "given"]
    assert not [f for f in left if b"abcdef.0123456789abcdef" in f.read_bytes() and f.name != "log"]


async def test_reset(m1, kubeadm):
    await done(m1, KubeadmInit(CONFIG))
    for path in ("/etc/kubernetes/pki/ca.key", "/var/lib/etcd/member/wal", "/var/lib/kubelet/config.yaml"):
        m1.file(path).parent.mkdir(parents=True, exist_ok=True)
        m1.file(path).write_text("x")
    await done(m1, KubeadmReset())
    assert [str(p) for p in m1.file("/etc/kubernetes").iterdir()] == []
    assert not m1.file("/var/lib/etcd").exists()
    assert not m1.file("/var/lib/kubelet").exists()
    await done(m1, KubeadmReset())


VOLUMES = "/var/lib/kubelet/plugins/kubernetes.io/vsphere-volume/mounts"


@pytest.fixture
def volume(tmp_path):
    """What somebody keeps on a volume."""
    precious = tmp_path / "volume/precious"
    precious.parent.mkdir()
    precious.write_text("x")
    return precious


@pytest.mark.parametrize("name", ["plain", "[datastore1] volumes", "back\\slash", "tab\tand\nbreak"])
async def test_data_on_volumes_survive_a_reset(m1, kubeadm, volume, mount, name):
    m1.box.tool("kubeadm", f"#!/bin/sh\nrm -rf {m1.file('/var/lib/kubelet')}\n")
    mount(m1.file(VOLUMES) / name, "--bind", volume.parent)
    await done(m1, KubeadmReset())
    assert volume.exists()
    assert not m1.file("/var/lib/kubelet").exists()


async def test_nothing_is_deleted_while_a_volume_is_mounted(m1, kubeadm, volume, mount):
    m1.box.tool("kubeadm", f"#!/bin/sh\nrm -rf {m1.file('/var/lib/kubelet')}\n")
    m1.box.tool("umount", "#!/bin/sh\nexit 32\n")
    point = mount(m1.file(VOLUMES) / "a b", "--bind", volume.parent)
    result = await do(m1, KubeadmReset())
    assert result.rc == 1
    assert f"volumes cannot be unmounted: {point.parent}/a\\040b" in result.log
    assert volume.exists()


async def test_what_is_mounted_below_a_directory_that_goes_is_not_entered(m1, kubeadm, volume, mount):
    mount(m1.file("/var/lib/etcd/backup"), "--bind", volume.parent)
    result = await do(m1, KubeadmReset())
    assert result.rc == 1
    assert "/var/lib/etcd is still there" in result.log
    assert volume.exists()


@pytest.mark.parametrize("path", ["/var/lib/etcd", "/var/lib/kubelet"])
async def test_a_disk_of_the_machine_itself_is_emptied_and_stays_mounted(m1, kubeadm, mount, path):
    disk = mount(m1.file(path), "-t", "tmpfs", "tmpfs")
    (disk / "lost+found").mkdir()
    (disk / ".hidden").write_text("x")
    await done(m1, KubeadmReset())
    assert disk.is_mount()
    assert list(disk.iterdir()) == []


async def test_static_pods_are_on_the_disk_before_they_are_there(m1):
    order = m1.file("/order")
    for tool in ("sync", "mv"):
        m1.box.tool(tool, f'#!/bin/sh\necho "{tool} $*" >>{order}\nexec /bin/{tool} "$@"\n')
    copy = m1.box.state / "manifests/etcd.yaml"
    copy.parent.mkdir()
    copy.write_text("kind: Pod\n")
    await done(m1, RestoreManifests())
    assert m1.file("/etc/kubernetes/manifests/etcd.yaml").read_text() == "kind: Pod\n"
    new, file = m1.file("/etc/kubernetes/.sealcluster.manifest"), m1.file("/etc/kubernetes/manifests/etcd.yaml")
    lines = order.read_text().splitlines()
    assert lines.index(f"sync {new}") < lines.index(f"mv {new} {file}")
