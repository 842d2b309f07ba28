"""The virtual loop keeps asyncio's promises about time, and says when the world is stuck."""

import asyncio
import itertools
import time

import pytest

from sealcluster.testing import clock


def test_a_day_passes_in_no_time_and_in_order():
    async def main():
        heard = []

        async def say(word, seconds):
            await asyncio.sleep(seconds)
            heard.append((word, clock.true_time() - clock.EPOCH))

        await asyncio.gather(say("late", 86400), say("early", 0.5), say("middle", 60))
        return heard

    began = time.monotonic()
    assert clock.run(main()) == [("early", 0.5), ("middle", 60.0), ("late", 86400.0)]
    assert time.monotonic() - began < 5


def test_timeouts_are_virtual():
    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(300):
                await asyncio.Event().wait()
        done, pending = await asyncio.wait({asyncio.create_task(asyncio.sleep(1000))}, timeout=30)
        assert not done
        for task in pending:
            task.cancel()
        return clock.true_time() - clock.EPOCH

    assert clock.run(main()) == pytest.approx(330)


def test_threads_run_inline_so_that_order_stays():
    async def main():
        return await asyncio.to_thread(lambda: 7)

    assert clock.run(main()) == 7


def test_waiting_for_ever_is_a_deadlock_that_names_the_task():
    async def main():
        await asyncio.create_task(asyncio.Event().wait(), name="the-stuck-one")

    with pytest.raises(clock.Deadlock, match="the-stuck-one"):
        clock.run(main())


def test_spinning_for_ever_ends_at_the_limit():
    async def main():
        for _ in itertools.count():
            await asyncio.sleep(1)

    with pytest.raises(clock.Deadlock, match="still busy after 100"):
        clock.run(main(), limit=100)


def test_a_clock_that_jumps_does_not_change_how_long_a_sleep_takes():
    async def main():
        mine = clock.VirtualClock()
        before = mine.now()
        mine.offset = 3600
        assert mine.now() - before == 3600
        await mine.sleep(10)
        return clock.true_time() - clock.EPOCH

    assert clock.run(main()) == pytest.approx(10)


def test_tasks_are_remembered_with_the_process_they_belong_to():
    async def main():
        mine = set()

        async def grandchild():
            await asyncio.sleep(100)

        async def child():
            await asyncio.create_task(grandchild(), name="grandchild")

        clock.OWNER.set(mine)
        task = asyncio.create_task(child(), name="child")
        await asyncio.sleep(1)
        names = {t.get_name() for t in mine}
        task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)
        return names

    assert clock.run(main()) == {"child", "grandchild"}
