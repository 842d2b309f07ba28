"""Which unit tests and simulated stories run: all of them, or a sample that is quick enough for every commit.

The sample leaves out what is marked `thorough`, and of every table of stories (each parametrised test of `tests/sim`) all rows but the first.
`make check` runs the sample, `make test` the rest as well.
"""

from itertools import compress
from pathlib import Path

import pytest

STORIES = Path(__file__).parent / "sim"
ALL, SAMPLE, REST = "all", "sample", "rest"


def pytest_addoption(parser):
    parser.addoption("--run", choices=(ALL, SAMPLE, REST), default=ALL, help="which of the unit tests and simulated stories run")


def pytest_collection_modifyitems(config, items):
    wanted = config.getoption("--run")
    if wanted == ALL:
        return
    runs = [sampled == (wanted == SAMPLE) for sampled in sample(items)]
    config.hook.pytest_deselected(items=[item for item, run in zip(items, runs, strict=True) if not run])
    items[:] = compress(items, runs)


def sample(items: list[pytest.Item]):
    """For each test, in order: is it in the sample?"""
    seen = set()
    for item in items:
        table = item.nodeid.partition("[")[0]
        sampled = item.get_closest_marker("thorough") is None and not (STORIES in item.path.parents and table in seen)
        if sampled:
            seen.add(table)
        yield sampled
