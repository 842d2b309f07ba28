"""kubeadm init, join and reset, by a stand-in that records what it was asked."""

import pytest

from sealcluster.core.ops import File, KubeadmInit, KubeadmJoin, KubeadmReset
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
