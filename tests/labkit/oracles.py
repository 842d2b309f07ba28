"""What tools of others conclude from one object with conditions, written down as functions of our own.

`kstatus` is the rule that Flux, Helm 4 and kpt share, `kubectl_wait` that of `kubectl wait --for=condition=…`, `argo`
what Argo CD's health check says (`labkit.argocd` runs it).
"""

from pathlib import Path
from typing import Any, Literal

from labkit import argocd

Kstatus = Literal["Terminating", "InProgress", "Failed", "Current", "Error"]


def kstatus(obj: dict[str, Any]) -> Kstatus:
    """Conditions are read in the order of the list; the first True of Reconciling and Stalled decides."""
    metadata, status = obj["metadata"], obj.get("status") or {}
    if "deletionTimestamp" in metadata:
        return "Terminating"
    observed, generation = status.get("observedGeneration"), metadata.get("generation")
    if any(number is not None and type(number) is not int for number in (observed, generation)):
        return "Error"
    if None not in (observed, generation) and observed != generation:
        return "InProgress"
    conditions = status.get("conditions") or []
    verdicts: dict[str, Kstatus] = {"Reconciling": "InProgress", "Stalled": "Failed"}
    for condition in conditions:
        if condition["status"] == "True" and condition["type"] in verdicts:
            return verdicts[condition["type"]]
    ready = next((condition["status"] for condition in conditions if condition["type"] == "Ready"), "True")
    return "InProgress" if ready in {"False", "Unknown"} else "Current"


def kubectl_wait(obj: dict[str, Any], kind: str, status: str = "True") -> bool:
    """A condition that was observed for an older generation does not count; deletion is not looked at."""
    report = obj.get("status") or {}
    for condition in report.get("conditions") or []:
        if condition["type"].lower() == kind.lower():
            observed = condition.get("observedGeneration", report.get("observedGeneration"))
            generation = obj["metadata"].get("generation")
            if None not in (observed, generation) and observed < generation:
                return False
            return bool(condition["status"].lower() == status.lower())
    return False


def argo(obj: dict[str, Any], check: Path) -> str:
    """Health by a custom check."""
    return argocd.health(obj, check)[0]
