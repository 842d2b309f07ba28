"""What the lab installs on a machine that is somebody's: no service of it starts there."""

import shutil
import subprocess

import pytest

from sealab import machines_requirements as requirements
from sealab.errors import LabError


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Commands instead of being run, with what Debian's policy said while each would have run."""
    seen = []
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(requirements, "POLICY", policy)

    def run(*command, **_):
        told = subprocess.run([policy], check=False).returncode if policy.exists() else None
        seen.append((" ".join(command), told))

    monkeypatch.setattr(requirements, "run", run)
    return seen


def test_nothing_is_started_while_packages_are_installed(asked):
    requirements.install(["openssh-server"], print)
    ((words, told),) = [row for row in asked if "install" in row[0]]
    assert words.endswith(" openssh-server")
    assert told == 101
    assert not requirements.POLICY.exists()


def test_the_policy_of_somebody_else_stays(asked):
    requirements.POLICY.write_text("#!/bin/sh\nexit 104\n")
    requirements.POLICY.chmod(0o755)
    requirements.install(["openssh-server"], print)
    assert asked[-1][1] == 104
    assert "104" in requirements.POLICY.read_text()


def test_the_policy_goes_when_installing_fails(asked, monkeypatch):
    def broken(*command, **_):
        if "install" in command:
            raise LabError("no such package")

    monkeypatch.setattr(requirements, "run", broken)
    with pytest.raises(LabError):
        requirements.install(["nonsense"], print)
    assert not requirements.POLICY.exists()


def test_a_server_that_is_there_is_used_as_it_is(asked):
    assert requirements.find_or_install("sh", "dash", "dash", print) == shutil.which("sh")
    assert asked == []


def test_a_package_without_its_program_is_told(asked):
    with pytest.raises(LabError, match="does not have it"):
        requirements.find_or_install("no-such-server", "openssh-server", "ssh", print)
