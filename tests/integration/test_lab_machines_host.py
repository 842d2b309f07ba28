"""What the lab says to a host that cannot run it, and what an interrupted test session leaves."""

import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from sealab import machines_requirements, paths
from sealab.errors import LabError
from sealab.machines import Lab, MachineSpec, lab_names, leftovers, take_down

TEST_FILE = """
import pathlib, time

def test_waits(machines):
    lab = machines(1)
    pathlib.Path({mark!r}).write_text(lab.name)
    time.sleep(600)
"""


def test_someone_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="not root; run the same command with sudo"):
        Lab.up("refused", [MachineSpec("m1")])


def test_another_system_than_linux_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(LabError, match="this is Darwin; they need Linux"):
        Lab.up("refused", [MachineSpec("m1")])


def test_a_full_host_is_refused_before_anything_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 30))
    with pytest.raises(LabError, match=r"has 1\.0 GiB free, 4\.0 GiB are needed; free some space"):
        machines_requirements.require_disk(tmp_path)


def test_a_missing_tool_without_apt_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(LabError, match=r"runc.* missing and there is no apt-get"):
        machines_requirements.require_tools(print)


@pytest.mark.lab
@pytest.mark.timeout(180)
@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_session_leaves_no_lab_for_long(way: signal.Signals, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "test_it.py").write_text(TEST_FILE.format(mark=str(mark)))
    tests = Path(__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": f"{paths.SOURCE}:{tests}"}
    # A shell that runs this in the background has it ignore SIGINT, and children inherit that.
    argv = [
        "env",
        "--default-signal=INT",
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "labkit.machines",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    session = subprocess.Popen(argv, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (mark.exists() and mark.read_text()):
        assert session.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    name = mark.read_text()
    assert name in lab_names()
    assert name not in leftovers()
    session.send_signal(way)
    session.wait(60)
    try:
        if way == signal.SIGINT:
            assert name not in lab_names()
        else:
            assert name in leftovers()  # which the next session takes down
    finally:
        take_down(name)
