"""Preflight: nothing is touched before every machine was looked at. A host with an error is left out, the others go on."""

from __future__ import annotations

from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.core.policies.preflight import CLUSTER, kept_out, preflight
from sealcluster.core.view import ClusterView
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
        out = kept_out(checks, (h.name for h in view.wanted))
        passed = sum(1 for h in view.wanted if h.facts is not None and h.name not in out)
        return PhasePlan(problems=tuple(problems), done=passed, total=len(view.wanted))

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Never called: preflight only looks."""
        raise AssertionError(f"preflight has no action {action.what}")
