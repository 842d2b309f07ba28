"""A job that fails brings the end of the log of the unit that it has to do with."""

import subprocess

import pytest

from sealcluster.core import ops
from sealcluster.core.ops import Job
from sealcluster.host.scripts import assemble
from sealcluster.host.unit_logs import unit_of


@pytest.mark.parametrize(
    ("job", "unit"),
    [
        (Job("kubeadm-join", "d", ops.KubeadmJoin(b"")), "kubelet"),
        (Job("kubeadm-init", "d", ops.KubeadmInit(b"")), "kubelet"),
        (Job("pull-images", "d", ops.PullImages("/r", "v1.34.4", "node", ())), "containerd"),
        (Job("units", "d", ops.StartUnits(("containerd", "kubelet"))), "kubelet"),
        (Job("registry", "d", ops.RunScript("/r", "init-registry.sh")), "registry"),
        (Job("init", "d", ops.RunScript("/r", "init.sh")), ""),
        (Job("claim", "d", ops.Claim("c", "m1")), ""),
    ],
)
def test_which_unit(job, unit):
    assert unit_of(job) == unit


@pytest.mark.parametrize(("script", "watched", "kept"), [("exit 3", "kubelet", True), ("exit 0", "kubelet", False), ("exit 3", "", False)])
def test_the_wrapper_keeps_the_log_of_the_unit_of_a_failed_job(tmp_path, script, watched, kept):
    """The real wrapper, with a journalctl that prints its arguments."""
    state = tmp_path / "var/lib/sealcluster"
    job, tools = state / "jobs/step-d-1", tmp_path / "bin"
    job.mkdir(parents=True)
    tools.mkdir()
    (tools / "journalctl").write_text('#!/bin/sh\necho "log of $*"\n')
    (tools / "journalctl").chmod(0o755)
    (job / "run").write_text(script + "\n")
    shared = {"R": str(tmp_path), "step": "step", "digest": "d", "attempt": 1, "seconds": 60, "final": False, "d": str(job), "N": "n"}
    path = f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin"
    wrapper = assemble({**shared, "PATH": path, "watched": watched}, "env", "base", "journal", "wrapper")
    subprocess.run(["sh"], input=wrapper.encode() if isinstance(wrapper, str) else wrapper, check=True, timeout=30)
    assert (job / "rc").read_text().split()[0] == script.split()[1]
    assert (job / "unit.log").exists() == kept
    if kept:
        assert (job / "unit.log").read_text() == "log of -u kubelet.service -n 60 --no-pager -o short-iso\n"
