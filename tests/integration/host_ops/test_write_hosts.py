"""Our block in /etc/hosts: other people's lines stay, whatever the file is."""

import asyncio

import pytest

from sealcluster.core.ops import WriteHosts
from sshkit.ops import ENTRIES, do, done

BLOCK = "# BEGIN sealcluster\n10.0.0.1 sealos.hub\n10.0.0.2 apiserver.cluster.local\n# END sealcluster\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("127.0.0.1 localhost\n", f"127.0.0.1 localhost\n{BLOCK}"),
        ("127.0.0.1 localhost", f"127.0.0.1 localhost\n{BLOCK}"),
        ("# mine\n::1 localhost\n127.0.0.1 localhost\n", f"# mine\n::1 localhost\n127.0.0.1 localhost\n{BLOCK}"),
        ("a\n# BEGIN sealcluster\n9.9.9.9 old\n# END sealcluster\nb\n", f"a\nb\n{BLOCK}"),
        ("a\n# BEGIN sealcluster\n9.9.9.9 torn\n", f"a\n9.9.9.9 torn\n{BLOCK}"),
        ("", BLOCK),
    ],
)
async def test_hosts_keep_other_peoples_lines(m1, before, after):
    hosts = m1.file("/etc/hosts")
    hosts.write_text(before)
    hosts.chmod(0o664)
    await done(m1, WriteHosts(ENTRIES))
    assert hosts.read_text() == after
    assert hosts.stat().st_mode & 0o777 == 0o664
    await done(m1, WriteHosts(()))
    assert "sealcluster" not in hosts.read_text()
    assert sorted(f.name for f in hosts.parent.glob("hosts*")) == ["hosts"]


async def test_a_hosts_file_that_is_a_mount_is_written_in_place(m1):
    hosts = m1.file("/etc/hosts")
    mount = await asyncio.create_subprocess_exec("mount", "--bind", hosts, hosts)
    assert await mount.wait() == 0
    try:
        await done(m1, WriteHosts(ENTRIES))
        assert hosts.read_text() == f"127.0.0.1 localhost\n{BLOCK}"
    finally:
        umount = await asyncio.create_subprocess_exec("umount", hosts)
        assert await umount.wait() == 0


async def test_the_copies_of_running_pods_follow(m1):
    ours = m1.file("/var/lib/kubelet/pods/a/etc-hosts")
    other = m1.file("/var/lib/kubelet/pods/b/etc-hosts")
    for copy, text in ((ours, "127.0.0.1 localhost\n# BEGIN sealcluster\n9.9.9.9 old\n# END sealcluster\n"), (other, "10.0.0.7 pod\n")):
        copy.parent.mkdir(parents=True)
        copy.write_text(text)
    inode = ours.stat().st_ino
    await done(m1, WriteHosts(ENTRIES))
    assert ours.read_text() == f"127.0.0.1 localhost\n{BLOCK}"
    assert ours.stat().st_ino == inode
    assert other.read_text() == "10.0.0.7 pod\n"


async def test_nothing_is_left_where_the_disk_is_full(m1):
    etc = m1.file("/etc/hosts").parent
    mount = await asyncio.create_subprocess_exec("mount", "-t", "tmpfs", "-o", "size=16k", "none", etc)
    assert await mount.wait() == 0
    try:
        (etc / "hosts").write_text("127.0.0.1 localhost\n")
        many = tuple((f"10.0.{n // 250}.{n % 250}", f"machine-{n}.example") for n in range(500))
        result = await do(m1, WriteHosts(many))
        assert result.rc != 0
        assert "the disk may be full" in result.log
        assert [f.name for f in etc.iterdir()] == ["hosts"]
        assert (etc / "hosts").read_text() == "127.0.0.1 localhost\n"
    finally:
        umount = await asyncio.create_subprocess_exec("umount", etc)
        assert await umount.wait() == 0
