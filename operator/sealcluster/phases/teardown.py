"""Delete with `Reset`: every machine that we ever touched is cleaned, verified from outside and released; masters after workers."""

from __future__ import annotations

from sealcluster.core.plan import Action, PhasePlan, Problem
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context
from sealcluster.phases.leave import acknowledged, clean_job, lost, ours

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
        workers_left = [h for h in hosts if not h.was_master and h.facts is not None and ours(view, h)]
        for host in hosts:
            if host.facts is None:
                if host.error is not None and acknowledged(view, host):
                    actions.append(Action(self.name, FORGET, host.name, "a person said that it is gone", disruptive=True))
                elif host.error is not None:
                    problems.append(lost(view, host, self.name))
                continue
            if host.facts.owner is not None and not ours(view, host):
                actions.append(Action(self.name, FORGET, host.name, "it belongs to another cluster now"))
            elif ours(view, host):
                needs = f"{workers_left[0].name} to be cleaned first" if host.was_master and workers_left else ""
                actions.append(Action(self.name, CLEAN, host.name, "the cluster is being deleted", needs, disruptive=True))
            elif host.facts.leftovers:
                problems.append(self._dirty(host))
            else:
                actions.append(Action(self.name, FORGET, host.name, "it is clean"))
        return PhasePlan(tuple(actions), tuple(problems), done=0, total=len(hosts))

    def _dirty(self, host: HostView) -> Problem:
        left = ", ".join(host.facts.leftovers[:5]) if host.facts else ""
        return Problem(
            "HostNotClean", f"{host.name} is not clean: {left}", host.name, self.name, "remove what is named, then it is released"
        )

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Clean or release."""
        host = view.hosts[action.host]
        if action.what == CLEAN:
            await context.gate.run(host.name, clean_job(view, host), reason="HostNotClean")
        else:
            await context.gate.forget_host(host.name)
