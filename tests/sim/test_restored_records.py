"""A state record that is older than the cluster (a restored backup): nothing is initialised again, and a person is asked."""

import asyncio

import pytest

from sim.lives import cluster, live


@pytest.mark.parametrize("names", [("m1", "w1"), ("m1", "m2", "m3")], ids=["one master", "three masters"])
def test_a_record_from_before_init_is_no_reason_to_init_again(names):
    async def story(life):
        await life.settled()
        records = life.sim.management.history
        old = next(r for r in reversed(records) if r.init.attempt == 0 and "m1" in r.inventory)
        await life.sim.operators[-1].kill()
        life.sim.management.state = old.dumps()
        life.sim.management.version += 1
        life.work()
        life.begin()
        await asyncio.sleep(1800)
        steps = {step for done in life.work().values() for step in done}
        assert not steps & {"kubeadm-init", "kubeadm-reset", "kubeadm-join"}, steps
        assert life.last.blocked
        assert [p.reason for p in life.last.problems if p.cluster] == ["StateUnreadable"]
        assert not life.last.ready

        life.sim.management.state = records[-1].dumps() if records[-1].init.initialized else _newest(records).dumps()
        life.sim.management.version += 1
        await life.sim.operators[-1].kill()
        life.begin()
        await life.settled()

    def _newest(records):
        return next(r for r in reversed(records) if r.init.initialized)

    live(cluster(*names), story)
