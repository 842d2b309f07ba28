"""The root file system is put together from parts and completed with files."""

import os
import shutil

from sealcluster.core.ops import File, InstallRootfs
from sealcluster.core.ports import FactsQuery
from sshkit.ops import ROOT, do, done, part, tree
from sshkit.sandbox import small_disk


async def test_a_root_file_system_is_unpacked_and_completed(m1):
    parts = (part(m1, {"bin/kubeadm": b"k", "bin/old": b"o"}), part(m1, {"etc/a.conf": b"raw", "scripts/init.sh": b"i"}))
    registry = m1.file(f"{ROOT}/registry/docker/x")
    registry.parent.mkdir(parents=True)
    registry.write_text("blob")
    await done(m1, InstallRootfs(ROOT, parts, (File("etc/a.conf", b"rendered", 0o644),), keep_parts=True))
    folder = m1.file(ROOT)
    assert tree(folder) == {
        "bin/kubeadm": b"k",
        "bin/old": b"o",
        "etc/a.conf": b"rendered",
        "scripts/init.sh": b"i",
        "registry/docker/x": b"blob",
    }
    assert (folder / "bin/kubeadm").stat().st_mode & 0o111
    assert (await m1.port_.facts(FactsQuery())).parts == set(parts)

    new = part(m1, {"bin/kubeadm": b"k2", ".hidden": b"h"})
    await done(m1, InstallRootfs(ROOT, (new,)))
    assert tree(folder) == {"bin/kubeadm": b"k2", ".hidden": b"h", "registry/docker/x": b"blob"}
    assert new not in (await m1.port_.facts(FactsQuery())).parts
    assert sorted(f.name for f in folder.parent.iterdir()) == ["rootfs"]


async def test_an_installation_that_was_interrupted_starts_over(m1):
    first = part(m1, {"bin/a": b"1"})
    for suffix in (".new", ".old"):
        (m1.file(ROOT + suffix) / "junk").mkdir(parents=True)
    await done(m1, InstallRootfs(ROOT, (first,)))
    assert tree(m1.file(ROOT)) == {"bin/a": b"1"}


async def test_a_part_that_is_not_there_is_named(m1):
    result = await do(m1, InstallRootfs(ROOT, ("ab" * 32,)))
    assert result.rc == 66
    assert "ab" * 32 in result.log
    assert not m1.file(f"{ROOT}/bin").exists()


async def test_half_a_tree_does_not_keep_the_disk_full(m1):
    with small_disk(m1.file("/var/lib/sealos"), "3m"):
        await done(m1, InstallRootfs(ROOT, (part(m1, {"bin/a": b"1"}),)))
        large = part(m1, {"bin/a": b"2", "bin/large": os.urandom(6_000_000)})
        result = await do(m1, InstallRootfs(ROOT, (large,)))
        assert result.rc == 1
        assert "100%" in result.log
        assert tree(m1.file(ROOT)) == {"bin/a": b"1"}
        assert not m1.file(f"{ROOT}.new").exists()


async def test_a_tree_is_installed_whole_or_not_at_all(m1, little):
    """There is one page left for the list of its entries."""
    names = {f"{number:03}-{'x' * 60}" for number in range(100)}
    new = part(m1, dict.fromkeys(names, b"x"))
    full = f"cat /dev/zero >{little}/filler 2>/dev/null; truncate -s -4096 {little}/filler"
    m1.box.tool("xargs", f'#!/bin/sh\n{full}\nexec {shutil.which("xargs")} "$@"\n')
    assert (await do(m1, InstallRootfs(ROOT, (new,), keep_parts=True))).rc != 0
    assert tree(m1.file(ROOT)) == {}
    (m1.box.bin / "xargs").unlink()
    (little / "filler").unlink()
    await done(m1, InstallRootfs(ROOT, (new,)))
    assert tree(m1.file(ROOT)).keys() == names
