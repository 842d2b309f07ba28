"""Content parts to a host's store: whole, verified, resumed."""

import asyncio
import fcntl
import hashlib
import os
import shutil

import pytest

from sealcluster.core.errors import TerminalError, TransientError
from sealcluster.core.ports import FactsQuery
from sshkit.machine import OURS, machine
from sshkit.sandbox import shown, small_disk, wait_for


@pytest.fixture
async def m1(tmp_path):
    with machine(tmp_path) as made:
        yield made
        await made.close()


def part(tmp_path, size, name="part"):
    file = tmp_path / name
    file.write_bytes(os.urandom(size))
    return hashlib.sha256(file.read_bytes()).hexdigest(), file


@pytest.mark.parametrize("size", [0, 1, 261_120, 3_000_001])
async def test_a_part_arrives_whole(m1, tmp_path, size):
    digest, file = part(tmp_path, size)
    assert await m1.port().send(digest, file, OURS.cluster_id) == size
    assert (m1.box.state / "store" / digest).read_bytes() == file.read_bytes()
    assert (await m1.port().facts(FactsQuery())).parts == {digest}


async def test_what_is_there_does_not_travel(m1, tmp_path):
    digest, file = part(tmp_path, 100_000)
    port = m1.port()
    await port.send(digest, file, OURS.cluster_id)
    assert await port.send(digest, file, OURS.cluster_id) == 0


async def test_a_broken_transfer_goes_on_where_it_ended(m1, tmp_path):
    digest, file = part(tmp_path, 2_000_000)
    store = m1.box.state / "store"
    store.mkdir(parents=True)
    (store / f"{digest}.part").write_bytes(file.read_bytes()[:1_500_000])
    assert await m1.port().send(digest, file, OURS.cluster_id) == 500_000
    assert (store / digest).read_bytes() == file.read_bytes()


async def test_a_link_that_breaks_leaves_a_part_to_resume(m1, tmp_path):
    digest, file = part(tmp_path, 120_000_000)
    partial = m1.box.state / "store" / f"{digest}.part"
    sending = asyncio.ensure_future(m1.port().send(digest, file, OURS.cluster_id))
    await asyncio.to_thread(wait_for, lambda: partial.exists() and partial.stat().st_size > 1_000_000, "bytes arrive")
    m1.sshd.cut()
    with pytest.raises(TransientError) as caught:
        await sending
    assert caught.value.reason == "HostUnreachable"
    assert 0 < await m1.port().send(digest, file, OURS.cluster_id) < 120_000_000
    assert hashlib.sha256((m1.box.state / "store" / digest).read_bytes()).hexdigest() == digest


async def test_what_was_damaged_on_the_way_is_thrown_away(m1, tmp_path):
    digest, file = part(tmp_path, 2_000_000)
    store = m1.box.state / "store"
    store.mkdir(parents=True)
    (store / f"{digest}.part").write_bytes(b"x" * 1000)
    with pytest.raises(TransientError, match="not what was sent"):
        await m1.port().send(digest, file, OURS.cluster_id)
    assert not list(store.glob("[!.]*"))
    assert await m1.port().send(digest, file, OURS.cluster_id) == 2_000_000


async def test_too_long_a_remainder_is_started_anew(m1, tmp_path):
    digest, file = part(tmp_path, 1000)
    store = m1.box.state / "store"
    store.mkdir(parents=True)
    (store / f"{digest}.part").write_bytes(b"x" * 2000)
    assert await m1.port().send(digest, file, OURS.cluster_id) == 1000


async def test_two_senders_of_one_part_do_not_mix(m1, tmp_path):
    digest, file = part(tmp_path, 20_000_000)
    sent = await asyncio.gather(m1.port().send(digest, file, OURS.cluster_id), m1.port().send(digest, file, OURS.cluster_id))
    assert sorted(sent) == [0, 20_000_000]
    assert hashlib.sha256((m1.box.state / "store" / digest).read_bytes()).hexdigest() == digest


async def test_several_parts_travel_side_by_side_on_one_connection(m1, tmp_path):
    parts = [part(tmp_path, 1_000_000, f"p{n}") for n in range(4)]
    port = m1.port()
    assert sum(await asyncio.gather(*(port.send(d, f, OURS.cluster_id) for d, f in parts))) == 4_000_000
    assert len(m1.sshd.sessions()) == 1


async def test_a_full_disk_is_named(m1, tmp_path):
    digest, file = part(tmp_path, 5_000_000)
    with small_disk(m1.box.state, "2m"):
        m1.own()
        with pytest.raises(TransientError) as caught:
            await m1.port().send(digest, file, OURS.cluster_id)
        assert caught.value.reason == "DiskFull"


async def test_progress_is_told_for_big_parts(m1, tmp_path):
    digest, file = part(tmp_path, 60_000_000)
    told = []
    await m1.port().send(digest, file, OURS.cluster_id, told.append)
    assert 3 <= len(told) <= 11
    assert told[-1].endswith("57 of 57 MiB")


async def test_missing(m1, tmp_path):
    digest, file = part(tmp_path, 1000)
    await m1.port().send(digest, file, OURS.cluster_id)
    placed, absent = "ab" * 32, "cd" * 32
    data = m1.file(f"/r/registry/docker/registry/v2/blobs/sha256/ab/{placed}/data")
    data.parent.mkdir(parents=True)
    data.touch()
    assert await m1.port().missing([digest, placed, absent], "/r/registry") == {absent}
    assert await m1.port().missing([digest, placed, absent]) == {placed, absent}
    assert await m1.port().missing([]) == frozenset()


@pytest.mark.parametrize("digest", ["", "abc", "../../../etc/passwd", "A" * 64, "sha256:" + "a" * 64])
async def test_only_digests_name_parts(m1, tmp_path, digest):
    with pytest.raises(ValueError, match="sha256"):
        await m1.port().send(digest, tmp_path, OURS.cluster_id)


def another_boot(m1):
    """The machine went down and came up again, as far as the store can tell."""
    (m1.box.state / "store/.boot").write_text("1c0ffee0-0000-4000-8000-000000000000\n")


async def test_parts_of_an_earlier_boot_are_proven_before_they_are_believed(m1, tmp_path):
    whole, file = part(tmp_path, 1_000_000)
    await m1.port().send(whole, file, OURS.cluster_id)
    torn = hashlib.sha256(b"torn").hexdigest()
    (m1.box.state / "store" / torn).write_bytes(b"")
    another_boot(m1)
    assert (await m1.port().facts(FactsQuery())).parts == frozenset()
    assert await m1.port().missing([whole, torn]) == {torn}
    assert (await m1.port().facts(FactsQuery())).parts == {whole}


async def test_a_part_that_a_power_loss_tore_is_sent_again(m1, tmp_path):
    digest, file = part(tmp_path, 1_000_000)
    await m1.port().send(digest, file, OURS.cluster_id)
    (m1.box.state / "store" / digest).write_bytes(file.read_bytes()[:4096])
    another_boot(m1)
    assert await m1.port().send(digest, file, OURS.cluster_id) == 1_000_000
    assert (m1.box.state / "store" / digest).read_bytes() == file.read_bytes()


async def test_what_arrived_in_part_before_a_reboot_is_not_sent_again(m1, tmp_path):
    digest, file = part(tmp_path, 3_000_000)
    await m1.port().send(*part(tmp_path, 10, "other"), OURS.cluster_id)
    (m1.box.state / "store" / f"{digest}.part").write_bytes(file.read_bytes()[:1_000_000])
    another_boot(m1)
    assert await m1.port().send(digest, file, OURS.cluster_id) == 2_000_000


async def test_parts_do_not_go_to_a_machine_of_another_cluster(m1, tmp_path):
    digest, file = part(tmp_path, 1000)
    (m1.box.state / "owner").write_text("other m9\n")
    with pytest.raises(TerminalError, match="other as m9") as caught:
        await m1.port().send(digest, file, OURS.cluster_id)
    assert caught.value.reason == "HostOfAnotherCluster"
    assert [f.name for f in m1.box.state.iterdir()] == ["owner"]


async def test_parts_do_not_go_to_a_machine_that_is_nobodys(m1, tmp_path):
    digest, file = part(tmp_path, 1000)
    shutil.rmtree(m1.box.state)
    with pytest.raises(TransientError, match="belongs to nobody"):
        await m1.port().send(digest, file, OURS.cluster_id)
    assert not m1.box.state.exists()


async def test_parts_do_not_go_to_a_machine_that_is_released_at_that_moment(m1, tmp_path):
    digest, file = part(tmp_path, 1000)
    with (m1.box.state / "lock").open("w") as lock:  # as a job that cleans the machine holds it
        fcntl.flock(lock, fcntl.LOCK_EX)
        sending = asyncio.ensure_future(m1.port().send(digest, file, OURS.cluster_id))
        await asyncio.to_thread(wait_for, lambda: shown(b"flock\x00-w\x0060\x008"), "it waits for the lock")
        m1.free()
    with pytest.raises(TransientError, match="belongs to nobody"):
        await sending
    assert not (m1.box.state / "store").exists()
