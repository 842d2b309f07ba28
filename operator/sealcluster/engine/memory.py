"""What the engine saw and remembers between two looks. All of it can be lost at any moment: it is seen again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sealcluster.api import Host
from sealcluster.core.errors import SealError, TerminalError
from sealcluster.core.facts import ClusterFacts, HostFacts
from sealcluster.core.images import ImageInfo
from sealcluster.core.plan import Failure, Problem
from sealcluster.core.ports import PKI, Endpoint, FactsQuery, HostPort, HostTarget, Workload
from sealcluster.core.state import StateRecord
from sealcluster.core.view import ClusterView, HostView
from sealcluster.engine.desired import Desired
from sealcluster.engine.firstkeys import FirstKeys
from sealcluster.engine.groups import weightiest
from sealcluster.engine.limits import Budgets
from sealcluster.engine.ports import Ports
from sealcluster.engine.recent import RecentSecrets
from sealcluster.engine.record import Record
from sealcluster.engine.retry import delay
from sealcluster.engine.sights import Seen, Sight
from sealcluster.engine.steady import steady
from sealcluster.engine.targets import target
from sealcluster.engine.together import Together
from sealcluster.engine.viewing import make_view
from sealcluster.phases.balancer_choice import balancer_targets
from sealcluster.phases.kubeadm_inputs import certificate_policy, node_identity

log = logging.getLogger("sealcluster.engine")


@dataclass
class Memory:
    """The engine's memory of one cluster."""

    desired: Desired
    ports: Ports
    budgets: Budgets
    record: Record
    sights: dict[str, Sight] = field(default_factory=dict)
    cluster: ClusterFacts = field(default_factory=ClusterFacts)
    images: dict[str, tuple[ImageInfo, ...]] = field(default_factory=dict)
    image_refs: tuple[tuple[str, str], ...] = ()
    failures: dict[str, Failure] = field(default_factory=dict)
    pki: PKI | None = None
    kubeconfig: str | None = None
    config_texts: dict[tuple[str, str, str], str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    drained: set[str] = field(default_factory=set)
    stale: set[str] = field(default_factory=set)
    """Hosts of which more can be said now than when they were looked at: looked at again at the end of the turn."""
    connections: dict[str, HostPort] = field(default_factory=dict)
    secrets: RecentSecrets = field(init=False)
    first_keys: FirstKeys = field(init=False)
    _cluster_looks: Together = field(init=False)
    _rows: tuple[int, dict[str, Host]] = (0, {})
    _asked: int = 0
    _answered: int = 0

    def __post_init__(self) -> None:
        self.first_keys = FirstKeys(lambda: self.state)
        self.secrets = RecentSecrets(self.ports.management)
        self._cluster_looks = Together(self._look_cluster)

    def row(self, name: str) -> Host | None:
        """The host's row in the spec, without walking 2,000 of them each time."""
        spec = self.desired.spec
        if self._rows[0] != id(spec):
            self._rows = (id(spec), {str(h.name): h for h in spec.hosts})
        return self._rows[1].get(name)

    def forgive(self) -> None:
        """Something was changed, or a person asked: what failed is tried again now."""
        self.secrets.forget()
        self.failures.clear()
        for sight in self.sights.values():
            sight.retry_at = 0.0
            sight.failures = 0

    # --- engine.gate.Memory ------------------------------------------------------------------------------------
    @property
    def state(self) -> StateRecord:
        """The record under our fence."""
        return self.record.state

    @property
    def facts(self) -> Mapping[str, HostFacts]:
        """The last look at each host that was seen."""
        return Seen(self.sights)

    def port(self, host: str) -> HostPort:
        """The connection to a host that was looked at."""
        return self.connections[host]

    def workload(self) -> Workload:
        """The new cluster's API, through its joined masters."""
        port = int(self.desired.spec.endpoint.port)
        endpoints = [Endpoint(h.name, h.address, port) for h in self._of_masters().joined_masters]
        assert self.pki is not None
        return self.ports.workloads.open(
            f"{self.desired.namespace}/{self.desired.name}", endpoints, str(self.desired.spec.endpoint.domain), self.pki
        )

    # --- looking -----------------------------------------------------------------------------------------------
    def names(self) -> tuple[str, ...]:
        """Every host of the spec and of the inventory."""
        return tuple(dict.fromkeys([*(str(h.name) for h in self.desired.spec.hosts), *self.state.inventory]))

    async def look_all(self, skip: frozenset[str] = frozenset()) -> None:
        """One pass over all hosts and the cluster, within the budget."""
        await self.look_records()
        names = self.names()
        for gone in self.sights.keys() - set(names):
            del self.sights[gone]
        await self.look_at(name for name in names if name not in skip)
        if self.first_keys.recorded(self.state, self.desired.spec) != self.state:
            await self._record_keys()
        await self.look_cluster()

    async def look_at(self, names: Iterable[str]) -> None:
        """Look at these hosts side by side. A key that was accepted on first use is on record when this returns."""
        try:
            async with asyncio.TaskGroup() as group:
                for name in names:
                    group.create_task(self.look(name))
        except ExceptionGroup as group_of_errors:
            raise weightiest(group_of_errors) from group_of_errors
        if self.first_keys.news:
            await self._record_keys()

    async def _record_keys(self) -> None:
        if self.record.looking:
            return
        await self.record.update(lambda state: self.first_keys.recorded(state, self.desired.spec))
        self.first_keys.forget_news()

    async def look_records(self) -> None:
        """Authorities, kubeconfig, and texts that the spec refers to."""
        problems: list[Problem] = []
        try:
            self.pki = await self.ports.management.load_pki()
            self.kubeconfig = await self.ports.management.load_kubeconfig()
            for config in self.desired.spec.configs:
                if config.data_from is not None:
                    place = config.data_from.place
                    self.config_texts[place] = await self.ports.management.text(*place)
        except TerminalError as error:
            problems.append(Problem(error.reason, error.message, hint=error.hint, cluster=True))
        self.problems = tuple(problems)

    async def look(self, name: str) -> None:
        """Look at one host; what goes wrong is remembered as the reason why it was not seen."""
        sight = self.sights.setdefault(name, Sight())
        sight.asked += 1
        mine = sight.asked
        now = steady()
        spec = self.row(name)
        row = self.state.inventory.get(name)
        if row is None:
            self.drained.discard(name)
        if spec is None and row is None:
            self.sights.pop(name, None)
            return
        reach: HostTarget | None = None
        connection: HostPort | None = None
        try:
            sight.looked_at = now
            reach = await target(self.desired, self.secrets, spec, row, self.first_keys)
            if row is None and sight.facts is not None and sight.where == (reach.address, reach.port):
                # Released a moment ago and still wanted: it is the machine that we know.
                reach = replace(reach, keys=replace(reach.keys, pinned=reach.keys.pinned or sight.host_key))
            if sight.error is not None and now < sight.retry_at and reach.credentials.version == sight.credentials:
                return
            sight.credentials = reach.credentials.version
            async with self.budgets.look:
                connection = self.ports.hosts.host(reach)
                self.connections[name] = connection
                facts = await connection.facts(self._query(name))
        except SealError as error:
            if mine < sight.answered:
                return
            sight.answered = mine
            sight.failures += 1
            sight.lost_at = now if sight.error is None else sight.lost_at
            terminal = isinstance(error, TerminalError)
            wait = delay(error.reason, sight.failures, terminal=terminal, jitter=self.ports.random())
            sight.retry_at = now + wait
            sight.error = Problem(error.reason, error.message, name, "connect", error.hint, terminal=terminal)
            sight.facts = None
            return
        finally:
            if reach is not None and connection is not None:
                if connection.host_key:
                    sight.host_key, sight.where = connection.host_key, (reach.address, reach.port)
                self.first_keys.learn(reach, connection.host_key, connection.bastion_key, claimed=row is not None)
        if mine < sight.answered:
            return  # a look that began later was quicker
        sight.answered = mine
        sight.facts, sight.seen_at = facts, (reach.address, reach.port)
        sight.error, sight.failures, sight.retry_at = None, 0, 0.0
        await self._certificates(name, sight)
        if sight.facts.owner is not None and sight.facts.owner.cluster_id == self.state.cluster_id and sight.facts.fence > self.state.fence:
            await self.record.raise_fence(sight.facts.fence)

    def _query(self, name: str) -> FactsQuery:
        host = HostView(name, self.row(name), self.state.inventory.get(name))
        touched = host.row is not None
        fresh = not touched or host.going or self.desired.deleting  # is it fit to come, is it clean enough to go
        probe = balancer_targets(self.desired.spec) if touched and not host.master else ()
        return FactsQuery(etcd=touched and host.was_master, certificates=touched and host.master, probe=probe, preflight=fresh)

    async def _certificates(self, name: str, sight: Sight) -> None:
        spec = self.row(name)
        if spec is None or not spec.is_master or sight.facts is None:
            sight.missing_certificates, sight.expiry = (), None
            return
        view = self.view(frozenset())
        host = view.hosts[name]
        if self.pki is None or not view.version:
            sight.missing_certificates = ("all",)
            return
        found = sight.facts.certificates
        now = self.ports.clock.now()
        try:
            identity = node_identity(view, host)
        except SealError:  # documents that cannot be read are a problem of the image or the spec, told by who plans with them
            sight.missing_certificates = ("all",)
            return
        sight.missing_certificates = self.ports.certs.missing(self.pki, identity, certificate_policy(view), found, now)
        sight.expiry = min((end for end in map(self._expiry, found.values()) if end is not None), default=None)

    def _expiry(self, pem: str) -> float | None:
        """None for what is no certificate (the file is damaged, or the machine lies): it is missing, and made anew."""
        try:
            return self.ports.certs.expiry(pem)
        except TerminalError:
            return None

    async def look_cluster(self) -> None:
        """The new cluster's API, as it is after this call."""
        await self._cluster_looks()

    async def _look_cluster(self) -> None:
        self._asked += 1
        mine = self._asked
        there = self.pki is not None and self._of_masters().joined_masters
        facts = await self.workload().facts() if there else ClusterFacts()
        if mine > self._answered:  # one that began earlier may end later
            self._answered, self.cluster = mine, facts

    # --- the view ----------------------------------------------------------------------------------------------
    def _of_masters(self) -> ClusterView:
        """Nothing but masters is in it: what is asked for each of thousands of joins must not walk over thousands of machines."""
        rows = {name for name, row in self.state.inventory.items() if "master" in row.roles}
        rows |= {str(h.name) for h in self.desired.spec.hosts if h.is_master}
        return self.view(frozenset(), tuple(name for name in self.names() if name in rows))

    def view(self, running: frozenset[str], names: tuple[str, ...] | None = None) -> ClusterView:
        """Everything known now, immutable. `names`: with these hosts alone."""
        return make_view(self, self.names() if names is None else names, running)
