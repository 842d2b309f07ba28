"""A large cluster's status says the same in fewer words."""

import pytest

from labkit.manifests import manifest
from sealcluster.api import Host, HostState, HostStatus, Role, SealClusterSpec, SealClusterStatus, compact, parse
from sealcluster.api.compact import LARGE, MAX_MESSAGES


def wish(count: int) -> SealClusterSpec:
    hosts = [{"name": f"h{n}", "address": f"10.0.{n // 256}.{n % 256}", "roles": ["node"] if n else ["master"]} for n in range(count)]
    return parse(manifest({"hosts": hosts})).spec


def row(host: Host, **over: object) -> HostStatus:
    ready = HostStatus(
        name=host.name,
        address=host.address,
        roles=host.roles,
        state=HostState.READY,
        node_ready=True,
        version="v1.34.4",
        machine_id="0" * 32,
        host_key_fingerprint="SHA256:x",
        arch="amd64",
    )
    return ready.model_copy(update=over)


def test_rows_of_a_small_cluster_say_everything() -> None:
    spec = wish(LARGE)
    status = SealClusterStatus(version="v1.34.4", hosts=tuple(map(row, spec.hosts)))
    assert compact(status, spec.hosts) == status


def test_rows_of_a_large_cluster_say_what_nothing_else_says() -> None:
    spec = wish(LARGE + 1)
    status = SealClusterStatus(version="v1.34.4", hosts=tuple(map(row, spec.hosts)))
    short = compact(status, spec.hosts)
    assert len(short.hosts) == LARGE + 1
    assert short.hosts[7].dump() == {
        "name": "h7",
        "state": "Ready",
        "machineID": "0" * 32,
        "hostKeyFingerprint": "SHA256:x",
        "arch": "amd64",
    }
    assert short.version == status.version


@pytest.mark.parametrize(
    "odd",
    [{"address": "10.9.9.9"}, {"roles": (Role.MASTER,)}, {"version": "v1.33.13"}, {"state": HostState.LEAVING}, {"node_ready": False}],
)
def test_what_differs_is_kept(odd: dict[str, object]) -> None:
    spec = wish(LARGE + 1)
    rows = [row(host) for host in spec.hosts]
    rows[5] = row(spec.hosts[5], **odd)
    (short,) = [entry for entry in compact(SealClusterStatus(version="v1.34.4", hosts=tuple(rows)), spec.hosts).hosts if entry.name == "h5"]
    for name, value in odd.items():
        assert getattr(short, name) == value
    if "state" in odd:
        assert short.node_ready is True, "Leaving does not say whether the node is ready"


def test_a_host_that_left_the_spec_keeps_its_address() -> None:
    spec = wish(LARGE + 1)
    rows = tuple(map(row, spec.hosts))
    short = compact(SealClusterStatus(version="v1.34.4", hosts=rows), spec.hosts[:-1])
    assert (short.hosts[-1].address, short.hosts[-1].roles) == (rows[-1].address, rows[-1].roles)


def test_the_first_messages_are_kept_and_every_reason() -> None:
    spec = wish(LARGE + 1)
    rows = tuple(row(host, state=HostState.UNREACHABLE, reason="HostUnreachable", message="no route") for host in spec.hosts)
    short = compact(SealClusterStatus(hosts=rows), spec.hosts)
    assert sum(entry.message is not None for entry in short.hosts) == MAX_MESSAGES
    assert all(entry.reason == "HostUnreachable" for entry in short.hosts)
