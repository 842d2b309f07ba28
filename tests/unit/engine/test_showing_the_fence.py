"""The job that shows a machine our fencing number."""

from sealcluster.core.ports import Fence
from sealcluster.engine.gate import showing
from sealcluster.host.jobs import Running


def test_each_number_has_a_directory_of_its_own_on_the_machine():
    numbers = range(1, 500)
    assert len({Running("m1", showing(n), 3, Fence("c1", n)).directory for n in numbers}) == len(numbers)
