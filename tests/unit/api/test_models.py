"""The models as the rest of the product uses them."""

import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from labkit.manifests import manifest
from sealcluster.api import Host, HostKeyPolicy, Role, SealCluster, SealClusterSpec, SSHSettings, duration, parse
from sealcluster.api.scalars import is_ipv4, is_ipv4_network

HOSTS = [
    {"name": "w1", "address": "10.0.0.4", "roles": ["node"]},
    {"name": "m1", "address": "10.0.0.1", "nodeIP": "10.1.0.1", "roles": ["master"]},
    {"name": "m2", "address": "10.0.0.2", "roles": ["registry", "master"]},
]


def spec(**over: Any) -> SealClusterSpec:
    return parse(manifest({"hosts": HOSTS, **over})).spec


def test_hosts_by_role_in_the_order_of_the_list() -> None:
    wish = spec()
    assert [host.name for host in wish.masters()] == ["m1", "m2"]
    assert [host.name for host in wish.workers()] == ["w1"]
    assert [host.name for host in wish.registry_hosts()] == ["m2"]
    assert [host.name for host in spec(hosts=HOSTS[:2]).registry_hosts()] == ["m1"]
    assert wish.host("m1") is wish.hosts[1]
    assert wish.host("m9") is None


def test_node_address_defaults_to_the_address() -> None:
    wish = spec()
    assert [host.internal_ip for host in wish.hosts] == ["10.0.0.4", "10.1.0.1", "10.0.0.2"]


def test_ssh_of_a_host_differs_field_by_field() -> None:
    common = {
        "user": "ops",
        "port": 2200,
        "credentialsSecretRef": {"name": "common"},
        "hostKeys": {"policy": "TrustOnFirstUse", "knownHostsSecretRef": {"name": "common", "key": "known_hosts"}},
        "become": {"method": "Sudo"},
        "bastion": {"address": "bastion.example"},
    }
    odd = {
        **HOSTS[0],
        "port": 2222,
        "ssh": {"credentialsSecretRef": {"name": "odd"}, "hostKeys": {"policy": "Strict"}, "become": {"method": "None"}},
    }
    wish = spec(ssh=common, hosts=[odd, *HOSTS[1:]])
    own = wish.ssh_settings(wish.hosts[0])
    assert (own.user, own.port) == ("ops", 2222)
    assert own.credentials_secret_ref is not None and own.credentials_secret_ref.name == "odd"
    assert own.host_keys.policy is HostKeyPolicy.STRICT
    assert own.host_keys.known_hosts_secret_ref == wish.ssh.host_keys.known_hosts_secret_ref
    assert own.become.method == "None"
    assert own.bastion == wish.ssh.bastion
    assert wish.ssh_settings(wish.hosts[1]) == wish.ssh


def test_taints_tell_absent_from_none() -> None:
    assert Host.model_validate(HOSTS[0]).taints is None
    assert Host.model_validate({**HOSTS[0], "taints": []}).taints == ()


def test_models_are_frozen() -> None:
    wish = spec()
    with pytest.raises(ValidationError, match="frozen"):
        wish.paused = True  # type: ignore[misc]  # the mistake that is refused


def test_models_take_python_names_and_write_wire_names() -> None:
    host = Host(name="a", address="10.0.0.1", node_ip="10.0.0.2", roles=(Role.NODE,))
    assert host.dump() == {"name": "a", "address": "10.0.0.1", "nodeIP": "10.0.0.2", "roles": ["node"], "env": {}, "labels": {}}
    assert Host.model_validate(host.dump()) == host


def test_what_is_written_reads_back_the_same() -> None:
    cluster = parse(manifest({"hosts": HOSTS, "kubeadm": {"kubelet": {"maxPods": 9}}, "rollout": {"maxUnavailable": "5%"}}))
    assert SealCluster.model_validate(cluster.dump()) == cluster


def test_metadata_of_the_api_server_is_accepted_and_not_kept() -> None:
    raw = manifest()
    raw["metadata"] |= {"managedFields": [{"manager": "kubectl"}], "uid": "u", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    cluster = parse(raw)
    assert (cluster.name, cluster.metadata.uid, cluster.deleting) == ("test", "u", True)


def test_a_newer_status_can_be_read() -> None:
    cluster = parse({**manifest(), "status": {"observedGeneration": 3, "invented": {"later": 1}}})
    assert cluster.status.observed_generation == 3


def test_status_starts_unobserved() -> None:
    assert parse(manifest()).status.observed_generation == -1
    assert SSHSettings().host_keys.policy is HostKeyPolicy.STRICT


@pytest.mark.parametrize(
    ("text", "days"),
    [("10y", 3650), ("2w", 14), ("30d", 30), ("12h", 0.5), ("30m", 1 / 48), ("90s", 90 / 86400)],
)
def test_durations(text: str, days: float) -> None:
    assert duration(text) == datetime.timedelta(days=days)


@pytest.mark.parametrize("text", ["", "10", "y", "0d", "-1d", "1.5h", "1h30m", "10 y", "10Y", "123456d"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="reading duration"):
        duration(text)


def test_addresses_are_plain() -> None:
    assert is_ipv4("10.0.0.1")
    assert not any(map(is_ipv4, ["10.0.0", "10.0.0.256", "::1", "10.0.0.1/32", " 10.0.0.1", "010.0.0.1"]))
    assert is_ipv4_network("10.0.0.0/8")
    assert not any(map(is_ipv4_network, ["10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "::/0", "10.0.0.0/255.0.0.0"]))
