"""Observe, decide, apply, report."""

from sealcluster.engine.desired import Desired
from sealcluster.engine.engine import Engine
from sealcluster.engine.limits import Limits
from sealcluster.engine.ports import Ports
from sealcluster.engine.report import Report

__all__ = ["Desired", "Engine", "Limits", "Ports", "Report"]
