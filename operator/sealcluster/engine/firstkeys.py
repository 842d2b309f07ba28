"""Keys that were accepted on first use and that no row of the inventory holds: of machines before their claim, and of jump hosts.

They go into the state record before anything else is done, so that a restart does not trust on "first use" a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sealcluster.api import SealClusterSpec
from sealcluster.core.ports import HostTarget
from sealcluster.core.state import FirstKey, StateRecord


def place(address: str, port: int) -> str:
    """``address:port``."""
    return f"{address}:{port}"


class FirstKeys:
    """What is on record, and what was seen since and is not yet."""

    def __init__(self, state: Callable[[], StateRecord]) -> None:
        self._state = state
        self._hosts: dict[str, FirstKey] = {}
        self._bastions: dict[str, str] = {}

    @property
    def news(self) -> bool:
        """True when something has to be recorded."""
        return bool(self._hosts or self._bastions)

    def host(self, name: str, address: str, port: int) -> str | None:
        """The key of a machine that is not claimed, if this very one was met before."""
        for known in (self._state().first_keys.get(name), self._hosts.get(name)):
            if known is not None and (known.address, known.port) == (address, port):
                return known.key
        return None

    def bastion(self, address: str, port: int) -> str | None:
        """The key of a jump host that was met before."""
        where = place(address, port)
        return self._state().bastion_keys.get(where) or self._bastions.get(where)

    def learn(self, target: HostTarget, host_key: str, bastion_key: str, *, claimed: bool) -> None:
        """What a machine and the jump host before it showed; only first use is remembered. An empty key: there was no contact."""
        first = not claimed and target.keys.trust_on_first_use and self.host(target.name, target.address, target.port) is None
        if first and host_key:
            self._hosts[target.name] = FirstKey(target.address, target.port, host_key)
        jump = target.bastion
        if jump is not None and bastion_key and jump.keys.trust_on_first_use and self.bastion(jump.address, jump.port) is None:
            self._bastions[place(jump.address, jump.port)] = bastion_key

    def recorded(self, state: StateRecord, spec: SealClusterSpec) -> StateRecord:
        """The record with the news, and without what the spec no longer names. What is on record is never replaced."""
        waiting = {str(h.name) for h in spec.hosts} - state.inventory.keys()
        hosts = {n: k for n, k in state.first_keys.items() if n in waiting}
        for name, key in self._hosts.items():
            known = hosts.get(name)
            if name in waiting and (known is None or (known.address, known.port) != (key.address, key.port)):
                hosts[name] = key
        named = set(_bastions(spec))
        bastions = {w: k for w, k in {**self._bastions, **state.bastion_keys}.items() if w in named}
        return replace(state, first_keys=hosts, bastion_keys=bastions)

    def forget_news(self) -> None:
        """They are on record now."""
        self._hosts.clear()
        self._bastions.clear()


def _bastions(spec: SealClusterSpec) -> Iterable[str]:
    for jump in (spec.ssh.bastion, *(h.ssh.bastion for h in spec.hosts if h.ssh is not None)):
        if jump is not None:
            yield place(str(jump.address), int(jump.port))
