"""What a phase wants done, as data: fit for a dry run, for status, and for the engine to carry out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Action:
    """One change, with its reason. Runnable when `needs` is empty."""

    phase: str
    what: str
    """A short verb phrase for people: ``install rootfs``."""
    host: str = ""
    """Name of the host it works on; empty: the cluster."""
    why: str = ""
    needs: str = ""
    """What must be observed first; empty: it can run now."""
    disruptive: bool = False
    args: Mapping[str, str] = field(default_factory=dict)
    watch: tuple[str, ...] = ()
    """Hosts to look at again while it waits, because what it needs happens there by itself."""
    step: str = ""
    """The journal step of the long job that it runs: after a restart it may start while just this job runs, and waits for it."""
    undoes: str = ""
    """Key of the action whose failure this one makes good: what is known of that failure stays known meanwhile."""
    aside: str = ""
    """Name of a lane of its own beside the host's: for what disturbs nothing that runs there."""
    weight: str = "light"
    """Which budget it draws on: ``light`` or ``upload`` (bytes leave the operator)."""

    @property
    def key(self) -> str:
        """Identity for retries and for 'is it running': phase, host and what."""
        return f"{self.phase}/{self.host}/{self.what}"

    @property
    def lane(self) -> str:
        """Actions of one lane run one after another: the host, or the phase for cluster-wide work."""
        if not self.host:
            return f"cluster:{self.phase}"
        return f"{self.host}/{self.aside}" if self.aside else self.host


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps a goal from being reached, with everything a person needs to know, said once."""

    reason: str
    message: str
    host: str = ""
    phase: str = ""
    hint: str = ""
    terminal: bool = True
    """False: it is tried again by itself (the message says when)."""
    cluster: bool = False
    """True: it concerns the whole cluster, not just `host`."""


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A phase's answer to 'what is missing?'."""

    actions: tuple[Action, ...] = ()
    problems: tuple[Problem, ...] = ()
    done: int = 0
    total: int = 0
    """Progress for people: hosts (or images) that have what this phase provides."""

    @property
    def finished(self) -> bool:
        """True when the phase's goal holds everywhere."""
        return not self.actions and not self.problems


@dataclass(frozen=True, slots=True)
class Failure:
    """How often and how an action failed since the last change; lives in the engine's memory."""

    count: int
    problem: Problem
    retry_at: float
    """Steady seconds (`ClusterView.steady`): when it is tried again."""
    step: str = ""
    exit_code: int | None = None
    output: str = ""
    time: float = 0.0
    """Wall clock."""
    unit: str = ""
    unit_log: str = ""
    """The end of this unit's log when it failed."""
