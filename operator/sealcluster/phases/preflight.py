"""Preflight: nothing is touched before every machine was looked at. A host with an error is left out, the others go on."""

from __future__ import annotations

from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.core.policies.preflight import CLUSTER, kept_out, preflight
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context


class Preflight:
    """Checks of machines that are not part of the cluster yet."""

    name = "preflight"
    title = "checking machines"

    def plan(self, view: ClusterView) -> PhasePlan:
        """No actions, only what stands in the way."""
        checks = [c for c in preflight(view) if c.blocks]
        problems = []
        for check in checks:
            concerned = view.wanted if check.scope == CLUSTER or check.host not in view.hosts else (view.hosts[check.host],)
            newcomer = not all(view.joined(h) for h in concerned)
            if newcomer or check.reason in ("HostOfAnotherCluster", "HostIdentityChanged"):
                problems.append(
                    Problem(
                        reason=check.reason,
                        message=f"{check.host}: {check.message}" if check.host and check.scope != CLUSTER else check.message,
                        host=check.host if check.scope != CLUSTER else "",
                        phase=self.name,
                        hint=check.fix,
                        cluster=check.scope == CLUSTER,
                    )
                )
        problems += [self._same(host, other) for host in view.hosts.values() if (other := _other_name(view, host)) is not None]
        out = kept_out(checks, (h.name for h in view.wanted))
        passed = sum(1 for h in view.wanted if h.facts is not None and h.name not in out)
        return PhasePlan(problems=tuple(problems), done=passed, total=len(view.wanted))

    def _same(self, host: HostView, other: HostView) -> Problem:
        text = f"{host.name}: the machine at {host.address} is {other.name}, which is in the list already"
        return Problem("DuplicateMachineID", text, host.name, self.name)

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Never called: preflight only looks."""
        raise AssertionError(f"preflight has no action {action.what}")


def _other_name(view: ClusterView, host: HostView) -> HostView | None:
    """The host that this row's machine is already, and stays; None: no other, or one that leaves."""
    owner = host.facts.owner if host.facts is not None and host.spec is not None else None
    other = view.hosts.get(owner.name) if owner is not None and owner.cluster_id == view.state.cluster_id else None
    stays = other is not None and other.name != host.name and other.row is not None and other.spec is not None and not other.going
    return other if stays else None
