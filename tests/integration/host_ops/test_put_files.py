"""Files are written whole, told apart from drift, and forgotten when they go."""

from sealcluster.core.ops import File, PutFiles
from sealcluster.core.ports import FactsQuery
from sshkit.ops import done


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
