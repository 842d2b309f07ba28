"""Ports for planes that run side by side."""

import json
import random
import socket
from pathlib import Path

from sealab.errors import LabError

_RANGE = range(21000, 29000)
"""Below the range from which the kernel takes ports of outgoing connections, so that none of those is in the way."""


def free_ports(count: int, planes: Path) -> list[int]:
    """Ports that nobody listens on and no other plane has been given; call it under the planes' lock."""
    taken = {port for state in planes.glob("*/state.json") for port in json.loads(state.read_text()).get("ports", [])}
    found: list[int] = []
    for port in random.sample(_RANGE, len(_RANGE)):
        if port not in taken and _bindable(port):
            found.append(port)
            if len(found) == count:
                return found
    raise LabError(f"looking for free ports: none left in {_RANGE.start}-{_RANGE.stop}; take planes down")


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
