"""What goes to a host as a job's files."""

import io
import tarfile

import pytest

from sealcluster.core.ops import File
from sealcluster.host.staging import Inputs, checked_path


def members(archive):
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {m.name: m for m in tar}


def test_only_root_may_read_any_of_it():
    inputs = Inputs({"a": "b"}).put("run", "true\n").put_files((File("/etc/x", b"secret", 0o644),))
    assert {m.mode for m in members(inputs.tar()).values() if m.isfile()} == {0o600}


def test_directories_can_be_entered_by_their_owner_only():
    directories = [m for m in members(Inputs().put("in/a/b/c", b"").tar()).values() if m.isdir()]
    assert [d.name for d in directories] == ["in", "in/a", "in/a/b"]
    assert {d.mode for d in directories} == {0o700}


def test_files_are_listed_with_mode_and_path():
    archive = Inputs().put_files((File("/etc/a b", b"1", 0o640), File("/etc/c", b"2"))).tar()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert tar.extractfile("in/files.list").read() == b"0640 0 /etc/a b\n0600 1 /etc/c\n"


@pytest.mark.parametrize("path", ["", "a\nb", " a", "a ", "a\\b", "/etc/../x", ".."])
def test_paths_that_scripts_cannot_carry_are_refused(path):
    with pytest.raises(ValueError, match="writing a file"):
        checked_path(path)
