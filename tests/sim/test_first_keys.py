"""Keys accepted on first use are on record before anything else happens: no restart of the operator accepts another one."""

import asyncio

import pytest

from sealcluster.testing import clock, scenarios, specs
from sealcluster.testing.driver import Simulation

BASTION = "10.0.9.9"


def live(story, spec=None):
    async def main():
        sim = Simulation(1, spec or specs.spec(masters=1, workers=1))
        try:
            await story(sim)
        finally:
            await sim.end()

    clock.run(main(), limit=40_000)


def unfit(machine):
    """Preflight refuses the machine, so it is looked at and never claimed."""
    machine.hardware.memory_mib = 100


def error_of(host):
    return lambda report: report.view.hosts[host].error is not None


def refused(host):
    return lambda report: (e := report.view.hosts[host].error) is not None and e.reason == "HostKeyMismatch"


def blocked(report):
    return report.view.initialized and report.blocked


def test_a_machine_that_was_only_looked_at_may_not_change_its_key_over_a_restart():
    async def story(sim):
        unfit(sim.world.machine("w1"))
        sim.start()
        await sim.until(blocked, 3600)
        first = sim.management.history[-1].first_keys
        assert set(first) == {"w1"}, "the claimed one has its key in its row"
        assert first["w1"].key == sim.world.machine("w1").host_key
        await sim.operators[-1].kill()
        sim.world.machine("w1").change_host_key()
        sim.start()
        await sim.until(refused("w1"), 600)

    live(story)


def test_the_key_is_on_record_before_anything_is_changed():
    async def story(sim):
        operator = sim.start()
        await sim.until(lambda r: bool(r.running), 600)
        assert operator.effects.names[:2] == ["management: save state"] * 2, "one write for all machines"
        assert set(sim.management.history[1].first_keys) == {"m1", "w1"}

    live(story)


def test_a_machine_that_refuses_the_password_is_known_all_the_same():
    async def story(sim):
        sim.world.machine("w1").login.password = "another"
        sim.start()
        await sim.until(error_of("w1"), 600)
        await sim.operators[-1].kill()
        assert sim.management.history[-1].first_keys["w1"].key == sim.world.machine("w1").host_key
        sim.world.machine("w1").change_host_key()
        sim.world.machine("w1").login.password = "secret"
        sim.start()
        await sim.until(refused("w1"), 600)

    live(story)


def test_claimed_machines_and_rows_that_left_take_no_room():
    async def story(sim):
        unfit(sim.world.machine("w1"))
        sim.start()
        await sim.until(blocked, 3600)
        sim.wish(specs.spec(masters=1))
        await sim.until(lambda r: r.ready and r.view.generation == 2, 3600)
        assert sim.management.history[-1].first_keys == {}

    live(story)


def test_a_row_that_is_taken_away_and_put_back_is_a_new_machine():
    async def story(sim):
        unfit(sim.world.machine("w1"))
        sim.start()
        await sim.until(blocked, 3600)
        sim.world.machine("w1").change_host_key()
        await sim.until(refused("w1"), 600)
        sim.wish(specs.spec(masters=1))
        await sim.until(lambda r: r.ready and r.view.generation == 2, 3600)
        sim.world.machine("w1").hardware.memory_mib = 8192
        sim.wish(specs.spec(masters=1, workers=1))
        await sim.until(lambda r: r.ready and r.view.generation == 3, 3600)

    live(story)


@pytest.mark.thorough
def test_a_lost_machine_that_was_let_go_may_come_back_with_another_key():
    async def story(sim):
        from sealcluster.api import ACKNOWLEDGE_LOST_ANNOTATION

        both = specs.spec(masters=1, workers=1)
        sim.start()
        await sim.until(scenarios.ready, 3600)
        machine = sim.world.machine("w1")
        old = machine.machine_id
        machine.reinstall(sim.world.now())
        gone = {ACKNOWLEDGE_LOST_ANNOTATION: f"w1={old}"}
        sim.wish(specs.spec(masters=1), annotations=gone)
        await sim.until(lambda r: r.view.generation == 2 and r.view.state.inventory["w1"].leaving, 600)
        sim.wish(both, annotations=gone)
        await sim.until(lambda r: r.ready and r.view.generation == 3 and not r.view.leaving, 7200)
        assert sim.management.history[-1].inventory["w1"].machine_id == machine.machine_id

    live(story)


def test_a_vouched_key_is_accepted_whatever_was_seen_first():
    async def story(sim):
        machine = sim.world.machine("w1")
        unfit(machine)
        sim.start()
        await sim.until(blocked, 3600)
        machine.change_host_key()
        await sim.until(refused("w1"), 600)
        sim.management.set("Secret", "vouched", {"known": f"{machine.address} {machine.host_key}\n"})
        machine.hardware.memory_mib = 8192
        ssh = {"user": "root", "credentialsSecretRef": {"name": "ssh"}}
        keys = {"policy": "TrustOnFirstUse", "knownHostsSecretRef": {"name": "vouched", "key": "known"}}
        sim.wish(specs.spec(masters=1, workers=1, ssh={**ssh, "hostKeys": keys}))
        await sim.until(lambda r: r.ready and r.view.generation == 2, 3600)
        assert sim.management.history[-1].inventory["w1"].host_key == machine.host_key

    live(story)


# --- the jump host -----------------------------------------------------------------------------------------------------
def behind(**more):
    ssh = {"user": "root", "credentialsSecretRef": {"name": "ssh"}, "hostKeys": {"policy": "TrustOnFirstUse"}}
    return specs.spec(masters=1, workers=1, ssh={**ssh, "bastion": {"address": BASTION, "user": "jump"}}, **more)


@pytest.mark.parametrize("restart", [True, False])
def test_a_bastion_may_not_change_its_key(restart):
    async def story(sim):
        sim.world.network.bastion = BASTION
        sim.start()
        await sim.until(scenarios.ready, 3600)
        assert sim.management.history[-1].bastion_keys == {f"{BASTION}:22": sim.world.network.bastion_key}
        written = len(sim.management.history)
        await asyncio.sleep(600)
        assert len(sim.management.history) == written, "it is written once"
        if restart:
            await sim.operators[-1].kill()
        sim.world.network.bastion_key += "-2"
        if restart:
            sim.start()
        for host in ("m1", "w1"):
            await sim.until(refused(host), 600)

    live(story, behind())


def test_a_bastion_that_is_no_longer_named_is_forgotten():
    async def story(sim):
        sim.world.network.bastion = BASTION
        sim.start()
        await sim.until(scenarios.ready, 3600)
        sim.world.network.bastion = None
        sim.wish(specs.spec(masters=1, workers=1))
        await sim.until(lambda r: r.ready and r.view.generation == 2, 3600)
        assert sim.management.history[-1].bastion_keys == {}

    live(story, behind())


# --- what a plan does --------------------------------------------------------------------------------------------------
def test_a_plan_records_nothing():
    from sealcluster.engine.engine import Engine

    async def story(sim):
        operator = sim.start()
        await sim.until(lambda r: bool(r.running), 600)
        await operator.kill()
        await sim.management.purge()
        before = len(sim.management.history)
        ports = operator.engine._ports  # the ports of a dead operator refuse all: its management is the only one asked for
        looking = Engine(sim.desired, ports, holder="looker", listener=lambda _: None)
        operator.effects.dead = False
        await looking.plan()
        assert len(sim.management.history) == before
        assert sim.management.state is None

    live(story)
