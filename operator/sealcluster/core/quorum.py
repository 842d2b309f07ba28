"""etcd's arithmetic: what membership may change now, and why not. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from sealcluster.core.facts import EtcdMember
from sealcluster.core.view import ClusterView


@dataclass(frozen=True, slots=True)
class EtcdState:
    """What all reachable masters together say of etcd."""

    voters: tuple[EtcdMember, ...] = ()
    learners: tuple[EtcdMember, ...] = ()
    healthy: frozenset[str] = frozenset()
    """Names of members that answered as healthy."""

    @property
    def members(self) -> tuple[EtcdMember, ...]:
        """All of them."""
        return self.voters + self.learners

    @property
    def quorum(self) -> int:
        """Votes needed."""
        return len(self.voters) // 2 + 1

    @property
    def healthy_voters(self) -> int:
        """Votes there are."""
        return sum(1 for m in self.voters if m.name in self.healthy)

    def member(self, name: str, address: str = "") -> EtcdMember | None:
        """The member of this host. One that never started has no name yet: it is known by its address."""
        for member in self.members:
            if member.name == name or (not member.name and address and any(_host_of(u) == address for u in member.peer_urls)):
                return member
        return None


def _host_of(url: str) -> str:
    return url.removeprefix("https://").rpartition(":")[0]


def etcd_state(view: ClusterView) -> EtcdState:
    """From the member that answers with the most members (a partitioned one may know an old list)."""
    answers = [h.facts.etcd for h in view.hosts.values() if h.facts is not None and h.facts.etcd is not None and h.facts.etcd.members]
    if not answers:
        return EtcdState()
    best = max(answers, key=lambda e: (e.healthy, len(e.members)))
    healthy = frozenset(h.name for h in view.hosts.values() if h.facts is not None and h.facts.etcd is not None and h.facts.etcd.healthy)
    return EtcdState(tuple(m for m in best.members if not m.learner), tuple(m for m in best.members if m.learner), healthy)


def may_add(state: EtcdState) -> str:
    """Empty when a member may be added now, else why not."""
    if not state.voters:
        return "etcd to answer"
    if state.learners:
        return f"etcd member {state.learners[0].name or state.learners[0].id} to become a voter"
    sick = sorted(m.name for m in state.voters if m.name not in state.healthy)
    after = len(state.voters) + 1
    if state.healthy_voters == len(state.voters) == 1:
        return ""  # the second member: two cannot lose one, and there is no other way from one to three
    if state.healthy_voters < after // 2 + 1:
        need = f"{after // 2 + 1} of {after} would be needed"
        return f"etcd: {state.healthy_voters} of {len(state.voters)} members are healthy, {need} (not: {', '.join(sick)})"
    return ""


def may_remove(state: EtcdState, name: str) -> str:
    """Empty when this member may be removed without losing quorum, else why not, with the numbers."""
    member = state.member(name)
    if member is None or member.learner:
        return ""
    left = [m for m in state.voters if m.name != name]
    if not left:
        return f"removing the last etcd member {name} would destroy the cluster"
    healthy = sum(1 for m in left if m.name in state.healthy)
    need = len(left) // 2 + 1
    if healthy < need:
        return f"removing etcd member {name} would leave {healthy} healthy of {len(left)} members, {need} are needed for quorum"
    return ""
