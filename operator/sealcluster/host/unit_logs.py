"""Whose log tells more when a job fails: the unit that it waits for or starts."""

from __future__ import annotations

from sealcluster.core.ops import Job, KubeadmInit, KubeadmJoin, PullImages, RunScript, StartUnits


def unit_of(job: Job) -> str:
    """Name of a systemd service without its suffix; empty where none is concerned."""
    match job.op:
        case KubeadmInit() | KubeadmJoin():
            return "kubelet"
        case PullImages():
            return "containerd"
        case StartUnits(units=units) if units:
            return units[-1]
        case RunScript() if job.step == "registry":
            return "registry"
        case _:
            return ""
