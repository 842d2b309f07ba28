"""etcd of one cluster: members, learners, quorum. Whether a member runs is asked of the machine it lives on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from sealcluster.core.facts import EtcdMember as MemberFacts


class EtcdRefused(Exception):
    """The cluster did not do it; the message is what etcd prints."""


@dataclass
class Member:
    """One row of the membership."""

    id: str
    name: str
    peer_url: str
    machine: str
    learner: bool = False
    started: bool = False
    """True once it ever took part: with an empty data directory it can then never come back under this id."""


@dataclass
class EtcdCluster:
    """The members that the (replicated) membership knows. `alive` says whether a member's process answers its peers."""

    id: str
    alive: Callable[[Member], bool]
    members: dict[str, Member] = field(default_factory=dict)
    _made: int = 0

    def voters(self) -> list[Member]:
        """Members that count."""
        return [m for m in self.members.values() if not m.learner]

    def quorum(self) -> bool:
        """Do enough voters run?"""
        voters = self.voters()
        return bool(voters) and sum(map(self.alive, voters)) > len(voters) // 2

    def add(self, name: str, peer_url: str, machine: str, *, learner: bool) -> Member:
        """Add a member; an existing one with the same peer URL is given back, as kubeadm does. Raises `EtcdRefused`."""
        self._need_quorum()
        for member in self.members.values():
            if member.peer_url == peer_url:
                return member
        if learner and any(m.learner for m in self.members.values()):
            raise EtcdRefused("etcdserver: too many learner members in cluster")
        if not learner and not all(map(self.alive, self.voters())):
            raise EtcdRefused("etcdserver: unhealthy cluster")
        self._made += 1
        identity = hashlib.sha256(f"{self.id}/{self._made}/{peer_url}".encode()).hexdigest()[:16]
        member = Member(identity, name, peer_url, machine, learner)
        self.members[identity] = member
        return member

    def found(self, name: str, peer_url: str, machine: str) -> Member:
        """The first member, of a cluster that begins with it."""
        self._made += 1
        member = Member(
            hashlib.sha256(f"{self.id}/{self._made}/{peer_url}".encode()).hexdigest()[:16], name, peer_url, machine, started=True
        )
        self.members = {member.id: member}
        return member

    def promote(self, member_id: str) -> None:
        """Make a learner a voter. Raises `EtcdRefused`."""
        self._need_quorum()
        member = self.members.get(member_id)
        if member is None:
            raise EtcdRefused("etcdserver: member not found")
        if not member.learner:
            raise EtcdRefused("etcdserver: can only promote a learner member")
        if not self.alive(member):
            raise EtcdRefused("etcdserver: can only promote a learner member which is in sync with leader")
        member.learner = False

    def remove(self, member_id: str) -> None:
        """Take a member out. Like etcd's strict reconfiguration check, refuses what would cost quorum. Raises `EtcdRefused`."""
        self._need_quorum()
        member = self.members.get(member_id)
        if member is None:
            raise EtcdRefused("etcdserver: member not found")
        if not member.learner:
            rest = [m for m in self.voters() if m.id != member_id]
            if not rest or sum(map(self.alive, rest)) <= len(rest) // 2:
                raise EtcdRefused("etcdserver: re-configuration failed due to not enough started members")
        del self.members[member_id]

    def _need_quorum(self) -> None:
        if not self.quorum():
            raise EtcdRefused("context deadline exceeded")

    def rows(self) -> tuple[MemberFacts, ...]:
        """``etcdctl member list``: a member that never started has no name yet."""
        return tuple(
            MemberFacts(m.id, m.name if m.started else "", m.learner, (m.peer_url,))
            for m in sorted(self.members.values(), key=lambda m: m.id)
        )
