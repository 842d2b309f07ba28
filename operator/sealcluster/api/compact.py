"""Keeps the status of a large cluster small: the whole object has to stay under 1 MiB at 2,000 hosts."""

from collections.abc import Iterable

from sealcluster.api.hosts import Host
from sealcluster.api.status import HostState, HostStatus, SealClusterStatus

LARGE = 200
"""Rows up to which every row says everything."""

MAX_MESSAGES = 100
"""Rows of a large cluster that keep their message; the others keep the reason."""


def compact(status: SealClusterStatus, hosts: Iterable[Host]) -> SealClusterStatus:
    """The status as it is to be written, `hosts` being spec.hosts.

    In a large cluster a row leaves out what spec.hosts, status.version or its own state say already.
    """
    if len(status.hosts) <= LARGE:
        return status
    wanted = {host.name: host for host in hosts}
    spoken = 0
    rows = []
    for row in status.hosts:
        spoken += row.message is not None
        rows.append(_short(row, wanted.get(row.name), status.version, keep_message=spoken <= MAX_MESSAGES))
    return status.model_copy(update={"hosts": tuple(rows)})


def _short(row: HostStatus, host: Host | None, version: str | None, *, keep_message: bool) -> HostStatus:
    said: dict[str, object] = {}
    if host is not None and row.address == host.address:
        said["address"] = None
    if host is not None and row.roles is not None and set(row.roles) == set(host.roles):
        said["roles"] = None
    if row.version == version:
        said["version"] = None
    if row.node_ready == (row.state is HostState.READY):
        said["node_ready"] = None
    if not keep_message:
        said["message"] = None
    return row.model_copy(update=said)
