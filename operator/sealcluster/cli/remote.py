"""Commands of a person on many machines, over the product's own SSH layer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import typer

from sealcluster.api import Host, SealCluster
from sealcluster.cli.outside import Opened
from sealcluster.cli.session import desired_of
from sealcluster.core.errors import SealError, TerminalError
from sealcluster.core.ports import Management
from sealcluster.core.state import StateRecord
from sealcluster.engine.firstkeys import FirstKeys
from sealcluster.engine.targets import target

AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """How it ended on one host."""

    host: str
    rc: int
    """Exit code; -1: it could not be run, `error` says why."""
    error: str = ""


def chosen(cluster: SealCluster, roles: str, hosts: str) -> tuple[Host, ...]:
    """Hosts that are meant: those that were named, else those with one of the roles, else all. TerminalError for a name that is none."""
    names = [word.strip() for word in hosts.split(",") if word.strip()]
    unknown = [name for name in names if not any(name in (h.name, h.address) for h in cluster.spec.hosts)]
    if unknown:
        raise TerminalError(
            f"choosing hosts: {cluster.name} has no {', '.join(unknown)}",
            reason="InvalidSpec",
            hint=f"it has {', '.join(h.name for h in cluster.spec.hosts[:20])}",
        )
    wanted_roles = {word.strip() for word in roles.split(",") if word.strip()}
    bad = sorted(wanted_roles - {"master", "node", "registry"})
    if bad:
        raise TerminalError(f"choosing hosts: {', '.join(bad)} is no role", reason="InvalidSpec", hint="master, node or registry")
    found = tuple(
        h
        for h in cluster.spec.hosts
        if (not names or h.name in names or h.address in names) and (not wanted_roles or wanted_roles & {r.value for r in h.roles})
    )
    if not found:
        raise TerminalError("choosing hosts: no host is left", reason="InvalidSpec", hint="check --roles and --hosts")
    return found


class Prefixed:
    """Prints lines as they come, each with its host's name; whole lines, so those of several hosts do not mix."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self._width = max(len(h.name) for h in hosts)

    def line(self, host: str, text: str) -> None:
        """One line of one host."""
        typer.echo(f"{host.ljust(self._width)}  {text}")


async def everywhere(
    opened: Opened,
    cluster: SealCluster,
    management: Management,
    hosts: Sequence[Host],
    text: str,
    within: float,
    on_line: Callable[[str, str], None],
) -> list[Answer]:
    """Run the text on all hosts side by side; a host that fails does not stop the others."""
    desired = desired_of(cluster)
    state = (await management.load_state())[0] or StateRecord("")
    seen = FirstKeys(lambda: state)
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(host: Host) -> Answer:
        async with slots:
            try:
                reach = await target(desired, management, host, state.inventory.get(host.name), seen)
                rc = await opened.shell(reach).command(text, within=within, on_line=lambda line: on_line(host.name, line))
                return Answer(host.name, rc)
            except SealError as error:
                return Answer(host.name, -1, f"{error.message}{'; ' + error.hint if error.hint else ''}")

    return list(await asyncio.gather(*(one(host) for host in hosts)))
