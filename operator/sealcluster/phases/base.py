"""What a phase is, and the narrow door through which it acts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sealcluster.core.facts import HostFacts
from sealcluster.core.images import ImageInfo
from sealcluster.core.ops import Job, JobResult
from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.ports import PKI, Certs, Clock, Progress, Workload
from sealcluster.core.state import StateRecord
from sealcluster.core.view import ClusterView


class Gate(Protocol):
    """The one door to every effect: it knows the journal, the fence, the limits and cancellation, and counts what passes."""

    async def run(self, host: str, job: Job, *, reason: str) -> JobResult:
        """Run a job on a host; a non-zero exit becomes a SealError with this reason and the job's last lines."""
        ...

    async def send(self, host: str, digests: Sequence[str], progress: Progress | None = None) -> int:
        """Put parts and blobs into a host's store, several at a time; returns the bytes that travelled."""
        ...

    async def missing(self, host: str, digests: Sequence[str], tree: str = "") -> frozenset[str]:
        """Which digests the host lacks."""
        ...

    async def update_state(self, change: Callable[[StateRecord], StateRecord]) -> StateRecord:
        """Compare-and-swap of the state record under our fence."""
        ...

    async def create_pki(self, pki: PKI) -> None:
        """Store new authorities, once."""
        ...

    async def save_kubeconfig(self, text: str) -> None:
        """Publish the admin kubeconfig."""
        ...

    async def forget_host(self, host: str) -> None:
        """Drop a released host: its row in the state record."""
        ...

    async def refresh(self, host: str) -> None:
        """Look at this host again now (for an action whose second half depends on what the first one changed)."""
        ...

    async def hold(self, host: str) -> HostFacts | None:
        """Show the host our fence, so that no older operator can start anything there any more, then look at it."""
        ...

    @property
    def workload(self) -> Workload:
        """The new cluster's API; its mutating calls pass the gate too."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What `apply` gets."""

    gate: Gate
    certs: Certs
    clock: Clock
    resolve_images: Callable[[str], Awaitable[None]]
    """Resolve the spec's images for an architecture and remember them."""
    progress: Progress
    token: Callable[[], str]
    """A fresh bootstrap token."""
    remember_drained: Callable[[str], None]
    """A node was seen empty; forgotten with the process, then it is drained again, which does nothing."""


class Phase(Protocol):
    """One step of the pipeline. `plan` is pure; `apply` is the only half that acts, and only through the context's gate."""

    @property
    def name(self) -> str:
        """Stable identifier, ``join-masters``."""
        ...

    @property
    def title(self) -> str:
        """For people, in the present participle: ``joining masters``."""
        ...

    def plan(self, view: ClusterView) -> PhasePlan:
        """What is missing, from observation alone."""
        ...

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Carry out one action of this phase's plan."""
        ...


def image_set(images: Sequence[ImageInfo]) -> tuple[ImageInfo, ...]:
    """Rootfs and patches, in order: what makes up a host's root file system."""
    return tuple(i for i in images if i.type in ("rootfs", "patch"))
