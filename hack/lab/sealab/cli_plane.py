"""`sealab plane-up`, `plane-down`, `plane-list`."""

import argparse
import time
from typing import Any

from sealab import plane


def register(commands: Any) -> None:
    """Add the commands of the management plane."""
    up = commands.add_parser("plane-up", help="start a management plane and write its kubeconfig")
    up.add_argument("--name", default="demo", help="several planes with different names run side by side")
    up.set_defaults(run=_up)
    stop = commands.add_parser("plane-down", help="stop a management plane and remove all of it")
    stop.add_argument("--name", default="demo")
    stop.set_defaults(run=_down)
    commands.add_parser("plane-list", help="list management planes").set_defaults(run=_list)


def _up(options: argparse.Namespace) -> int:
    started = time.monotonic()
    running = plane.Plane.up(options.name)
    print(f"plane {running.name} is up at {running.server} ({time.monotonic() - started:.1f} s)")
    print(f"export KUBECONFIG={running.kubeconfig}")
    return 0


def _down(options: argparse.Namespace) -> int:
    plane.down(options.name)
    print(f"plane {options.name} is down")
    return 0


def _list(options: argparse.Namespace) -> int:
    for name in plane.names():
        running = plane.Plane.find(name)
        print(f"{name}\t{running.server if running else 'broken: run plane-down'}")
    return 0
