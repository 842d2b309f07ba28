"""What every status of a SealCluster must keep, whatever it tells; looked at whenever a test looks at an object."""

from typing import Any

from sealcluster.api.conditions import ConditionType, Reason

KNOWN = {str(reason) for reason in Reason}


def check_status(body: dict[str, Any]) -> None:
    """Reconciling and Stalled exclude each other and Ready, every reason is of the closed list, and nothing is said twice."""
    status = body.get("status") or {}
    conditions = status.get("conditions") or []
    if not conditions:
        return
    kinds = [c["type"] for c in conditions]
    assert sorted(kinds) == sorted(str(kind) for kind in ConditionType), kinds
    true = {c["type"] for c in conditions if c["status"] == "True"}
    assert len(true & {"Ready", "Reconciling", "Stalled"}) <= 1, conditions
    reasons = {c["reason"] for c in conditions} | {row["reason"] for row in status.get("hosts", []) if "reason" in row}
    assert reasons <= KNOWN, reasons - KNOWN
    generations = {c["observedGeneration"] for c in conditions if c["type"] in ("Ready", "Reconciling", "Stalled")}
    assert generations == {status["observedGeneration"]}
