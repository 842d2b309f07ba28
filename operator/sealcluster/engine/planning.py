"""Every phase plans on every turn; one that cannot does not stop the others."""

from __future__ import annotations

from collections.abc import Mapping

from sealcluster.core.errors import SealError
from sealcluster.core.plan import PhasePlan, Problem
from sealcluster.core.view import ClusterView
from sealcluster.phases import Phase


def all_plans(phases: Mapping[str, Phase], view: ClusterView) -> tuple[dict[str, PhasePlan], set[str]]:
    """Plans by phase, and why some could not be made (a template of an image that cannot be rendered): a person's problem, said once."""
    plans: dict[str, PhasePlan] = {}
    said: set[str] = set()
    for name, phase in phases.items():
        try:
            plans[name] = phase.plan(view)
        except SealError as error:
            first = error.message not in said
            said.add(error.message)
            problem = Problem(error.reason, error.message, error.host or "", name, error.hint, cluster=not error.host)
            plans[name] = PhasePlan(problems=(problem,) if first else (), total=1)
    return plans, said
