"""Fixtures that give a test machines of its own and leave nothing behind when it fails or is interrupted.

    pytest_plugins = ["labkit.machines"]

`machines(n)` or `machines(spec, spec, …)` boots a new lab; `fault` holds the functions of `sealab.faults`.
A lab whose test process was killed is removed at the start of the next session.
"""

import itertools
import os
from collections.abc import Iterator
from types import ModuleType
from typing import Protocol

import pytest

from sealab import faults
from sealab.machines import Lab, MachineSpec, leftovers, take_down

_COUNTER = itertools.count(1)


class Machines(Protocol):
    """What the `machines` fixture gives."""

    def __call__(self, *specs: MachineSpec | int) -> Lab:
        """Boot a lab with these machines; a number n stands for plain ones, m1 to mn."""


def specs_of(*wanted: MachineSpec | int) -> list[MachineSpec]:
    """Specifications, with each number n replaced by n plain machines."""
    specs: list[MachineSpec] = []
    for one in wanted:
        if isinstance(one, MachineSpec):
            specs.append(one)
        else:
            specs += [MachineSpec(f"m{len(specs) + number}") for number in range(1, one + 1)]
    return specs


def _factory() -> Iterator[Machines]:
    names: list[str] = []

    def boot(*specs: MachineSpec | int) -> Lab:
        name = f"t{os.getpid()}-{next(_COUNTER)}"
        names.append(name)
        return Lab.up(name, specs_of(*specs), owner_pid=os.getpid())

    try:
        yield boot
    finally:
        for name in names:
            take_down(name)


@pytest.fixture(scope="session")
def _no_leftovers() -> None:
    for name in leftovers():
        take_down(name)


@pytest.fixture
def machines(_no_leftovers: None) -> Iterator[Machines]:
    """A factory of labs that are gone when the test is over."""
    yield from _factory()


@pytest.fixture(scope="module")
def module_machines(_no_leftovers: None) -> Iterator[Machines]:
    """The same for a whole module, where tests share machines that they do not break."""
    yield from _factory()


@pytest.fixture
def fault() -> ModuleType:
    """`fault.cut(lab, machine)`, `fault.heal(lab, machine)`, …: see `sealab.faults`."""
    return faults
