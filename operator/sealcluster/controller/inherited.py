"""What an operator finds that another one left: its status, and whether that still holds."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from sealcluster.api import SealClusterStatus
from sealcluster.engine import Report

log = logging.getLogger("sealcluster.controller")


def inherited_status(body: Mapping[str, Any]) -> SealClusterStatus:
    """The status as it stands in the object; an empty one when nobody can read it."""
    try:
        return SealClusterStatus.model_validate(body.get("status") or {})
    except ValidationError:
        log.warning("the object's status cannot be read; it is written anew")
        return SealClusterStatus()


def only_looks(report: Report) -> bool:
    """True while all that is left to do is to learn what the images are: nothing is in the way, nothing has to be changed."""
    left = {a.phase for p in report.plans.values() for a in p.actions}
    return report.view.cluster_settled and not report.problems and left == {"pull-images"}
