"""A machine to run one op after another on; commands that need a real machine are stand-ins."""

import contextlib
import subprocess

import pytest

from sshkit.machine import machine
from sshkit.ops import KUBEADM
from sshkit.sandbox import small_disk


@pytest.fixture
async def m1(tmp_path):
    with machine(tmp_path) as made:
        made.port_, made.attempt = made.port(), 0
        yield made
        await made.close()


@pytest.fixture
def kubeadm(m1):
    m1.box.tool("kubeadm", KUBEADM.replace("@ROOT@", str(m1.box.root)))
    m1.box.tool(
        "crictl",
        '#!/bin/sh\necho "$@" >>@ROOT@/pulled\ncase $* in *broken*) echo "not found" >&2; exit 1 ;; esac\n'.replace(
            "@ROOT@", str(m1.box.root)
        ),
    )
    return m1.file("/asked")


@pytest.fixture
def little(m1):
    """/var/lib/sealcluster on a file system of 3 MiB."""
    with small_disk(m1.box.state, "3m") as folder:
        m1.own()
        yield folder


@pytest.fixture
def mount():
    """Mounts at folders of a test; what is mounted still at its end goes."""
    with contextlib.ExitStack() as stack:

        def at(folder, *options):
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", *options, folder], check=True)
            stack.callback(subprocess.run, ["umount", "-l", folder], stderr=subprocess.DEVNULL, check=False)
            return folder

        yield at
