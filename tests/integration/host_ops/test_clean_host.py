"""A cleaned machine is as it was before, and what is left is told."""

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
