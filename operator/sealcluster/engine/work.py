"""The actions that are under way: started as soon as they may, one after another in a lane, let go without harm."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet

from sealcluster.core.errors import Fenced, SealError, StateConflict
from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.view import ClusterView
from sealcluster.engine.aftermath import look_after
from sealcluster.engine.beside import taken
from sealcluster.engine.gate import Gate
from sealcluster.engine.memory import Memory
from sealcluster.engine.outcomes import Outcomes
from sealcluster.engine.planning import Planner
from sealcluster.phases import Context

log = logging.getLogger("sealcluster.engine")


class Work:
    """What this engine does right now, by lane."""

    def __init__(self, memory: Memory, gate: Gate, planner: Planner, outcomes: Outcomes, resolve: Callable[[str], Awaitable[None]]) -> None:
        self._memory = memory
        self._gate = gate
        self._planner = planner
        self._outcomes = outcomes
        self._resolve = resolve
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.running: dict[str, Action] = {}
        self.progress: dict[str, str] = {}
        """What an action says of how far it is, by lane."""
        self.occupied: set[str] = set()
        """Hosts with a job that nobody here waits for, beside which an action could not start."""
        self.fenced: Fenced | None = None
        """Set when another operator took over: then this engine ends."""

    @property
    def names(self) -> frozenset[str]:
        """Lanes and keys of what runs."""
        return frozenset(self.running) | {a.key for a in self.running.values()}

    @property
    def hosts(self) -> frozenset[str]:
        """Where something runs; the empty name stands for the cluster."""
        return frozenset(a.host for a in self.running.values())

    @property
    def idle(self) -> bool:
        """True when nothing runs."""
        return not self._tasks

    def start(self, view: ClusterView, plans: Mapping[str, PhasePlan]) -> bool:
        """Start what may run now; True when that was anything."""
        if self._memory.desired.spec.paused or any(p.cluster and p.terminal for p in view.problems):
            return False
        started = False
        self.occupied.clear()
        alive = [*(a for p in plans.values() for a in p.actions), *self.running.values()]
        self._outcomes.keep_only({key for a in alive for key in (a.key, a.undoes)})
        ours: dict[str, list[Action]] = {}
        for known in self.running.values():
            ours.setdefault(known.host, []).append(known)
        for action in (a for plan in plans.values() for a in plan.actions):
            if action.needs or action.lane in self._tasks or self._outcomes.waits(action, view.steady):
                continue
            if not self._planner.takes_apart(action.phase) and taken(
                view, action, ours.get(action.host, ())
            ):  # cleaning ends what still runs there
                self.occupied.add(action.host)
                continue
            if self._outcomes.futile(action):
                continue
            self.running[action.lane] = action
            ours.setdefault(action.host, []).append(action)
            self._tasks[action.lane] = asyncio.create_task(self._apply(view, action), name=action.key)
            started = True
        return started

    def abandon(self, view: ClusterView) -> None:
        """Let go of work for machines that are to be released: its jobs end, or are ended by cleaning. As safe as an operator that dies.

        Paused, let go of all: jobs that run on machines end there, and nothing else of what an action was to do begins.
        """
        if view.spec.paused:
            for task in self._tasks.values():
                task.cancel()
            return
        for lane, action in self.running.items():
            host = view.hosts.get(action.host)
            leaving = host is not None and host.going and action.phase not in ("leave", "init-control-plane", "join-masters")
            if action.phase != "claim" and not self._planner.takes_apart(action.phase) and (view.deleting or leaving):
                self._tasks[lane].cancel()

    async def until(self, event: asyncio.Event, others: AbstractSet[asyncio.Task[None]], seconds: float) -> bool:
        """Wait until an action or one of the others ends or the event is set, at most so long; False when none of it happened."""
        waiter = asyncio.create_task(event.wait())
        try:
            done, _ = await asyncio.wait({*self._tasks.values(), *others, waiter}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
        return bool(done)

    def take_ended(self) -> tuple[Action, ...]:
        """Forget what ended since the last call; raises what an action could not contain. Returns those that were abandoned."""
        abandoned = []
        for lane in [lane for lane, task in self._tasks.items() if task.done()]:
            task, action = self._tasks.pop(lane), self.running.pop(lane)
            self.progress.pop(lane, None)
            if task.cancelled():
                abandoned.append(action)
            else:
                task.result()
        return tuple(abandoned)

    async def stop(self) -> None:
        """Let go: what runs on hosts goes on there and is found again by the next engine."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        self.running.clear()

    async def _apply(self, view: ClusterView, action: Action) -> None:
        """Carry it out, then look at what it touched: it has ended only when that was seen, and no other action waits for this look."""
        await self._carry_out(view, action)
        if self.fenced is None:
            await look_after(self._memory, (action,))

    async def _carry_out(self, view: ClusterView, action: Action) -> None:
        phase = self._planner.phase(action.phase)
        log.info(
            "%s: %s", phase.title, action.what, extra={"cluster": view.name, "host": action.host, "phase": action.phase, "why": action.why}
        )
        try:
            async with self._memory.budgets.of(action):
                await phase.apply(self._context(action, view), view, action)
        except Fenced as error:
            self.fenced = error
        except StateConflict as error:
            self._outcomes.conflicted(action, error)
        except SealError as error:
            self._outcomes.failed(action, error)
        except ExceptionGroup as group:
            self._outcomes.failed_together(action, group)
        except Exception as error:
            log.exception("internal error", extra={"cluster": view.name, "host": action.host, "phase": action.phase})
            self._outcomes.broke(action, error)
        else:
            self._outcomes.succeeded(action)

    def _context(self, action: Action, view: ClusterView) -> Context:
        memory = self._memory

        def progress(text: str) -> None:
            self.progress[action.lane] = text

        return Context(
            self._gate.planned(view),
            memory.ports.certs,
            memory.ports.clock,
            self._resolve,
            progress,
            memory.ports.token,
            memory.drained.add,
        )
