"""A claim takes a machine, and never another cluster's."""

from sealcluster.core.ops import Claim
from sshkit.ops import do, done


async def test_claim(m1):
    await done(m1, Claim("c1", "m1"))
    assert (m1.box.state / "owner").read_text() == "c1 m1\n"
    await done(m1, Claim("c1", "m1"))


async def test_claim_loses_a_race_with_another_cluster(m1):
    await done(m1, Claim("c1", "m1"))
    result = await do(m1, Claim("c2", "m1"))
    assert result.rc == 77
    assert "belongs to cluster c1 as m1" in result.log
    assert (m1.box.state / "owner").read_text() == "c1 m1\n"


async def test_settings_of_the_kernel_are_on_the_disk_before_the_machine_is_ours(m1):
    m1.free()
    order = m1.file("/order")
    m1.box.tool("sync", f'#!/bin/sh\necho "$@" >>{order}\nexec /bin/sync "$@"\n')
    await done(m1, Claim("c1", "m1"))
    settings = m1.box.state / "settings"
    assert "/proc/sys/vm/overcommit_memory:" in settings.read_text()
    lines = order.read_text().splitlines()
    assert lines.index(f"{settings}.tmp") < lines.index(f"{m1.box.state}/owner.tmp")


async def test_settings_that_a_power_loss_emptied_are_taken_again(m1):
    await done(m1, Claim("c1", "m1"))
    settings = m1.box.state / "settings"
    settings.write_bytes(b"")
    await done(m1, Claim("c1", "m1"))
    assert settings.stat().st_size
