"""A machine behind a real sshd, on which jobs run; systemd is played by a stand-in."""

import pytest

from sshkit.machine import machine


@pytest.fixture
async def m1(tmp_path):
    with machine(tmp_path) as made:
        yield made
        await made.close()
