"""Machines come and go by edits while clients use the cluster: no write is lost, nothing is touched that did not change."""

import pytest

from labkit.cleanliness import assert_clean, picture
from labkit.product import commands, wait_for
from labkit.traffic import ApiClient, ServiceClient

pytestmark = [pytest.mark.lab, pytest.mark.timeout(2400)]


def received(machine):
    """Bytes that came in over the machine's link."""
    return int(machine.exec("cat /sys/class/net/eth0/statistics/rx_bytes").stdout)


def hello_url(cluster):
    service = cluster.get("service", "hello")["spec"]
    return f"http://{service['clusterIP']}:{service['ports'][0]['port']}/"


def test_workers_and_masters_come_and_go_under_load(managed, tmp_path):
    here = managed(7)
    machines = here.site.lab.machines
    before = {name: picture(machines[name]) for name in ("m2", "m3", "m6", "m7")}
    here.apply(here.site.document(["m1"], ["m4", "m5"]))
    here.ready()
    cluster = here.cluster()
    wait_for("hello to run", lambda: any(p["status"]["phase"] == "Running" for p in cluster.pods("app=hello", "default")), 90)
    masters = [machines["m1"].address]
    api = ApiClient(cluster.kubeconfig, lambda: masters, tmp_path)
    service = ServiceClient(machines["m4"], hello_url(cluster))
    with api, service:
        counted = {name: commands(machines[name]) for name in ("m1", "m4", "m5")}
        came = {name: received(machines[name]) for name in ("m4", "m5")}
        here.apply(here.site.document(["m1"], ["m4", "m5", "m6", "m7"]))
        here.ready()
        assert {name: commands(machines[name]) for name in counted} == counted, "new workers are nobody else's business"
        for name, bytes_before in came.items():
            assert received(machines[name]) - bytes_before < 20_000_000, f"nothing was sent to {name}"

        came = received(machines["m1"])
        here.apply(here.site.document(["m1", "m2", "m3"], ["m4", "m5", "m6", "m7"]))
        here.ready()
        assert commands(machines["m1"]) == counted["m1"], "masters that join change nothing on the first one"
        assert received(machines["m1"]) - came < 60_000_000, "nothing was sent to the first master"
        assert sorted(m["name"] for m in cluster.etcd_members(here.site, "m1")) == ["m1", "m2", "m3"]
        masters[:] = [machines[name].address for name in ("m1", "m2", "m3")]

        masters[:] = [machines["m1"].address]
        here.apply(here.site.document(["m1"], ["m4", "m5"]))
        here.ready()
        assert cluster.ready_nodes() == {"m1", "m4", "m5"}
        assert [m["name"] for m in cluster.etcd_members(here.site, "m1")] == ["m1"]
    assert api.failures == [], f"{api.writes} writes, {api.retries} retries, longest {api.longest:.1f} s"
    assert api.writes > 50
    assert service.lost == 0, f"{service.asked} questions, {service.retries} retries"
    assert_clean(before, {name: picture(machines[name]) for name in before})

    # what was released makes a new cluster at once
    here.apply(here.site.document(["m2"], ["m6"], name="second"))
    here.ready("second")
