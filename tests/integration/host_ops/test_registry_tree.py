"""The registry's tree is prepared and completed from blobs that were sent."""

import asyncio
import shutil

import pytest

from sealcluster.core.errors import TransientError
from sealcluster.core.ops import CommitRegistry, PrepareRegistry
from sealcluster.core.ports import FactsQuery
from sshkit.jobs import until
from sshkit.ops import ROOT, blob, do, done


async def test_a_registry_tree_is_completed(m1):
    moved, kept = blob(m1, b"layer"), blob(m1, b"part")
    link = "docker/registry/v2/repositories/pause/_manifests/tags/3.10/current/link"
    root = f"{ROOT}/registry"
    op = CommitRegistry(root, (moved,), ((link, f"sha256:{moved}"),), (kept,), "sealcluster/parts")
    await done(m1, op)
    folder = m1.file(root) / "docker/registry/v2"
    assert (folder / f"blobs/sha256/{moved[:2]}/{moved}/data").read_bytes() == b"layer"
    assert (folder / f"blobs/sha256/{kept[:2]}/{kept}/data").read_bytes() == b"part"
    assert (m1.file(root) / link).read_text() == f"sha256:{moved}"
    assert (folder / f"repositories/sealcluster/parts/_layers/sha256/{kept}/link").read_text() == f"sha256:{kept}"
    assert (await m1.port_.facts(FactsQuery())).parts == {kept}
    assert await m1.port_.missing([moved, kept], root) == frozenset()
    await done(m1, op)


async def test_a_blob_that_nobody_sent_is_named(m1):
    result = await do(m1, CommitRegistry(f"{ROOT}/registry", ("ab" * 32,), ()))
    assert result.rc == 66
    assert "ab" * 32 in result.log


async def test_a_registry_is_prepared(m1):
    op = PrepareRegistry("/var/lib/registry", f"{ROOT}/registry", f"{ROOT}/etc/registry_htpasswd", "admin:$2y$hash")
    await done(m1, op)
    await done(m1, op)
    assert m1.file("/var/lib/registry").resolve() == m1.file(f"{ROOT}/registry")
    assert m1.file(f"{ROOT}/etc/registry_htpasswd").read_text() == "admin:$2y$hash\n"


async def test_a_registry_of_somebody_else_is_not_removed(m1):
    m1.file("/var/lib/registry").mkdir()
    m1.file("/var/lib/registry/data").write_text("precious")
    result = await do(m1, PrepareRegistry("/var/lib/registry", f"{ROOT}/registry", f"{ROOT}/h", "x"))
    assert result.rc == 73
    assert "move it away" in result.log
    assert m1.file("/var/lib/registry/data").read_text() == "precious"


@pytest.mark.parametrize("command", ["ln", "chmod", "mv"])
async def test_a_commit_that_broke_off_can_be_repeated(m1, command):
    moved, kept = blob(m1, b"layer"), blob(m1, b"part")
    real = shutil.which(command)
    m1.box.tool(command, f'#!/bin/sh\n{real} "$@"\n case $* in *data*) : >{m1.file("/there")}; sleep 60 ;; esac\n')
    op = CommitRegistry(f"{ROOT}/registry", (moved,), (), (kept,), "sealcluster/parts")
    running = asyncio.ensure_future(do(m1, op))
    await until(m1.file("/there").exists, f"{command} was done")
    m1.box.power_off()
    with pytest.raises(TransientError):
        await running
    (m1.box.bin / command).unlink()
    await done(m1, op)
    assert await m1.port_.missing([moved, kept], f"{ROOT}/registry") == frozenset()
    assert not list(m1.file(f"{ROOT}/registry").rglob("data.new"))


async def test_blobs_are_on_the_disk_before_they_are_believed(m1):
    names = [blob(m1, content) for content in (b"1", b"2", b"3")]
    order = m1.file("/order")
    for tool in ("sync", "mv"):
        m1.box.tool(tool, f'#!/bin/sh\necho "{tool} $*" >>{order}\nexec {shutil.which(tool)} "$@"\n')
    await done(m1, CommitRegistry(f"{ROOT}/registry", tuple(names), (), (names[0],), "sealcluster/parts"))
    lines = order.read_text().splitlines()
    flushed = [number for number, line in enumerate(lines) if line.startswith("sync -f")]
    named = [number for number, line in enumerate(lines) if line.startswith("mv") and line.endswith("/data")]
    assert len(named) == 3
    assert len(flushed) == 2
    assert flushed[0] < min(named)
    assert max(named) < flushed[1]
