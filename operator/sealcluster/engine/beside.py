"""What may run on a machine beside what runs there already, whoever started it."""

from __future__ import annotations

from collections.abc import Sequence

from sealcluster.core.plan import Action
from sealcluster.core.view import ClusterView

ASIDE_STEPS = frozenset({"certificate-requests", "certificates"})
"""Jobs that may run beside others on the same host."""
ALONE_STEPS = frozenset({"kubeadm-init", "kubeadm-join", "kubeadm-reset", "clean"})
"""Jobs beside which nothing else may run on the host."""


def taken(view: ClusterView, action: Action, ours: Sequence[Action]) -> bool:
    """True while a job runs on the host that nobody here waits for: an earlier operator's, or one whose link was lost.

    Only the action that would start this very job may come, and finds it running. `ours`: our own actions on this host.
    """
    host = view.hosts.get(action.host)
    if host is None or host.facts is None:
        return False
    jobs = {job.step for job in host.facts.jobs.values() if job.state == "running"} - {action.step}
    beside = jobs & ASIDE_STEPS
    if action.aside:
        return bool(beside) or bool(jobs & ALONE_STEPS) or any(a.step in ALONE_STEPS for a in ours)
    if action.step in ALONE_STEPS and ours:
        return True
    return bool(jobs - ASIDE_STEPS) or (bool(beside) and not ours)
