"""A pass over thousands of machines reads a Secret that they share once, and none of them waits in a queue for it."""

import asyncio

import pytest

from sealcluster.core.errors import TransientError
from sealcluster.engine.recent import SECONDS, Recent
from sealcluster.testing import clock


class Source:
    def __init__(self):
        self.reads = []
        self.error = None

    async def read(self, key):
        self.reads.append(key)
        await asyncio.sleep(1)
        if self.error is not None:
            raise self.error
        return f"{key}-{len(self.reads)}"


def story(tell):
    async def main():
        source = Source()
        await tell(source, Recent(source.read))

    clock.run(main())


def test_what_thousands_ask_for_is_read_once_and_told_to_all_at_once():
    async def tell(source, recent):
        turns = 0

        async def one():
            nonlocal turns
            value = await recent.get("ssh")
            turns += 1
            return value

        tasks = [asyncio.create_task(one()) for _ in range(2000)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0)
        assert turns == 2000
        assert {task.result() for task in tasks} == {"ssh-1"}

    story(tell)


def test_two_secrets_are_read_side_by_side():
    async def tell(source, recent):
        began = asyncio.get_running_loop().time()
        await asyncio.gather(recent.get("a"), recent.get("b"))
        assert asyncio.get_running_loop().time() - began == pytest.approx(1)

    story(tell)


def test_it_is_read_again_after_a_while_and_when_told_to():
    async def tell(source, recent):
        assert await recent.get("a") == "a-1"
        recent.forget()
        assert await recent.get("a") == "a-2"
        await asyncio.sleep(SECONDS + 1)
        assert await recent.get("a") == "a-3"

    story(tell)


def test_errors_are_told_to_all_and_remembered():
    async def tell(source, recent):
        source.error = TransientError("no answer")
        found = await asyncio.gather(*(recent.get("a") for _ in range(3)), return_exceptions=True)
        assert [type(error) for error in found] == [TransientError] * 3
        with pytest.raises(TransientError):
            await recent.get("a")
        assert source.reads == ["a"]

    story(tell)


def test_a_reader_that_is_cancelled_leaves_the_others_an_answer():
    async def tell(source, recent):
        first = asyncio.create_task(recent.get("a"))
        await asyncio.sleep(0.5)
        second = asyncio.create_task(recent.get("a"))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == "a-2"

    story(tell)
