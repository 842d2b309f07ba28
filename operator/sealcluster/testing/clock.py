"""Virtual time: an event loop whose clock jumps to the next timer when nothing can run, and a `Clock` port on it.

Everything that asyncio measures (`sleep`, `timeout`, `wait(timeout=)`, `call_later`) is virtual: a day passes in no time, in the
same order on every run. Threads have no place in such a world, so `run_in_executor` (and `asyncio.to_thread`) runs its function
at once in the loop's own thread. Where nothing runs and no timer is left, the world is stuck for ever: `Deadlock` says who waits.
"""

from __future__ import annotations

import asyncio
import contextvars
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple

from sealcluster.render import htpasswd

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

EPOCH = 1_800_000_000.0
"""Virtual seconds since 1970 at which every loop starts."""


OWNER: contextvars.ContextVar[set[asyncio.Task[Any]] | None] = contextvars.ContextVar("OWNER", default=None)
"""Every task that is created while this is set (and by those tasks, and so on) is added to the set: what dies with a process."""


class Deadlock(BaseException):
    """Nothing can ever happen again, yet the main task has not ended. The message lists the tasks and where they wait."""


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: tells the loop how long it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.jump: Callable[[float | None], None] = lambda _seconds: None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and (timeout is None or timeout > 0):
            self.jump(timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in virtual time. `limit`: virtual seconds after which `Deadlock` is raised, against worlds that spin for ever."""

    def __init__(self, limit: float = float("inf")) -> None:
        selector = _JumpingSelector()
        self._now = 0.0
        self.limit = limit
        super().__init__(selector)
        self._clock_resolution = 1e-6  # a jump may fall an ulp short of its timer
        selector.jump = self._jump

    def create_task(  # type: ignore[override]  # typeshed says `name: object`; nobody names a task otherwise than by text
        self, coro: Any, *, name: str | None = None, context: contextvars.Context | None = None, **options: Any
    ) -> asyncio.Task[Any]:
        """Make a task and remember whose it is."""
        task: asyncio.Task[Any] = super().create_task(coro, name=name, context=context, **options)
        owner = OWNER.get() if context is None else context.get(OWNER)
        if owner is not None:
            owner.add(task)
            task.add_done_callback(owner.discard)
        return task

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def _jump(self, seconds: float | None) -> None:
        if seconds is None:
            raise Deadlock("waiting for ever: " + self.waiting())
        self._now += seconds
        if self._now > self.limit:
            raise Deadlock(f"still busy after {self.limit:.0f} virtual seconds: " + self.waiting())

    def waiting(self) -> str:
        """Every unfinished task and the line that it waits on."""
        lines = []
        for task in sorted(asyncio.all_tasks(self), key=lambda t: t.get_name()):
            stack = task.get_stack(limit=1)
            where = f"{stack[-1].f_code.co_qualname}:{stack[-1].f_lineno}" if stack else "?"
            lines.append(f"{task.get_name()} at {where}")
        return "; ".join(lines) or "no task is left"

    def run_in_executor(self, executor: Any, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Run the function now: order stays the same on every run."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever it raises belongs to the one who awaits
            future.set_exception(error)
        return future


class VirtualClock:
    """The `Clock` port in virtual time. `offset` makes this observer's clock wrong; changing it is a clock that jumps."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def now(self) -> float:
        """Seconds since the epoch as this observer believes them to be."""
        return true_time() + self.offset

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time (monotonic: a clock that jumps does not change it)."""
        await asyncio.sleep(seconds)


def true_time() -> float:
    """Virtual seconds since the epoch, by the only clock that is right."""
    return EPOCH + asyncio.get_running_loop().time()


def run(main: Coroutine[Any, Any, T], limit: float = float("inf")) -> T:
    """`asyncio.run` in virtual time. Raises `Deadlock` when nothing can go on before `main` has ended."""
    usual, htpasswd.COST = htpasswd.COST, 4  # a hash that is slow on purpose took a third of a simulation's time
    try:
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(limit)) as runner:
            return runner.run(main)
    finally:
        htpasswd.COST = usual
