"""How actions end: what failed is remembered and waits for its next try, and so is what succeeds for ever or conflicts for ever."""

from __future__ import annotations

import logging
from collections.abc import Set as AbstractSet

from sealcluster.core.errors import SealError, StateConflict
from sealcluster.core.plan import Action
from sealcluster.engine.evidence import EvidenceKeeper
from sealcluster.engine.memory import Memory
from sealcluster.engine.retry import failure
from sealcluster.engine.steady import steady

log = logging.getLogger("sealcluster.engine")

FUTILE = 5
"""Successes in a row of an action that is planned again all the same: then it is a failure, and waits like one."""
CONFLICTS = 3
"""Conflicts in a row of one action after which it is a failure."""


class Outcomes:
    """Counts, by action, what came of it since it was first planned. Failures are kept in the memory: the view shows them."""

    def __init__(self, memory: Memory, evidence: EvidenceKeeper) -> None:
        self._memory = memory
        self._evidence = evidence
        self._successes: dict[str, int] = {}
        self._conflicts: dict[str, int] = {}

    def keep_only(self, planned: AbstractSet[str]) -> None:
        """Forget what is neither planned nor running any more."""
        self._successes = {k: n for k, n in self._successes.items() if k in planned}
        self._conflicts = {k: n for k, n in self._conflicts.items() if k in planned}
        for key in [k for k in self._memory.failures if k not in planned]:
            del self._memory.failures[key]

    def waits(self, action: Action, now: float) -> bool:
        """True until the next try of an action that failed. `now`: steady seconds."""
        known = self._memory.failures.get(action.key)
        return known is not None and now < known.retry_at

    def futile(self, action: Action) -> bool:
        """True when the action has succeeded often enough without any use; this is then its failure."""
        if self._successes.get(action.key, 0) < FUTILE:
            return False
        self._successes[action.key] = FUTILE - 1
        text = f"{action.what}: it succeeded {FUTILE} times in a row and is still needed ({action.why})"
        self.failed(action, SealError(text, host=action.host or None, step=action.what))
        return True

    def succeeded(self, action: Action) -> None:
        """It did what it was to do, as far as it can tell."""
        self._conflicts.pop(action.key, None)
        self._successes[action.key] = self._successes.get(action.key, 0) + 1
        if self._successes[action.key] < FUTILE:
            self._memory.failures.pop(action.key, None)

    def conflicted(self, action: Action, error: StateConflict) -> None:
        """Somebody else was faster: read again and decide anew, at once; what goes on like that is a failure, and waits like one."""
        log.info("%s", error.message, extra={"cluster": self._memory.desired.name, "host": action.host, "phase": action.phase})
        self._conflicts[action.key] = self._conflicts.get(action.key, 0) + 1
        if self._conflicts[action.key] >= CONFLICTS:
            self.failed(action, error)

    def failed(self, action: Action, error: SealError) -> None:
        """It is tried again, later and later."""
        ports = self._memory.ports
        known = self._memory.failures.get(action.key)
        entry = failure(action, error, known, ports.clock.now(), ports.random(), steady=steady())
        self._memory.failures[action.key] = entry
        self._evidence.add(entry)
        log.warning(
            "%s (try %d)",
            error.message,
            entry.count,
            extra={"host": action.host, "phase": action.phase, "step": entry.step, "reason": error.reason},
        )

    def failed_together(self, action: Action, group: ExceptionGroup[Exception]) -> None:
        """Several things went wrong side by side: the first one stands for all."""
        flat = group
        while isinstance(flat.exceptions[0], ExceptionGroup):
            flat = flat.exceptions[0]
        first = flat.exceptions[0]
        if isinstance(first, SealError):
            self.failed(action, first)
            return
        log.error("internal error", exc_info=first, extra={"host": action.host, "phase": action.phase})
        self.broke(action, first)

    def broke(self, action: Action, error: Exception) -> None:
        """A bug of ours, contained like a failure. Whoever caught it has logged its traceback."""
        self.failed(action, SealError(f"{action.what}: {type(error).__name__}: {error}", host=action.host or None))
