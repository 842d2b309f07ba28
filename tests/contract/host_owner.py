"""Whose a machine is, and who is shut out of it."""

from __future__ import annotations

import pytest

from contract.rig import CLUSTER, OTHER, Rig, case, claim, fence, job, look
from sealcluster.core.errors import Fenced, TerminalError
from sealcluster.core.facts import Owner
from sealcluster.core.ops import Claim, WriteHosts


@case
async def an_untouched_machine_is_nobodys(rig: Rig) -> None:
    facts = await look(rig.connect())
    assert (facts.owner, facts.fence, dict(facts.journal), dict(facts.jobs)) == (None, 0, {}, {})
    assert facts.hosts_block is None
    assert facts.machine_id
    assert facts.boot_id
    assert facts.arch in ("amd64", "arm64")


@case
async def looking_twice_changes_nothing_and_shows_the_host_key(rig: Rig) -> None:
    host = rig.connect()
    first, second = await look(host), await look(host)
    assert (first.machine_id, first.boot_id, first.owner) == (second.machine_id, second.boot_id, second.owner)
    assert host.host_key.startswith("ssh-") or host.host_key.startswith("ecdsa-")


@case
async def a_claim_is_remembered(rig: Rig) -> None:
    host = rig.connect()
    assert (await claim(host, 3)).rc == 0
    facts = await look(host)
    assert facts.owner == Owner(CLUSTER, "m1")
    assert facts.fence == 3
    assert facts.done("claim")
    assert facts.journal["claim"].attempt == 1


@case
async def a_machine_of_another_cluster_is_refused(rig: Rig) -> None:
    host = rig.connect()
    await claim(host)
    with pytest.raises(TerminalError) as error:
        await host.run(job("claim", Claim(OTHER, "m1"), "other"), 1, fence(9, OTHER))
    assert error.value.reason == "HostOfAnotherCluster"
    with pytest.raises(TerminalError):
        await host.run(job("hosts", WriteHosts((("10.9.9.9", "evil"),))), 1, fence(9, OTHER))
    facts = await look(host)
    assert facts.owner == Owner(CLUSTER, "m1")
    assert facts.fence == 1
    assert "evil" not in (facts.hosts_block or "")


@case
async def an_older_operator_is_fenced_off(rig: Rig) -> None:
    host = rig.connect()
    await claim(host, 5)
    with pytest.raises(Fenced):
        await host.run(job("hosts", WriteHosts((("10.1.1.1", "late"),))), 1, fence(4))
    assert (await look(host)).hosts_block is None
    assert (await host.run(job("hosts", WriteHosts((("10.1.1.1", "right"),))), 1, fence(6))).rc == 0
    assert (await look(host)).fence == 6
