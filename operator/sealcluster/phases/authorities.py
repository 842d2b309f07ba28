"""The cluster's certificate authorities: made once, stored before anything uses them, never made again once the cluster exists."""

from __future__ import annotations

from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.core.policies.preflight import blockers, preflight
from sealcluster.core.view import ClusterView
from sealcluster.phases.base import Context
from sealcluster.phases.kubeadm_inputs import certificate_policy


class Authorities:
    """CAs, service-account keys and the registry's password."""

    name = "authorities"
    title = "making certificate authorities"

    def plan(self, view: ClusterView) -> PhasePlan:
        """One action, before init; a problem afterwards."""
        if view.pki is not None:
            return PhasePlan(done=1, total=1)
        if f"cluster:{self.name}" in view.running:
            return PhasePlan(total=1)
        if view.initialized or view.state.pki_created:
            return PhasePlan(
                problems=(
                    Problem(
                        "PKIMissing",
                        "the Secrets with the cluster's certificate authorities are gone, and a running cluster must never get new ones",
                        phase=self.name,
                        hint=f"restore the Secrets {view.name}-ca, -etcd, -proxy and -sa from a backup, or from "
                        "/etc/kubernetes/pki of any master (ca.crt/ca.key, etcd/ca.*, front-proxy-ca.*, sa.*)",
                        cluster=True,
                    ),
                ),
                total=1,
            )
        checks = preflight(view)
        fit = any(h.facts is not None and not blockers(checks, h.name) for h in view.masters)
        needs = "" if fit and view.rootfs is not None else "a master that passed preflight and the cluster's images"
        return PhasePlan((Action(self.name, "make certificate authorities", why="the cluster has none", needs=needs),), total=1)

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Make, store, and record that they were made."""
        pki = await context.certs.create(certificate_policy(view))
        await context.gate.create_pki(pki)
