"""The admin kubeconfig `<name>-kubeconfig`: points at a healthy master and follows the masters."""

from __future__ import annotations

from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.view import ClusterView
from sealcluster.phases.base import Context
from sealcluster.phases.kubeadm_inputs import certificate_policy


class Kubeconfig:
    """For people and tools outside."""

    name = "kubeconfig"
    title = "publishing the kubeconfig"

    def plan(self, view: ClusterView) -> PhasePlan:
        """When there is none, or it points at a master that no longer answers."""
        if not view.initialized or view.pki is None:
            return PhasePlan(total=1)
        good = any(
            _server(view, h.address) in (view.kubeconfig or "") for h in view.serving_masters if h.name in view.cluster.ready_masters
        )
        if view.kubeconfig and (good or view.leader is None):
            return PhasePlan(done=1, total=1)
        needs = "" if view.leader is not None else "a master whose API server answers"
        return PhasePlan(
            (Action(self.name, "write the kubeconfig", why="it is missing or its master does not answer", needs=needs),), total=1
        )

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """A client certificate made now."""
        assert view.pki is not None and view.leader is not None
        text = context.certs.kubeconfig(
            view.pki,
            view.name,
            view.leader.address,
            int(view.spec.endpoint.port),
            str(view.spec.endpoint.domain),
            certificate_policy(view),
            context.clock.now(),
        )
        await context.gate.save_kubeconfig(text)


def _server(view: ClusterView, address: str) -> str:
    return f"https://{address}:{view.spec.endpoint.port}\n"
