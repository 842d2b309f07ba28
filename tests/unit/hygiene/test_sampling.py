"""What `make check` leaves out: nothing is lost between it and the rest."""

from dataclasses import dataclass
from pathlib import Path

import pytest

import sampling

TESTS = Path(sampling.__file__).parent


@dataclass
class Item:
    nodeid: str
    marked: bool = False

    @property
    def path(self):
        return TESTS / self.nodeid.partition("::")[0].removeprefix("tests/")

    def get_closest_marker(self, name):
        assert name == "thorough"
        return name if self.marked else None


class Config:
    """pytest's, as far as it is asked."""

    def __init__(self, wanted):
        self.wanted, self.hook, self.left = wanted, self, []

    def getoption(self, name):
        assert name == "--run"
        return self.wanted

    def pytest_deselected(self, items):
        self.left = items


ITEMS = [
    Item("tests/sim/test_a.py::test_table[1]", marked=True),
    Item("tests/sim/test_a.py::test_table[2]"),
    Item("tests/sim/test_a.py::test_table[3]"),
    Item("tests/sim/test_a.py::test_one"),
    Item("tests/sim/test_a.py::test_long", marked=True),
    Item("tests/unit/test_b.py::test_table[1]"),
    Item("tests/unit/test_b.py::test_table[2]"),
    Item("tests/unit/test_b.py::test_long", marked=True),
]


def chosen(wanted):
    items, config = list(ITEMS), Config(wanted)
    sampling.pytest_collection_modifyitems(config, items)
    assert [i for i in ITEMS if i in items or i in config.left] == ITEMS
    return [i.nodeid.partition("::test_")[2] for i in items]


def test_the_sample_has_the_first_row_of_each_table_of_stories_and_every_unit_test():
    assert chosen("sample") == ["table[2]", "one", "table[1]", "table[2]"]


def test_the_rest_is_what_the_sample_left_out():
    assert chosen("rest") == ["table[1]", "table[3]", "long", "long"]


def test_without_a_choice_all_run():
    assert len(chosen("all")) == len(ITEMS)


@pytest.mark.parametrize(("target", "choice"), [("check", "sample"), ("test-rest", "rest")])
def test_make_test_runs_both(target, choice):
    text = (TESTS.parent / "Makefile").read_text()
    recipe = text.partition(f"\n{target}: ")[2].partition("\n\n")[0]
    assert f"--run {choice} tests/unit tests/sim" in recipe
    assert target in text.partition("\ntest: ")[2].partition("##")[0].split()
