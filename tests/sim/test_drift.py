"""What somebody else changes on a finished cluster is found within minutes, shown, and put right; health is told as it is."""

import pytest

from sealcluster.api.conditions import ConditionType as C
from sealcluster.api.conditions import Reason
from sealcluster.api.status import ConditionStatus
from sealcluster.api.summary import summarize
from sealcluster.testing.model.machine import MANIFESTS
from sim.lives import cluster, live

MINUTE = 60.0


def stop(life, name, unit, state="failed"):
    """Somebody stops a unit."""
    life.machine(name).units.stop(unit, life.world.now(), failed=state == "failed")


def delete_balancer(life):
    manifest = next(iter(life.machine("w1").files.names(MANIFESTS)))
    life.machine("w1").files.remove(f"{MANIFESTS}/{manifest}")


def delete_api_server(life):
    life.machine("m2").files.remove(f"{MANIFESTS}/kube-apiserver.yaml")


def rewrite_hosts(life):
    life.machine("w1").reset_hosts()


def delete_rendered_file(life):
    machine = life.machine("w1")
    path = next(p for p in machine.managed if p.endswith("etc/model.conf"))
    machine.files.remove(path)


DRIFT = {
    "a rewritten /etc/hosts": (rewrite_hosts, "our entries in /etc/hosts are changed", "w1"),
    "a deleted static pod of the balancer": (delete_balancer, "is gone", "w1"),
    "a deleted static pod of the control plane": (delete_api_server, "static pod kube-apiserver.yaml is gone", "m2"),
    "a deleted file of ours": (delete_rendered_file, "etc/model.conf is gone", "w1"),
    "a failed kubelet": (lambda life: stop(life, "w1", "kubelet"), "kubelet.service is failed", "w1"),
    "a stopped kubelet": (lambda life: stop(life, "m2", "kubelet", "inactive"), "kubelet.service is inactive", "m2"),
    "a failed containerd": (lambda life: stop(life, "w1", "containerd"), "containerd.service is failed", "w1"),
    "a failed registry": (lambda life: stop(life, "m1", "registry"), "registry.service is failed", "m1"),
}


@pytest.mark.parametrize("kind", DRIFT)
def test_drift_is_found_shown_and_put_right(kind):
    break_it, words, host = DRIFT[kind]

    async def story(life):
        await life.settled()
        life.work()
        began = life.world.now()
        break_it(life)
        shown = await life.until(lambda r: r.account.details[C.DRIFTED].status is ConditionStatus.TRUE, 5 * MINUTE)
        finding = shown.account.details[C.DRIFTED]
        assert finding.reason is Reason.DRIFT_FOUND
        assert finding.message.startswith(f"{host}: ")
        assert words in finding.message
        assert shown.view.now - began <= 1.5 * MINUTE
        healed = await life.until(lambda r: r.ready, 5 * MINUTE)
        assert healed.account.details[C.DRIFTED].status is ConditionStatus.FALSE
        assert set(life.work()) == {host}

    live(cluster("m1", "m2", "m3", "w1"), story)


def test_a_registry_that_moved_away_is_not_started_again():
    async def story(life):
        await life.settled()
        await life.wish(cluster("m1", "m2", "w1", roles={"m2": ["master", "registry"]}))
        stop(life, "m1", "registry")
        life.work()
        again = life.world.now()
        await life.until(lambda r: r.view.now > again + 3 * MINUTE, 10 * MINUTE)
        assert life.work() == {}

    live(cluster("m1", "m2", "w1"), story)


def ready_of(report):
    """What status would say."""
    return summarize(report.account)[C.READY]


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("w1", {Reason.HOST_UNREACHABLE, Reason.NODES_NOT_READY}),
        ("m2", {Reason.HOST_UNREACHABLE, Reason.CONTROL_PLANE_UNHEALTHY, Reason.NODES_NOT_READY, Reason.ETCD_UNHEALTHY}),
    ],
)
def test_a_machine_that_goes_down_is_told_within_a_minute_and_its_return_too(name, reasons):
    async def story(life):
        await life.settled()
        await life.until(lambda r: r.view.now > life.world.now() - 1)
        began = life.world.now()
        life.world.power_off(life.machine(name))
        told = await life.until(lambda r: ready_of(r).status is ConditionStatus.FALSE, 3 * MINUTE)
        assert life.world.now() - began <= MINUTE + 20
        assert ready_of(told).reason in reasons
        assert name in ready_of(told).message
        summary = summarize(told.account)
        assert summary[C.RECONCILING].status is ConditionStatus.FALSE, "nobody is working on it"
        assert summary[C.AVAILABLE].status is ConditionStatus.TRUE
        life.work()
        life.world.power_on(life.machine(name))
        await life.until(lambda r: r.ready, 5 * MINUTE)
        assert set(life.work()) <= {name}

    live(cluster("m1", "m2", "m3", "w1"), story)


def test_an_api_server_that_dies_alone_is_told_within_half_a_minute():
    async def story(life):
        await life.settled()
        asked = life.world.now()
        await life.until(lambda r: r.view.now > asked + 30)
        began = life.world.now()
        machine = life.machine("m2")
        life.world.pods.running[machine.name].pop("kube-apiserver.yaml")
        machine.units.stop("kubelet", began)
        told = await life.until(lambda r: ready_of(r).status is not ConditionStatus.TRUE, 2 * MINUTE)
        assert life.world.now() - began <= 30
        assert "m2" in ready_of(told).message
        assert ready_of(told).reason is Reason.CONTROL_PLANE_UNHEALTHY
        await life.until(lambda r: r.ready, 5 * MINUTE)

    live(cluster("m1", "m2", "m3"), story)


@pytest.mark.thorough
def test_every_machine_reboots_in_turn_with_a_rewritten_hosts_file():
    async def story(life):
        await life.settled()
        for name in ("m1", "m2", "m3", "w1"):
            machine = life.machine(name)
            machine.rewrites_hosts = True
            boots = machine.boots
            life.world.reboot(machine)
            await life.until(lambda r, m=machine, b=boots: r.ready and m.boots > b and r.view.hosts[m.name].facts.boot_id == m.boot_id)
        assert life.voters() == ["m1", "m2", "m3"]

    live(cluster("m1", "m2", "m3", "w1"), story)


def test_a_repair_that_fails_stays_visible():
    async def story(life):
        await life.settled()
        machine = life.machine("m2")
        machine.kept_manifests = {}
        machine.files.remove(f"{MANIFESTS}/kube-scheduler.yaml")
        told = await life.until(lambda r: any(p.reason == "DriftFound" for p in r.problems), 5 * MINUTE)
        finding = told.account.details[C.DRIFTED]
        assert finding.status is ConditionStatus.TRUE
        assert "keeps no copy" in finding.message
        assert ready_of(told).status is ConditionStatus.FALSE

    live(cluster("m1", "m2", "m3"), story)
