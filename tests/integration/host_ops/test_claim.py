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
