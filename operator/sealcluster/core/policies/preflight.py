"""Preflight: is this machine fit to become part of this cluster? Every check on every host, never stopping at the first.

A check is a pure function of one host (or of all of them) that yields results; the report is the list of all results.
"""

from __future__ import annotations

import ipaddress
import statistics
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from sealcluster.api.network import LoadBalancer
from sealcluster.core.facts import HostFacts
from sealcluster.core.view import MAX_SKEW, ClusterView, HostView

ERROR, WARNING = "error", "warning"
HOST, CLUSTER = "host", "cluster"

MASTER_PORTS = (2379, 2380, 10250, 10257, 10259)
"""Besides spec.endpoint.port."""
WORKER_PORTS = (10250,)
MIN_CPUS = {True: 2, False: 1}
MIN_MEMORY_MIB = {True: 1700, False: 900}
MIN_FREE_MIB = 2048
NEEDED_TOOLS = frozenset(("bash", "tar", "gzip", "sha256sum", "flock", "awk", "sed"))


class Check(NamedTuple):
    """One line of the report. A tuple: each pass makes some twenty for every machine, and a frozen dataclass takes twice as long."""

    host: str
    id: str
    ok: bool
    message: str
    reason: str = "PreflightFailed"
    value: str = ""
    limit: str = ""
    fix: str = ""
    level: str = ERROR
    scope: str = HOST

    @property
    def blocks(self) -> bool:
        """True when it keeps the host (or the cluster) from going on."""
        return not self.ok and self.level == ERROR


def preflight(view: ClusterView) -> tuple[Check, ...]:
    """The whole report over every wanted host that was seen."""
    seen = [(h, h.facts) for h in view.wanted if h.facts is not None]
    results = list(_across(view, seen))
    for host, facts in seen:
        for check in _HOST_CHECKS:
            results.extend(check(view, host, facts))
    return tuple(results)


def blockers(checks: Iterable[Check], host: str) -> tuple[Check, ...]:
    """Failed checks that keep this host out."""
    return tuple(c for c in checks if c.blocks and (c.scope == CLUSTER or c.host == host))


def kept_out(checks: Iterable[Check], hosts: Iterable[str]) -> frozenset[str]:
    """Which of these hosts failed checks keep out: the same as `blockers` for each of thousands, in one go."""
    failed = [c for c in checks if c.blocks]
    if any(c.scope == CLUSTER for c in failed):
        return frozenset(hosts)
    return frozenset(hosts) & {c.host for c in failed}


def _fresh(view: ClusterView, host: HostView, facts: HostFacts) -> bool:
    """True for a machine that is not ours yet: what we bring ourselves is no leftover, listens on our ports and takes up room."""
    return facts.owner is None or facts.owner.cluster_id != view.state.cluster_id


Seen = list[tuple[HostView, HostFacts]]


def _across(view: ClusterView, seen: Seen) -> Iterator[Check]:
    yield from _duplicates(
        seen, "hostname", "DuplicateHostname", lambda f: f.hostname, "give every machine a hostname of its own (hostnamectl)"
    )
    yield from _duplicates(
        seen,
        "machine-id",
        "DuplicateMachineID",
        lambda f: f.machine_id,
        "machines cloned from one image share it: rm /etc/machine-id && systemd-machine-id-setup, then reboot",
    )
    yield from _clocks(seen)
    if len(view.masters) % 2 == 0:
        yield Check(
            "", "masters-odd", ok=False, level=WARNING, scope=CLUSTER, value=str(len(view.masters)), limit="odd",
            message=f"{len(view.masters)} masters tolerate no more failures than {len(view.masters) - 1}",
            fix="use an odd number of masters",
        )  # fmt: skip


def _duplicates(seen: Seen, what: str, reason: str, key: Callable[[HostFacts], str], fix: str) -> Iterator[Check]:
    by_value: dict[str, list[str]] = {}
    for host, facts in seen:
        by_value.setdefault(key(facts), []).append(host.name)
    for value, names in by_value.items():
        yield Check(
            names[0],
            what,
            ok=len(names) == 1,
            reason=reason,
            scope=CLUSTER,
            value=value,
            message=f"{what} {value} is shared by {', '.join(names)}" if len(names) > 1 else f"{what} is unique",
            fix=fix,
        )


def _clocks(seen: Seen) -> Iterator[Check]:
    if not seen:
        return
    middle = statistics.median(f.skew for _, f in seen) if len(seen) > 2 else 0.0
    for host, facts in seen:
        off = facts.skew - middle
        yield Check(
            host.name,
            "clock",
            ok=abs(off) <= MAX_SKEW,
            reason="ClockSkew",
            value=f"{round(off, 1) + 0.0:+.1f} s",
            limit=f"{MAX_SKEW:.0f} s",
            message=f"clock is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the others",
            fix="run a time service (chrony, systemd-timesyncd) on the machine",
        )


def _owner(view: ClusterView, host: HostView, facts: HostFacts) -> Iterator[Check]:
    other = facts.owner is not None and facts.owner.cluster_id != view.state.cluster_id
    yield Check(
        host.name,
        "owner",
        ok=not other,
        reason="HostOfAnotherCluster",
        value=facts.owner.cluster_id if facts.owner else "",
        message="the machine belongs to another SealCluster" if other else "the machine is free or ours",
        fix="remove it from the other cluster first (delete its row there), or choose another machine",
    )


def _identity(view: ClusterView, host: HostView, facts: HostFacts) -> Iterator[Check]:
    known = host.row.machine_id if host.row else facts.machine_id
    yield Check(
        host.name,
        "same-machine",
        ok=known == facts.machine_id,
        reason="HostIdentityChanged",
        value=facts.machine_id,
        limit=known,
        message=f"another machine answers at {host.address} than the one that was installed",
        fix="remove the row, acknowledge the loss with the annotation "
        f"sealcluster.io/acknowledge-lost: {host.name}={known}, then add the new machine",
    )


def _arch(view: ClusterView, host: HostView, facts: HostFacts) -> Iterator[Check]:
    yield Check(
        host.name, "arch", ok=facts.arch in ("amd64", "arm64"), reason="ArchMismatch", value=facts.arch, limit="amd64, arm64",
        message=f"architecture {facts.arch or 'unknown'} is not supported", fix="use a machine with amd64 or arm64",
    )  # fmt: skip


def _system(view: ClusterView, host: HostView, facts: HostFacts) -> Iterator[Check]:
    yield Check(
        host.name, "systemd", ok=facts.systemd >= 230, value=str(facts.systemd), limit="230",
        message="systemd 230 or newer must run the machine", fix="use a distribution with systemd",
    )  # fmt: skip
    missing = sorted(facts.tools_missing & NEEDED_TOOLS)
    yield Check(
        host.name, "tools", ok=not missing, value=" ".join(missing), message=f"commands are missing: {', '.join(missing)}",
        fix="install them with the distribution's package manager",
    )  # fmt: skip
    yield Check(
        host.name, "kernel-modules", ok=not facts.modules_missing, level=WARNING, value=" ".join(sorted(facts.modules_missing)),
        message=f"kernel modules not found: {', '.join(sorted(facts.modules_missing))}", fix="install the kernel's module package",
    )  # fmt: skip


def _resources(view: ClusterView, host: HostView, facts: HostFacts) -> Iterator[Check]:
    cpus, memory = MIN_CPUS[host.master], MIN_MEMORY_MIB[host.master]
    yield Check(
        host.name, "cpu", ok=facts.cpus >= cpus, value=str(facts.cpus), limit=str(cpus),
        message=f"{facts.cpus} CPUs, {cpus} needed", fix="give the machine more CPUs",
    )  # fmt: skip
    yield Check(
        host.name, "memory", ok=facts.memory_mib >= memory, value=f"{facts.memory_mib} MiB", limit=f"{memory} MiB",
        message=f"{facts.memory_mib} MiB of memory, {memory} needed", fix="give the machine more memory",
    )  # fmt: skip
    if not _fresh(view, host, facts):
        return
    for path, disk in sorted(facts.disks.items()):
        if path == "/var/lib":
            yield Check(
                host.name, "disk", ok=disk.free >= MIN_FREE_MIB, reason="DiskFull", value=f"{disk.free} MiB", limit=f"{MIN_FREE_MIB} MiB",
                message=f"{disk.free} MiB free below {path}, {MIN_FREE_MIB} needed", fix=f"free or add disk space below {path}",
            )  # fmt: skip


def _leftovers(view: ClusterView, host: HostView, facts: HostFacts) -> Iterator[Check]:
    if _fresh(view, host, facts):
        shown = ", ".join(facts.leftovers[:5])
        yield Check(
            host.name, "leftovers", ok=not facts.leftovers, reason="LeftoversFound", value=shown,
            message=f"another installation left {shown}", fix="clean the machine (kubeadm reset; remove what is named), or install it anew",
        )  # fmt: skip
        ports = {*MASTER_PORTS, int(view.spec.endpoint.port)} if host.master else set(WORKER_PORTS)
        if "registry" in host.roles or (host.master and host.name in {h.name for h in view.registry_hosts}):
            ports.add(int(view.spec.registry.port))
        busy = sorted(ports & facts.listening)
        yield Check(
            host.name, "ports", ok=not busy, value=" ".join(map(str, busy)),
            message=f"ports are in use: {', '.join(map(str, busy))}", fix="stop what listens on them",
        )  # fmt: skip


def _network(view: ClusterView, host: HostView, facts: HostFacts) -> Iterator[Check]:
    here = host.node_ip in facts.addresses
    yield Check(
        host.name, "address", ok=here, value=host.node_ip,
        message=f"{host.node_ip} is not an address of the machine", fix="set nodeIP of the row to the address that the other machines use",
    )  # fmt: skip
    if not _fresh(view, host, facts):
        return
    for label, subnet in (("podSubnet", view.spec.network.pod_subnet), ("serviceSubnet", view.spec.network.service_subnet)):
        clash = next((r for r in facts.routes if "." in r and _overlap(r, str(subnet))), None)
        yield Check(
            host.name, f"{label.lower()}-routes", ok=clash is None, value=clash or "",
            message=f"the machine has a route to {clash}, which overlaps spec.network.{label} {subnet}",
            fix=f"choose another spec.network.{label}",
        )  # fmt: skip


def _balancer(view: ClusterView, host: HostView, facts: HostFacts) -> Iterator[Check]:
    """Only where lvscare was asked for by name: else the balancer is chosen by what the kernel has."""
    if not host.master and view.spec.endpoint.load_balancer is LoadBalancer.LVSCARE:
        yield Check(
            host.name, "ipvs", ok=facts.ipvs,
            message="the kernel has no IPVS, which lvscare needs (spec.endpoint.loadBalancer)",
            fix="install the kernel's module ip_vs, or set spec.endpoint.loadBalancer: Auto",
        )  # fmt: skip


@lru_cache(1024)
def _overlap(route: str, subnet: str) -> bool:
    """Most machines of a cluster have the same routes."""
    return ipaddress.ip_network(route, strict=False).overlaps(ipaddress.ip_network(subnet))


_HOST_CHECKS: tuple[Callable[[ClusterView, HostView, HostFacts], Iterator[Check]], ...] = (
    _owner,
    _identity,
    _arch,
    _system,
    _resources,
    _leftovers,
    _network,
    _balancer,
)
