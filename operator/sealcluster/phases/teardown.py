"""Delete with `Reset`: every machine that we ever touched is cleaned, verified from outside and released; masters after workers."""

from __future__ import annotations

from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context
from sealcluster.phases.releasing import acknowledged, clean_job, lost, not_clean, ours, out_of_reach, under_way

CLEAN, FORGET = "clean the machine", "release"


class Teardown:
    """Half-made clusters go the same way: what is not there is not cleaned."""

    name = "teardown"
    title = "cleaning machines"

    def plan(self, view: ClusterView) -> PhasePlan:
        """Each machine on its own; a problem holds up only itself."""
        actions: list[Action] = []
        problems: list[Problem] = []
        hosts = [h for h in view.hosts.values() if h.row is not None]
        workers_left = [h.name for h in hosts if not h.was_master and ours(view, h)]
        for host in hosts:
            if out_of_reach(host):
                if acknowledged(view, host):
                    actions.append(Action(self.name, FORGET, host.name, "a person said that it is gone", disruptive=True))
                else:
                    problems.append(lost(view, host, self.name))
            elif host.facts is not None:
                problem = None if ours(view, host) else not_clean(host, self.name)
                if problem is not None:
                    problems.append(problem)
                else:
                    actions.append(self._action(view, host, workers_left))
        return PhasePlan(tuple(actions), tuple(problems), done=len(view.hosts) - len(hosts), total=len(view.hosts))

    def _action(self, view: ClusterView, host: HostView, workers_left: list[str]) -> Action:
        if ours(view, host):
            needs = f"{workers_left[0]} to be cleaned first" if host.was_master and workers_left else ""
            return Action(self.name, CLEAN, host.name, "the cluster is being deleted", needs, disruptive=True, step="clean")
        foreign = host.facts is not None and host.facts.owner is not None
        job = "" if foreign else under_way(host)
        why = "it belongs to another cluster now" if foreign else "it is clean"
        return Action(self.name, FORGET, host.name, why, f"its job {job} to end" if job else "", watch=(host.name,))

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Clean or release."""
        host = view.hosts[action.host]
        if action.what == CLEAN:
            await context.gate.run(host.name, clean_job(view, host), reason="HostNotClean")
        else:
            await context.gate.forget_host(host.name)
