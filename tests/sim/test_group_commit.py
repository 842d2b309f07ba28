"""Changes of the state record that come at the same time are written together, and each caller hears of its own."""

import asyncio
from dataclasses import replace

import pytest

from sealcluster.core.errors import Fenced, TerminalError
from sealcluster.engine.record import Record
from sealcluster.testing import clock
from sealcluster.testing.fakemanagement import FakeManagement


def guests(name):
    return lambda record: replace(record, rootfs={**record.rootfs, name: name})


def story(tell):
    async def main():
        management = FakeManagement(latency=1.0)
        record = Record(management, "me")
        await record.take_over(lambda: "id")
        await tell(record, management)

    clock.run(main())


def test_a_thousand_changes_at_once_are_two_writes():
    async def tell(record, management):
        before = management.version
        await asyncio.gather(*(record.update(guests(str(n))) for n in range(1000)))
        assert len(management.history[-1].rootfs) == 1000
        assert management.version - before <= 2

    story(tell)


def test_all_changes_of_one_write_go_on_together():
    """One after another, each of thousands of claimed machines was followed by a turn of the engine over all of them."""

    async def tell(record, management):
        gone_on = 0

        async def one(name):
            nonlocal gone_on
            await record.update(guests(name))
            gone_on += 1

        tasks = [asyncio.create_task(one(str(n))) for n in range(1000)]
        await asyncio.wait(tasks[1:], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0)
        assert gone_on == 1000
        assert all(task.done() for task in tasks)

    story(tell)


def test_a_change_that_cannot_be_made_hinders_no_other():
    def refuse(record):
        raise TerminalError("no", reason="InternalError")

    async def tell(record, management):
        results = await asyncio.gather(
            record.update(guests("a")), record.update(refuse), record.update(guests("b")), return_exceptions=True
        )
        assert [isinstance(r, TerminalError) for r in results] == [False, True, False]
        assert set(management.history[-1].rootfs) == {"a", "b"}

    story(tell)


def test_who_is_cancelled_takes_no_other_with_it():
    async def tell(record, management):
        first, second, third = (asyncio.create_task(record.update(guests(n))) for n in "abc")
        await asyncio.sleep(0.5)
        first.cancel()
        second.cancel()
        await third
        assert "c" in management.history[-1].rootfs

    story(tell)


def test_all_hear_of_a_take_over():
    async def tell(record, management):
        await Record(management, "other").take_over(lambda: "id")
        results = await asyncio.gather(*(record.update(guests(n)) for n in "abc"), return_exceptions=True)
        assert [type(r) for r in results] == [Fenced] * 3

    story(tell)


@pytest.mark.parametrize("conflicts", [1, 4])
def test_a_conflict_applies_all_changes_to_what_is_there_now(conflicts):
    async def tell(record, management):
        management.conflicts = conflicts
        await asyncio.gather(*(record.update(guests(n)) for n in "abc"))
        assert set(management.history[-1].rootfs) == set("abc")

    story(tell)
