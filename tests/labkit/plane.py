"""Fixtures that give a test a management plane of its own, in parallel if it wants, and leave nothing behind."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sealab import plane as planes
from sealab.plane import Plane
from sealab.plane_process import Process


@contextmanager
def fresh_plane(prefix: str = "test") -> Iterator[Plane]:
    """A new plane that is gone afterwards; one that a killed test run left behind is removed on the way."""
    planes.sweep()
    name = f"{prefix}-{os.getpid()}-{secrets.token_hex(3)}"
    try:
        yield Plane.up(name, owner=Process.of(os.getpid()))
    finally:
        planes.down(name)


@pytest.fixture
def plane() -> Iterator[Plane]:
    """A management plane for this test alone."""
    with fresh_plane() as running:
        yield running


@pytest.fixture(scope="module")
def module_plane() -> Iterator[Plane]:
    """One management plane for the tests of a module that do not disturb each other."""
    with fresh_plane() as running:
        yield running
