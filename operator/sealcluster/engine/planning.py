"""Every phase plans on every turn; one that cannot does not stop the others."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from sealcluster.core.errors import SealError
from sealcluster.core.plan import PhasePlan, Problem
from sealcluster.core.view import ClusterView
from sealcluster.phases import TEARDOWN, Phase

log = logging.getLogger("sealcluster.engine")


class Planner:
    """The pipeline that makes a cluster and the one that takes it apart, by the names of their phases."""

    def __init__(self, phases: Sequence[Phase]) -> None:
        self._phases = {p.name: p for p in phases}
        self._teardown = {p.name: p for p in TEARDOWN}
        self._said: AbstractSet[str] = frozenset()

    def plans(self, view: ClusterView) -> dict[str, PhasePlan]:
        """What every phase wants done now."""
        plans, self._said = all_plans(self._teardown if view.deleting else self._phases, view, self._said)
        return plans

    def phase(self, name: str) -> Phase:
        """The phase of an action."""
        return self._phases.get(name) or self._teardown[name]

    def takes_apart(self, name: str) -> bool:
        """True for a phase that runs only while the cluster is being deleted."""
        return name in self._teardown


def all_plans(phases: Mapping[str, Phase], view: ClusterView, known: AbstractSet[str]) -> tuple[dict[str, PhasePlan], set[str]]:
    """Plans by phase, and why some could not be made: a problem for a person, said once although several phases meet it.

    Mostly it is a template of an image that cannot be rendered. A bug of ours is contained like that, too. What is in `known` is not
    logged again.
    """
    plans: dict[str, PhasePlan] = {}
    said: set[str] = set()
    for name, phase in phases.items():
        try:
            plans[name] = phase.plan(view)
            continue
        except SealError as error:
            problem = Problem(error.reason, error.message, error.host or "", name, error.hint, cluster=not error.host)
            if error.message not in known | said:
                log.warning("%s", error.message, extra={"cluster": view.name, "phase": name})
        except Exception as error:
            problem = Problem("InternalError", f"planning {name}: {type(error).__name__}: {error}", phase=name, cluster=True)
            if problem.message not in known | said:
                log.exception("internal error", extra={"cluster": view.name, "phase": name})
        plans[name] = PhasePlan(problems=() if problem.message in said else (problem,), total=1)
        said.add(problem.message)
    return plans, said
