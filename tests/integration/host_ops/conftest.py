"""A machine to run one op after another on; commands that need a real machine are stand-ins."""

import pytest

from sshkit.machine import machine
from sshkit.ops import KUBEADM


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
