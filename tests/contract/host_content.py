"""What lies on a machine: files, parts, and nothing after the end."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile

import pytest

from contract.rig import CLUSTER, OTHER, WORK, Rig, case, claim, fence, job, look
from sealcluster.core.errors import SealError, TerminalError, TransientError
from sealcluster.core.facts import Owner
from sealcluster.core.ops import Claim, CleanHost, File, InstallRootfs, PutFiles, WriteHosts


@case
async def managed_files_show_drift_and_are_forgotten_when_removed(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    path = f"{WORK}/managed.conf"
    wanted = hashlib.sha256(b"one").hexdigest()
    assert (await host.run(job("files", PutFiles((File(path, b"one"),))), 1, fence())).rc == 0
    found = (await look(host)).files[path]
    assert (found.recorded, found.actual) == (wanted, wanted)
    await rig.write(path, b"two")
    found = (await look(host)).files[path]
    assert (found.recorded, found.actual) == (wanted, hashlib.sha256(b"two").hexdigest())
    assert (await host.run(job("files", PutFiles((), (path,)), "gone"), 2, fence())).rc == 0
    assert path not in (await look(host)).files
    assert await rig.read(path) is None


@case
async def our_block_of_etc_hosts_leaves_other_lines_alone(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    before = await rig.read("/etc/hosts") or b""
    await host.run(job("hosts", WriteHosts((("10.1.1.1", "a.example"), ("10.1.1.2", "b.example")))), 1, fence())
    assert (await look(host)).hosts_block == "10.1.1.1 a.example\n10.1.1.2 b.example\n"
    await host.run(job("hosts", WriteHosts((("10.1.1.3", "a.example"),)), "second"), 2, fence())
    assert (await look(host)).hosts_block == "10.1.1.3 a.example\n"
    assert (await rig.read("/etc/hosts") or b"").startswith(before)
    await host.run(job("hosts", WriteHosts(()), "none"), 3, fence())
    assert (await look(host)).hosts_block is None
    assert await rig.read("/etc/hosts") == before


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


@case
async def parts_of_an_earlier_boot_are_looked_at_before_they_are_believed(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    digest, file = rig.part(b"a" * 100_000)
    await host.send(digest, file, CLUSTER)
    await rig.power_cycle()
    host = rig.connect()
    assert (await look(host)).parts == frozenset()
    lacking = await host.missing([digest])
    assert lacking <= {digest}
    assert (await look(host)).parts == {digest} - lacking
    await host.send(digest, file, CLUSTER)
    assert (await look(host)).parts == {digest}


@case
async def a_part_travels_once(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    content = packed({"bin/tool": b"x" * 100_000})
    digest, path = rig.part(content)
    assert await host.missing([digest, "0" * 64]) == {digest, "0" * 64}
    assert await host.send(digest, path, CLUSTER) == len(content)
    assert await host.missing([digest, "0" * 64]) == {"0" * 64}
    assert await host.send(digest, path, CLUSTER) == 0
    assert digest in (await look(host)).parts


@case
async def a_part_that_lies_about_its_digest_never_enters_the_store(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    _, path = rig.part(b"something else")
    with pytest.raises(SealError):
        await host.send("1" * 64, path, CLUSTER)
    assert "1" * 64 not in (await look(host)).parts


@case
async def a_part_is_not_for_a_machine_of_somebody_else(rig: Rig) -> None:
    host = rig.connect()
    digest, path = rig.part(b"x" * 1000)
    with pytest.raises(TransientError):
        await host.send(digest, path, CLUSTER)
    await claim(host)
    with pytest.raises(TerminalError) as error:
        await host.send(digest, path, OTHER)
    assert error.value.reason == "HostOfAnotherCluster"
    assert (await look(host)).parts == frozenset()
    assert await host.missing([digest]) == {digest}


@case
async def a_root_file_system_is_replaced_whole(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    root = f"{WORK}/rootfs"
    one, two = packed({"bin/a": b"a1", "bin/old": b"old"}), packed({"bin/a": b"a2"})
    for number, content in enumerate((one, two), 1):
        digest, path = rig.part(content)
        await host.send(digest, path, CLUSTER)
        op = InstallRootfs(root, (digest,), (File("etc/rendered.conf", f"v{number}".encode(), 0o644),))
        assert (await host.run(job("rootfs", op, str(number)), number, fence())).rc == 0
        assert digest not in (await look(host)).parts
    assert await rig.read(f"{root}/bin/a") == b"a2"
    assert await rig.read(f"{root}/bin/old") is None
    assert await rig.read(f"{root}/etc/rendered.conf") == b"v2"


@case
async def a_root_file_system_without_its_parts_fails_and_says_so(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    result = await host.run(job("rootfs", InstallRootfs(f"{WORK}/rootfs", ("2" * 64,))), 1, fence())
    assert result.rc != 0
    assert "2" * 12 in result.log


@case
async def a_cleaned_machine_is_nobodys_again(rig: Rig) -> None:
    host = rig.connect()
    before = await rig.read("/etc/hosts")
    await claim(host, 7)
    await host.run(job("hosts", WriteHosts((("10.1.1.1", "a.example"),))), 1, fence(7))
    await host.run(job("files", PutFiles((File(f"{WORK}/f", b"x"),))), 1, fence(7))
    clean = job("clean", CleanHost(f"{WORK}/rootfs", hosts_names=("a.example",)))
    assert (await host.run(clean, 1, fence(7))).rc == 0
    facts = await look(host)
    assert (facts.owner, facts.fence, dict(facts.journal), dict(facts.files)) == (None, 0, {}, {})
    assert facts.hosts_block is None
    assert await rig.read("/etc/hosts") == before
    assert await rig.read(f"{WORK}/f") is None
    for late in (clean, job("files", PutFiles((File(f"{WORK}/f", b"x"),)), "late")):
        with pytest.raises(TransientError):
            await rig.connect().run(late, 1, fence(7))
    assert await rig.read(f"{WORK}/f") is None
    result = await host.run(job("claim", Claim(OTHER, "n1"), "other"), 1, fence(1, OTHER))
    assert result.rc == 0
    assert (await look(host)).owner == Owner(OTHER, "n1")
