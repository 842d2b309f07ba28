"""Thousands of joins that end one after another are followed by looks at the cluster that do not become as many."""

import asyncio

import pytest

from sealcluster.engine.together import PATIENCE, Together
from sealcluster.testing import clock


class Look:
    def __init__(self, *seconds):
        self._seconds = list(seconds)
        self.began = []
        self.error = None

    async def __call__(self):
        self.began.append(now())
        seconds = self._seconds.pop(0) if len(self._seconds) > 1 else self._seconds[0]
        await asyncio.sleep(seconds)
        if self.error is not None:
            raise self.error


def now():
    return asyncio.get_running_loop().time()


async def after(seconds, together):
    """Call it then; when it had returned."""
    await asyncio.sleep(seconds)
    await together()
    return now()


def test_who_comes_while_one_is_under_way_shares_the_next():
    async def main():
        look = Look(1.0)
        together = Together(look)
        ended = await asyncio.gather(*(after(n / 1000, together) for n in range(1000)))
        assert look.began == [0.0, 1.0]
        assert ended[0] == 1.0
        assert set(ended[1:]) == {2.0}, "a look that began before them could not show what they did"

    clock.run(main())


def test_looks_follow_one_another_as_long_as_somebody_asks():
    async def main():
        look = Look(1.0)
        together = Together(look)
        await asyncio.gather(*(after(n / 100, together) for n in range(1000)))
        assert len(look.began) == 11

    clock.run(main())


def test_one_that_does_not_answer_is_not_waited_for():
    async def main():
        look = Look(60.0, 1.0)
        together = Together(look)
        first = asyncio.create_task(together())
        ended = await asyncio.gather(*(after(0.5, together) for _ in range(10)))
        assert set(ended) == {0.5 + PATIENCE + 1.0}
        assert len(look.began) == 2
        await first
        assert now() == 60.0

    clock.run(main())


def test_a_fault_is_told_to_who_met_it_and_the_others_try_themselves():
    async def main():
        look = Look(1.0)
        together = Together(look)
        first, second, third = (asyncio.create_task(after(n / 10, together)) for n in range(3))
        await asyncio.sleep(1.5)
        look.error = ValueError("no")
        with pytest.raises(ValueError, match="no"):
            await second
        look.error = None
        assert await first == 1.0
        assert await third == 3.0

    clock.run(main())


def test_a_caller_that_is_cancelled_leaves_the_others_theirs():
    async def main():
        look = Look(1.0)
        together = Together(look)
        first = asyncio.create_task(after(0, together))
        second = asyncio.create_task(after(0.1, together))
        await asyncio.sleep(0.5)
        first.cancel()
        assert await second == 1.5

    clock.run(main())


async def test_callers_that_waited_for_the_same_run_share_one_that_ends_without_a_pause():
    runs, gate = [], asyncio.Event()

    async def look():
        runs.append(len(runs))
        if len(runs) == 1:
            await gate.wait()

    together = Together(look)
    first = asyncio.create_task(together())
    await asyncio.sleep(0)
    others = [asyncio.create_task(together()) for _ in range(3)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, *others)
    assert runs == [0, 1]
