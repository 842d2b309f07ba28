"""Observe, decide, apply, report: one cluster, for as long as it is wanted.

Every phase plans on every turn; an action starts as soon as what it needs was observed. After an action only the hosts
that it touched are looked at again. Nothing here is remembered that cannot be observed again after a crash.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from sealcluster.api import SealClusterSpec
from sealcluster.core.errors import Fenced, SealError, StateConflict, TerminalError
from sealcluster.core.images import ImageInfo
from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.ports import PullAuth
from sealcluster.core.view import ClusterView
from sealcluster.engine.desired import Desired
from sealcluster.engine.evidence import EvidenceKeeper
from sealcluster.engine.gate import Gate
from sealcluster.engine.limits import Budgets, Limits
from sealcluster.engine.memory import Memory
from sealcluster.engine.pace import looked_after, slower
from sealcluster.engine.planning import all_plans
from sealcluster.engine.ports import Ports
from sealcluster.engine.references import References
from sealcluster.engine.report import Report, all_problems, make_report
from sealcluster.engine.retry import OF_CREDENTIALS, failure
from sealcluster.engine.steady import steady
from sealcluster.engine.waits import Waits
from sealcluster.phases import PHASES, TEARDOWN, Context, Phase
from sealcluster.phases.releasing import REMOVE

log = logging.getLogger("sealcluster.engine")

POLL = 1.0
"""Seconds between two looks at what we wait for while a cluster is being made."""
FUTILE = 5
"""Successes in a row of an action that is planned again all the same: then it is a failure, and waits like one."""
CONFLICTS = 3
"""Conflicts in a row of one action after which it is a failure."""
SETTLING = 180.0
"""Seconds after the last change during which a node that is not Ready is starting rather than broken."""
RESYNC = 50.0
"""Seconds between two looks at each machine, whatever else is done: drift and changed host keys are told within a minute.

`pace`: more rarely where there are very many."""
HEALTH = 15.0
"""Seconds between two looks at nodes and API servers of a finished cluster."""
MENDING = 15.0
"""Seconds between two looks at what only a person can mend: the Secret that a machine refuses, a machine that failed preflight."""

ASIDE_STEPS = frozenset({"certificate-requests", "certificates"})
"""Jobs that may run beside others on the same host."""
ALONE_STEPS = frozenset({"kubeadm-init", "kubeadm-join", "kubeadm-reset", "clean"})
"""Jobs beside which nothing else may run on the host."""

Listener = Callable[[Report], None]


class Engine:
    """Drives one cluster towards what is desired."""

    def __init__(
        self,
        desired: Desired,
        ports: Ports,
        *,
        holder: str,
        listener: Listener,
        limits: Limits | None = None,
        phases: Sequence[Phase] = PHASES,
    ) -> None:
        self._ports = ports
        self._budgets = Budgets(limits or Limits())
        self._memory = Memory(desired, ports, self._budgets)
        self._gate = Gate(self._memory, ports.management, ports.images, holder)
        self._memory.gate = self._gate
        self._listener = listener
        self._phases = {p.name: p for p in phases}
        self._teardown = {p.name: p for p in TEARDOWN}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._actions: dict[str, Action] = {}
        self._changed = asyncio.Event()
        self._progress: dict[str, str] = {}
        self._stale: set[str] = set()
        self._fenced: Fenced | None = None
        self._until: Callable[[Report], bool] | None = None
        self._active_at = float("-inf")
        self._refreshed_at = float("-inf")
        self._successes: dict[str, int] = {}
        self._conflicts: dict[str, int] = {}
        self._unplannable: set[str] = set()
        self._occupied: set[str] = set()
        self._waits = Waits()
        self._references = References(ports.management, ports.clock)
        self._evidence = EvidenceKeeper(ports.management, ports.clock)

    # --- what callers do ---------------------------------------------------------------------------------------
    def update(self, desired: Desired) -> None:
        """A new generation or annotation: takes effect at the next turn; jobs that run on hosts go on."""
        old = self._memory.desired
        if old == desired:
            return  # our own status came back as an event
        self._memory.desired = desired
        if (old.generation, old.retry, old.deleting) != (desired.generation, desired.retry, desired.deleting):
            self._forgive()
        self._changed.set()

    def wake(self) -> None:
        """Look again now."""
        self._forgive()
        self._changed.set()

    def _forgive(self) -> None:
        self._memory.secrets.forget()
        self._memory.failures.clear()
        for sight in self._memory.sights.values():
            sight.retry_at = 0.0
            sight.failures = 0

    async def plan(self) -> tuple[ClusterView, dict[str, PhasePlan]]:
        """Look at everything and say what would be done; changes nothing, not even the fencing number."""
        await self._gate.peek()
        await self._memory.look_all()
        await self._resolve_for_plan()
        view = self._memory.view(frozenset())
        return view, self._plans(view)

    async def run(self, until: Callable[[Report], bool] | None = None) -> Report:
        """Work until `until` says so (the CLI), or for ever (the operator). Raises Fenced when another operator took over."""
        beside = [
            asyncio.create_task(work, name=f"{what} of {self._memory.desired.name}")
            for what, work in (("references", self._references.watch(self._failing, self.wake)), ("evidence", self._evidence.keep()))
        ]
        try:
            await self._gate.take_over(self._ports.new_id)
            await self._memory.look_all()
            await self._resolve_known()
            self._until = until
            while True:
                report = await self._turn()
                for task in beside:
                    if task.done():
                        task.result()
                if self._fenced is not None:
                    raise self._fenced
                if until is not None and until(report):
                    return report
        finally:
            looked_after(self, 0)
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self._stop()
            if self._fenced is None:
                await self._evidence.last_words()

    def _failing(self) -> SealClusterSpec | None:
        return self._memory.desired.spec if self._memory.failures or self._memory.problems else None

    # --- one turn ----------------------------------------------------------------------------------------------
    async def _turn(self) -> Report:
        view = self._memory.view(frozenset(self._actions) | {a.key for a in self._actions.values()})
        looked_after(self, len(view.hosts))
        plans = self._plans(view)
        self._abandon(view)
        started = self._start(view, plans)
        if started or self._actions:
            self._active_at = view.steady
        report = self._report(view, plans)
        if report.settled:
            self._active_at = float("-inf")  # it has started: what is not Ready from now on is broken
        self._listener(report)
        if self._until is not None and self._until(report):
            return report
        await self._wait(view, plans, report)
        await self._reap()
        return report

    def _report(self, view: ClusterView, plans: dict[str, PhasePlan]) -> Report:
        titles = [(self._phases.get(n) or self._teardown[n]).title for n in plans]
        overdue = self._waits.overdue(view, plans, self._actions, all_problems(view, plans))
        settling = view.steady - self._active_at < SETTLING
        return make_report(view, plans, self._actions, self._progress, titles, settling=settling, overdue=overdue)

    def _plans(self, view: ClusterView) -> dict[str, PhasePlan]:
        chosen = self._teardown if view.deleting else self._phases
        plans, self._unplannable = all_plans(chosen, view, self._unplannable)
        return plans

    def _abandon(self, view: ClusterView) -> None:
        """Let go of work for machines that are to be released: its jobs end, or are ended by cleaning. As safe as an operator that dies."""
        if view.spec.paused:
            return
        for lane, action in self._actions.items():
            host = view.hosts.get(action.host)
            leaving = host is not None and host.going and action.phase not in ("leave", "init-control-plane", "join-masters")
            if action.phase != "claim" and action.phase not in self._teardown and (view.deleting or leaving):
                self._tasks[lane].cancel()

    def _start(self, view: ClusterView, plans: dict[str, PhasePlan]) -> bool:
        if self._memory.desired.spec.paused or any(p.cluster and p.terminal for p in view.problems):
            return False
        started = False
        self._occupied.clear()
        planned = {a.key for p in plans.values() for a in p.actions} | {a.key for a in self._actions.values()}
        self._successes = {k: n for k, n in self._successes.items() if k in planned}
        self._conflicts = {k: n for k, n in self._conflicts.items() if k in planned}
        for key in [k for k in self._memory.failures if k not in planned]:
            del self._memory.failures[key]
        for plan in plans.values():
            for action in plan.actions:
                known = self._memory.failures.get(action.key)
                if action.needs or action.lane in self._tasks or (known is not None and view.steady < known.retry_at):
                    continue
                if self._taken(view, action):
                    self._occupied.add(action.host)
                    continue
                if self._successes.get(action.key, 0) >= FUTILE:
                    self._successes[action.key] = FUTILE - 1
                    text = f"{action.what}: it succeeded {FUTILE} times in a row and is still needed ({action.why})"
                    self._failed(action, SealError(text, host=action.host or None, step=action.what))
                    continue
                self._actions[action.lane] = action
                self._tasks[action.lane] = asyncio.create_task(self._apply(view, action), name=action.key)
                started = True
        return started

    def _taken(self, view: ClusterView, action: Action) -> bool:
        """True while a job runs on the host that nobody here waits for: an earlier operator's, or one whose link was lost.

        Only the action that would start this very job may come, and finds it running.
        """
        host = view.hosts.get(action.host)
        if host is None or host.facts is None or action.phase in self._teardown:
            return False  # cleaning ends what still runs there
        ours = {lane: a for lane, a in self._actions.items() if a.host == action.host}
        running = {job.step for job in host.facts.jobs.values() if job.state == "running"} - {action.step}
        beside = running & ASIDE_STEPS
        if action.aside:
            return bool(beside) or bool(running & ALONE_STEPS) or any(a.step in ALONE_STEPS for a in ours.values())
        if action.step in ALONE_STEPS and ours:
            return True
        return bool(running - ASIDE_STEPS) or (bool(beside) and not ours)

    async def _apply(self, view: ClusterView, action: Action) -> None:
        phase = self._phases.get(action.phase) or self._teardown[action.phase]
        log.info(
            "%s: %s", phase.title, action.what, extra={"cluster": view.name, "host": action.host, "phase": action.phase, "why": action.why}
        )

        def progress(text: str) -> None:
            self._progress[action.lane] = text

        context = Context(
            self._gate, self._ports.certs, self._ports.clock, self._resolve, progress, self._ports.token, self._memory.drained.add
        )
        try:
            async with self._budgets.of(action):
                await phase.apply(context, view, action)
        except Fenced as error:
            self._fenced = error
        except StateConflict as error:
            self._conflicted(action, error)
        except SealError as error:
            self._failed(action, error)
        except ExceptionGroup as group:
            self._failed(action, _first(group, action))
        except Exception as error:
            log.exception("internal error", extra={"cluster": view.name, "host": action.host, "phase": action.phase})
            self._failed(action, SealError(f"{action.what}: {type(error).__name__}: {error}", host=action.host or None))
        else:
            self._conflicts.pop(action.key, None)
            self._successes[action.key] = self._successes.get(action.key, 0) + 1
            if self._successes[action.key] < FUTILE:
                self._memory.failures.pop(action.key, None)

    def _conflicted(self, action: Action, error: StateConflict) -> None:
        """Somebody else was faster: read again and decide anew, at once; what goes on like that is a failure, and waits like one."""
        log.info("%s", error.message, extra={"cluster": self._memory.desired.name, "host": action.host, "phase": action.phase})
        self._conflicts[action.key] = self._conflicts.get(action.key, 0) + 1
        if self._conflicts[action.key] >= CONFLICTS:
            self._failed(action, error)

    def _failed(self, action: Action, error: SealError) -> None:
        known = self._memory.failures.get(action.key)
        entry = failure(action, error, known, self._ports.clock.now(), self._ports.random(), steady=steady())
        self._memory.failures[action.key] = entry
        self._evidence.add(entry)
        log.warning(
            "%s (try %d)",
            error.message,
            entry.count,
            extra={"host": action.host, "phase": action.phase, "step": entry.step, "reason": error.reason},
        )

    async def _reap(self) -> None:
        """Take in what ended, and look again at what it touched."""
        ended = [lane for lane, task in self._tasks.items() if task.done()]
        touched: set[str] = set()
        cluster = False
        for lane in ended:
            task = self._tasks.pop(lane)
            action = self._actions.pop(lane)
            self._progress.pop(lane, None)
            if not task.cancelled():
                task.result()
            if action.host:
                touched.add(action.host)
            cluster = cluster or action.phase in (
                "init-control-plane",
                "join-masters",
                "join-nodes",
                "node-settings",
                "guests",
                "leave",
                "certificates",
            )
            if action.phase in ("join-masters", "leave"):
                touched.update(action.args.values())
            if action.phase == "join-masters" or action.what.startswith(REMOVE):
                touched.update(h.name for h in self._memory.view(frozenset()).joined_masters)
            if not action.host or action.phase == "kubeconfig":
                await self._memory.look_records()
                touched.update(h.name for h in self._memory.view(frozenset()).masters if action.phase == "authorities")
        touched |= self._stale
        self._stale = set()
        await self._look(touched, cluster=cluster)

    async def _look(self, hosts: set[str], *, cluster: bool) -> None:
        await self._memory.look_at(sorted(hosts))
        if cluster:
            await self._memory.look_cluster()

    async def _wait(self, view: ClusterView, plans: dict[str, PhasePlan], report: Report) -> None:
        """Until an action ends, the desire changes, or it is time to look at what we wait for."""
        waiter = asyncio.create_task(self._changed.wait())
        try:
            done, _ = await asyncio.wait(
                {*self._tasks.values(), waiter}, timeout=self._patience(view, plans, report), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            waiter.cancel()
        if self._changed.is_set():
            self._changed.clear()
            await self._refresh_everything()
        elif not done:
            await self._poll(view, plans, report)

    def _patience(self, view: ClusterView, plans: dict[str, PhasePlan], report: Report) -> float:
        if report.settled:
            return HEALTH * slower()
        if view.spec.paused:
            return RESYNC
        active = view.steady - self._active_at < SETTLING
        watched = bool(self._occupied) or any(a.needs and a.watch for p in plans.values() for a in p.actions)
        if active and (self._tasks or watched or (view.initialized and not view.cluster_settled)):
            return POLL
        due = [f.retry_at for f in self._memory.failures.values()] + [
            s.retry_at for s in self._memory.sights.values() if s.error is not None
        ]
        later = min((d - view.steady for d in due), default=RESYNC)
        if self._mending(view, report):
            later = min(later, MENDING)
        return max(0.2, min(later, RESYNC / 4 if view.initialized else RESYNC))

    async def _poll(self, view: ClusterView, plans: dict[str, PhasePlan], report: Report) -> None:
        busy = {a.host for a in self._actions.values()}
        now = steady()
        due = now - self._refreshed_at >= (RESYNC / 4 if view.initialized else RESYNC)
        if report.settled and now - self._refreshed_at < RESYNC * slower():
            await self._memory.look_cluster()
            return
        if report.settled or (due and not self._tasks and now - self._active_at >= SETTLING):
            await self._refresh_everything()
            return
        if view.problems:
            await self._memory.look_records()
        watched = self._occupied | {h for p in plans.values() for a in p.actions if a.needs for h in a.watch}
        failing = {n for n, s in self._memory.sights.items() if s.error is not None and s.retry_at <= now}
        mending = {n for n in self._mending(view, report) if now - self._memory.sights[n].looked_at >= MENDING}
        stale = {n for n, s in self._memory.sights.items() if now - s.looked_at >= RESYNC}
        await self._look((watched | failing | mending | stale) - busy, cluster=view.initialized)

    def _mending(self, view: ClusterView, report: Report) -> set[str]:
        """Machines that a person may be mending right now: looking at them again is cheap and tells at once."""
        found = {n for n, s in self._memory.sights.items() if s.error is not None and s.error.reason in OF_CREDENTIALS}
        for problem in report.problems:
            if problem.phase == "preflight":
                found |= {h.name for h in view.wanted if not h.claimed} if problem.cluster else {problem.host}
        return found & self._memory.sights.keys()

    async def _refresh_everything(self) -> None:
        busy = frozenset(a.host for a in self._actions.values())
        self._refreshed_at = steady()
        await self._memory.look_all(skip=busy)
        self._stale |= busy - {""}
        await self._resolve_known()

    # --- images ------------------------------------------------------------------------------------------------
    async def _resolve(self, arch: str) -> None:
        desired = self._memory.desired
        auth = PullAuth()
        if desired.spec.pull_secret_refs:
            await self._references.used(desired.spec)
            auth = await self._ports.management.pull_auth([str(r.name) for r in desired.spec.pull_secret_refs])
        infos = [await self._ports.images.resolve(str(i.name), str(i.ref), arch, auth, None) for i in desired.spec.images]
        self._refuse_upgrade(arch, infos)
        self._memory.images[arch] = tuple(infos)
        self._memory.image_refs = tuple((str(i.name), str(i.ref)) for i in desired.spec.images)
        self._stale |= {h.name for h in self._memory.view(frozenset()).masters}

    def _refuse_upgrade(self, arch: str, infos: Sequence[ImageInfo]) -> None:
        state = self._memory.state
        rootfs = next((i for i in infos if i.type == "rootfs"), None)
        recorded = state.rootfs.get(arch)
        if not state.init.initialized or rootfs is None:
            return
        if (recorded is not None and recorded != rootfs.digest) or rootfs.version != state.version:
            raise TerminalError(
                f"the running cluster was made from {recorded or state.version}, {rootfs.ref} is {rootfs.digest} ({rootfs.version})",
                reason="UpgradeNotSupported",
                hint="upgrades of Kubernetes are not supported yet: put the previous reference back into spec.images",
            )

    async def _resolve_known(self) -> None:
        """Forget images that the spec no longer names as it did."""
        wanted = tuple((str(i.name), str(i.ref)) for i in self._memory.desired.spec.images)
        if self._memory.image_refs and wanted != self._memory.image_refs:
            self._memory.images.clear()
            self._memory.image_refs = ()

    async def _resolve_for_plan(self) -> None:
        for arch in sorted({f.arch for f in self._memory.facts.values()}):
            try:
                await self._resolve(arch)
            except SealError as error:  # what a look cannot pull is a problem of the plan, not its end
                self._failed(Action("pull-images", f"pull images for {arch}", args={"arch": arch}), error)
        await self._memory.look_all()

    async def _stop(self) -> None:
        """Let go: what runs on hosts goes on there and is found again by the next engine."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        self._actions.clear()


def _first(group: ExceptionGroup[Exception], action: Action) -> SealError:
    flat = group
    while isinstance(flat.exceptions[0], ExceptionGroup):
        flat = flat.exceptions[0]
    first = flat.exceptions[0]
    if isinstance(first, SealError):
        return first
    log.error("internal error", exc_info=first, extra={"host": action.host, "phase": action.phase})
    return SealError(f"{action.what}: {type(first).__name__}: {first}", host=action.host or None)
