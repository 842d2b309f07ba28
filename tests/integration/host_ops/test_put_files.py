"""Files are written whole, told apart from drift, and forgotten when they go."""

import os
import shutil
import subprocess

import pytest

from sealcluster.core.ops import File, PutFiles
from sealcluster.core.ports import FactsQuery
from sshkit.ops import do, done
from sshkit.sandbox import small_disk


async def test_files_are_written_whole_with_their_mode(m1):
    await done(m1, PutFiles((File("/etc/new dir/a", b"\0\xff", 0o640), File("/etc/b", b""))))
    assert m1.file("/etc/new dir/a").read_bytes() == b"\0\xff"
    assert m1.file("/etc/new dir/a").stat().st_mode & 0o7777 == 0o640
    assert m1.file("/etc/b").stat().st_mode & 0o7777 == 0o600
    assert sorted(f.name for f in m1.file("/etc/new dir").iterdir()) == ["a"]


async def test_the_same_files_again_touch_nothing(m1):
    op = PutFiles((File("/etc/a", b"x"),))
    await done(m1, op)
    before = m1.file("/etc/a").stat(), (m1.box.state / "managed").stat()
    await done(m1, op)
    after = m1.file("/etc/a").stat(), (m1.box.state / "managed").stat()
    assert [(s.st_ino, s.st_mtime_ns) for s in after] == [(s.st_ino, s.st_mtime_ns) for s in before]


async def test_a_wrong_mode_is_drift_too(m1):
    await done(m1, PutFiles((File("/etc/a", b"x", 0o600),)))
    m1.file("/etc/a").chmod(0o644)
    await done(m1, PutFiles((File("/etc/a", b"x", 0o600),)))
    assert m1.file("/etc/a").stat().st_mode & 0o777 == 0o600


async def test_removed_files_are_forgotten(m1):
    await done(m1, PutFiles((File("/etc/a", b"x"), File("/etc/b", b"y"))))
    await done(m1, PutFiles((File("/etc/b", b"z"),), remove=("/etc/a", "/etc/never")))
    facts = await m1.port_.facts(FactsQuery())
    assert list(facts.files) == ["/etc/b"]
    assert not m1.file("/etc/a").exists()


async def test_a_link_keeps_being_one(m1):
    m1.file("/etc/real").write_text("old")
    m1.file("/etc/link").symlink_to(m1.file("/etc/real"))
    await done(m1, PutFiles((File("/etc/link", b"new"),)))
    assert m1.file("/etc/link").is_symlink()
    assert m1.file("/etc/real").read_text() == "new"


async def test_only_the_file_that_is_named_is_removed(m1):
    others = [m1.file("/etc/a"), m1.file("/etc/a1")]
    for other in others:
        other.write_text("somebody's")
    await done(m1, PutFiles((File("/etc/a b", b"x"), File("/etc/a*", b"x"))))
    await done(m1, PutFiles((), remove=("/etc/a b", "/etc/a*")))
    assert sorted(m1.file("/etc").glob("a*")) == others
    assert (await m1.port_.facts(FactsQuery())).files == {}


def fills(m1, little, tool):
    """From when this command is used for the first time the disk of our state is full."""
    real = shutil.which(tool)
    m1.box.tool(tool, f'#!/bin/sh\n[ -e {little}/filler ] || cat /dev/zero >{little}/filler 2>/dev/null\nexec {real} "$@"\n')


@pytest.mark.parametrize("tool", ["cmp", "cut", "awk"])
async def test_a_disk_that_fills_up_meanwhile_forgets_nothing(m1, little, tool):
    olds = tuple(File(f"/etc/old-{n:02}-{'x' * 60}", b"old") for n in range(50))
    await done(m1, PutFiles(olds))
    fills(m1, little, tool)
    assert (await do(m1, PutFiles((File("/etc/new", b"new"),)))).rc != 0
    (m1.box.bin / tool).unlink()
    assert len((await m1.port_.facts(FactsQuery())).files) == len(olds)
    (little / "filler").unlink()
    await done(m1, PutFiles((File("/etc/new", b"new"),)))
    assert len((await m1.port_.facts(FactsQuery())).files) == len(olds) + 1


async def test_a_try_that_fails_leaves_nothing(m1):
    with small_disk(m1.file("/etc/small"), "100k") as small:
        for _ in range(2):
            result = await do(m1, PutFiles((File("/etc/small/a", b"a" * 90_000), File("/etc/small/b", b"b" * 90_000))))
            assert result.rc == 1
            assert "No space left" in result.log
        assert list(small.iterdir()) == []


@pytest.fixture
def ended():
    """The number of a process that was."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


async def test_what_a_killed_try_left_goes_with_the_next_one(m1, ended):
    dead, alive = m1.file(f"/etc/.sealcluster.{ended}.0"), m1.file(f"/etc/.sealcluster.{os.getpid()}.0")
    for file in (dead, alive):
        file.write_text("secret")
    await done(m1, PutFiles((File("/etc/a", b"x"),)))
    assert not dead.exists()
    assert alive.exists()
