"""Claim a machine: its row goes into the durable inventory first, then the machine learns whose it is."""

from __future__ import annotations

from dataclasses import replace

from sealcluster.core.digest import digest
from sealcluster.core.ops import Claim as ClaimOp
from sealcluster.core.ops import Job
from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.policies.preflight import kept_out, preflight
from sealcluster.core.state import InventoryRow
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context, image_set
from sealcluster.phases.environment import host_env

RECORD = "update its record"


class Claim:
    """The first touch of a host."""

    name = "claim"
    title = "claiming machines"

    def plan(self, view: ClusterView) -> PhasePlan:
        """Machines that were seen, passed preflight and are not ours yet."""
        free = [h.name for h in view.wanted if h.facts is not None and not self._claimed(view, h)]
        out = kept_out(preflight(view), free) if free else frozenset()
        actions = []
        done = 0
        for host in view.wanted:
            if host.facts is None:
                continue
            if self._claimed(view, host):
                done += 1
                if view.images_for(host) and host.row != _current(view, host):
                    actions.append(Action(self.name, RECORD, host.name, "how to reach or to clean it has changed"))
            elif host.name not in out:
                needs = "" if view.images_for(host) else "the cluster's images"
                actions.append(Action(self.name, "claim", host.name, "the machine is free", needs))
        return PhasePlan(tuple(actions), done=done, total=len(view.wanted))

    @staticmethod
    def _claimed(view: ClusterView, host: HostView) -> bool:
        owner = host.facts.owner if host.facts else None
        return owner is not None and owner.cluster_id == view.state.cluster_id and host.row is not None

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Inventory row by compare-and-swap, then the owner file."""
        host = view.hosts[action.host]
        assert host.spec is not None and host.facts is not None
        if action.what == RECORD:
            current = _current(view, host)
            await context.gate.update_state(lambda state: state.with_host(current) if host.name in state.inventory else state)
            return
        row = InventoryRow(
            name=host.name,
            address=str(host.spec.address),
            port=host.spec.port or view.spec.ssh.port,
            roles=host.roles,
            machine_id=host.facts.machine_id,
            host_key=host.host_key,
            user=str((host.spec.ssh.user if host.spec.ssh else None) or view.spec.ssh.user),
            credentials_secret=_secret_name(view, host),
            node_ip=host.node_ip,
            registry=serves(view, host),
            clean=clean_scripts(view, host),
            clean_env=clean_env(view, host),
            leaving=_given_up(view, host),
        )
        if view.state.inventory.get(host.name) != row:
            await context.gate.update_state(lambda state: state.with_host(row))
        cluster = view.state.cluster_id
        await context.gate.run(
            host.name, Job("claim", digest(cluster, host.name), ClaimOp(cluster, host.name), timeout=60), reason="ScriptFailed"
        )


def _given_up(view: ClusterView, host: HostView) -> bool:
    """True for a machine that was given up as lost and comes back: it joined once and is no part of the cluster any more. It is cleaned first."""
    gone = view.initialized and view.cluster.reachable and view.node(host) is None
    return gone and host.row is None and host.claimed and view.joined(host)


def _current(view: ClusterView, host: HostView) -> InventoryRow:
    """The row as the spec of now would have it; which machine it is and the key that it showed stay."""
    assert host.spec is not None and host.row is not None
    return replace(
        host.row,
        address=str(host.spec.address),
        port=host.spec.port or view.spec.ssh.port,
        roles=host.roles,
        user=str((host.spec.ssh.user if host.spec.ssh else None) or view.spec.ssh.user),
        credentials_secret=_secret_name(view, host),
        node_ip=host.node_ip,
        registry=serves(view, host),
        clean=clean_scripts(view, host),
        clean_env=clean_env(view, host),
    )


def serves(view: ClusterView, host: HostView) -> bool:
    """True for a host that serves the cluster's registry, or once did."""
    return any(h.name == host.name for h in view.registry_hosts) or host.done("registry")


def clean_scripts(view: ClusterView, host: HostView) -> tuple[str, ...]:
    """Texts of the image's clean scripts in the order in which they undo."""
    scripts = {name: text for image in image_set(view.images_for(host)) for name, text in image.scripts.items()}
    order = ("clean-registry", "clean-cri", "clean") if serves(view, host) else ("clean-cri", "clean")
    return tuple(scripts[name] for name in order if name in scripts)


def clean_env(view: ClusterView, host: HostView) -> dict[str, str]:
    """The names of the images' own env as this host's scripts were told them, and those that we decided; nothing secret."""
    names = {name for image in image_set(view.images_for(host)) for name in image.env if "password" not in name.lower()}
    env = {name: value for name, value in host_env(view, host).items() if name in names}
    return {**env, "registryDomain": str(view.spec.registry.domain), "registryPort": str(view.spec.registry.port)}


def _secret_name(view: ClusterView, host: HostView) -> str:
    own = host.spec.ssh.credentials_secret_ref if host.spec and host.spec.ssh else None
    reference = own or view.spec.ssh.credentials_secret_ref
    return str(reference.name) if reference else ""
