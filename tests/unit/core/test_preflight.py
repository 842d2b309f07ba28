"""Every check of preflight: what it refuses, what it lets pass, and whom it holds up."""

from dataclasses import replace

import pytest

from sealcluster.core.facts import Disk, Owner
from sealcluster.core.policies.preflight import CLUSTER, blockers, kept_out, preflight

from .views import facts, host, spec, view

WANTED = spec(1, 1)


def world(**worker_facts):
    master, worker = WANTED.hosts
    seen = replace(host(worker), facts=facts("w1", "10.0.1.1", **worker_facts))
    return view(WANTED, {"m1": host(master), "w1": seen})


def failed(report, host_name="w1"):
    return {c.reason for c in report if c.blocks and c.host == host_name}


def test_a_good_pair_of_machines_passes():
    assert [c for c in preflight(world()) if c.blocks] == []


@pytest.mark.parametrize(
    ("worker", "reason"),
    [
        ({"owner": Owner("other", "x")}, "HostOfAnotherCluster"),
        ({"skew": 61.0}, "ClockSkew"),
        ({"skew": -61.0}, "ClockSkew"),
        ({"arch": "riscv64"}, "ArchMismatch"),
        ({"systemd": 0}, "PreflightFailed"),
        ({"tools_missing": frozenset({"tar"})}, "PreflightFailed"),
        ({"memory_mib": 100}, "PreflightFailed"),
        ({"disks": {"/var/lib": Disk(9000, 100)}}, "DiskFull"),
        ({"leftovers": ("/etc/kubernetes/admin.conf",)}, "LeftoversFound"),
        ({"listening": frozenset({10250})}, "PreflightFailed"),
        ({"addresses": frozenset({"192.168.0.1"})}, "PreflightFailed"),
        ({"routes": ("100.64.0.0/16",)}, "PreflightFailed"),
        ({"routes": ("10.96.1.0/24",)}, "PreflightFailed"),
    ],
)
def test_a_machine_that_does_not_fit_is_refused_alone(worker, reason):
    report = preflight(world(**worker))
    assert failed(report) == {reason}
    assert blockers(report, "m1") == ()
    bad = next(c for c in report if c.blocks)
    assert bad.fix


@pytest.mark.parametrize(("same", "reason"), [({"hostname": "m1"}, "DuplicateHostname"), ({"machine_id": "id-m1"}, "DuplicateMachineID")])
def test_two_machines_that_share_an_identity_hold_up_everybody(same, reason):
    report = preflight(world(**same))
    found = [c for c in report if c.blocks]
    assert [(c.reason, c.scope) for c in found] == [(reason, CLUSTER)]
    assert "m1, w1" in found[0].message
    assert blockers(report, "m1")
    assert blockers(report, "w1")


@pytest.mark.parametrize("worker", [{}, {"arch": "riscv64"}, {"hostname": "m1"}])
def test_who_is_kept_out_is_the_same_asked_for_one_or_for_all(worker):
    report = preflight(world(**worker))
    assert kept_out(report, ["m1", "w1"]) == {name for name in ("m1", "w1") if blockers(report, name)}


def test_what_we_installed_ourselves_is_no_leftover():
    wanted = WANTED.hosts[1]
    ours = host(wanted, joined=True)
    entries = {**ours.facts.journal, "check": next(iter(ours.facts.journal.values()))}
    ours = replace(
        ours, facts=replace(ours.facts, journal=entries, leftovers=("/etc/kubernetes/kubelet.conf",), listening=frozenset({10250}))
    )
    assert failed(preflight(view(WANTED, {"m1": host(WANTED.hosts[0]), "w1": ours}))) == set()


def masters(port, **more):
    """Two fresh masters; something listens on this port of the first."""
    wanted = spec(2, **more)
    hosts = {str(row.name): host(row) for row in wanted.hosts}
    return view(wanted, {**hosts, "m1": host(wanted.hosts[0], listening=frozenset({port}))})


def busy(here):
    return {check.host: check.value for check in preflight(here) if check.id == "ports" and not check.ok}


def test_the_port_of_the_api_servers_must_be_free_and_no_other_instead_of_it():
    assert busy(masters(6443)) == {"m1": "6443"}
    assert busy(masters(7443, endpoint={"port": 7443})) == {"m1": "7443"}
    assert busy(masters(6443, endpoint={"port": 7443})) == {}


def test_the_port_of_the_registry_must_be_free_where_it_will_run_whether_or_not_a_role_says_so():
    assert busy(masters(5000)) == {"m1": "5000"}
    assert busy(masters(5001, registry={"port": 5001})) == {"m1": "5001"}
    rows = [
        {"name": n, "address": a, "roles": r} for n, a, r in (("m1", "10.0.0.1", ["master"]), ("m2", "10.0.0.2", ["master", "registry"]))
    ]
    assert busy(masters(5000, hosts=rows)) == {}


@pytest.mark.parametrize(("wanted", "refused"), [("lvscare", {"w1"}), ("Auto", set()), ("haproxy", set())])
def test_lvscare_by_name_needs_a_kernel_with_ipvs_on_workers(wanted, refused):
    asked = spec(1, 2, endpoint={"loadBalancer": wanted})
    hosts = {str(row.name): host(row, ipvs=row.name == "w2") for row in asked.hosts}
    assert {check.host for check in preflight(view(asked, hosts)) if check.blocks} == refused


def test_an_even_number_of_masters_only_warns():
    report = preflight(view(spec(2)))
    warning = next(c for c in report if c.id == "masters-odd")
    assert not warning.ok
    assert not warning.blocks


def test_three_clocks_vote():
    wanted = spec(3)
    hosts = {str(h.name): host(h) for h in wanted.hosts}
    hosts["m1"] = replace(hosts["m1"], facts=replace(hosts["m1"].facts, skew=3600.0))
    hosts["m2"] = replace(hosts["m2"], facts=replace(hosts["m2"].facts, skew=3601.0))
    report = preflight(view(wanted, hosts))
    assert {c.host for c in report if c.reason == "ClockSkew" and c.blocks} == {"m3"}
