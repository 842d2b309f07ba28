"""Shows and follows job logs on machines, over the product's own SSH layer."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

import typer

from sealcluster.api import Host, SealCluster
from sealcluster.cli import joblogs
from sealcluster.cli.failures import say
from sealcluster.cli.here import Here
from sealcluster.cli.logs import redact
from sealcluster.cli.outside import Shell
from sealcluster.cli.records import Records
from sealcluster.cli.session import desired_of
from sealcluster.core.errors import SealError
from sealcluster.core.ports import HostTarget
from sealcluster.core.state import StateRecord
from sealcluster.engine.firstkeys import FirstKeys
from sealcluster.engine.targets import target
from sealcluster.host.secrets_of import secret_values
from sealcluster.ssh.redact import Redactor

LOOK = 30.0
"""Seconds that one look may take."""


async def show_machine(here: Here, records: Records, wanted: SealCluster, host: Host, *, jobs: int, lines: int, step: str) -> None:
    """Print the newest jobs of one machine."""
    hide = await _redactor(records, wanted)
    opened = here.outside.open(here.common.root, records.settings())
    try:
        (_, reach) = (await _reaches(records, wanted, (host,)))[0]
        typer.echo(f"\njobs on {host.name}, the newest last")
        text = joblogs.show_script(jobs, lines, step)  # the last line of a job that runs may be half written
        await opened.shell(reach).command(text, within=LOOK, on_line=lambda line: typer.echo(f"  {hide(line, unfinished=True)}"))
    finally:
        await opened.close()


async def follow_machines(here: Here, records: Records, wanted: SealCluster, hosts: Sequence[Host], every: float) -> None:
    """Print what jobs on these machines say, until interrupted. A machine that does not answer is named once, and looked at again."""
    hide = await _redactor(records, wanted)
    opened = here.outside.open(here.common.root, records.settings())
    width = max(len(h.name) for h in hosts)

    async def one(host: Host, shell: Shell) -> None:
        follower = joblogs.Follower(f"={secrets.token_hex(8)}", lambda line: typer.echo(f"{host.name.ljust(width)}  {hide(line)}"))
        silent = ""
        while True:
            try:
                await shell.command(follower.script(), within=LOOK, on_line=follower.line)
                follower.end()
                silent = ""
            except SealError as error:
                if error.message != silent:
                    silent = error.message
                    say(f"{host.name}: {error.message}")
            await asyncio.sleep(every)

    try:
        reaches = await _reaches(records, wanted, hosts)
        async with asyncio.TaskGroup() as group:
            for host, reach in reaches:
                group.create_task(one(host, opened.shell(reach)))
    finally:
        await opened.close()


async def _reaches(records: Records, wanted: SealCluster, hosts: Sequence[Host]) -> list[tuple[Host, HostTarget]]:
    desired = desired_of(wanted)
    state = (await records.management.load_state())[0] or StateRecord("")
    seen = FirstKeys(lambda: state)
    return [(host, await target(desired, records.management, host, state.inventory.get(host.name), seen)) for host in hosts]


async def _redactor(records: Records, wanted: SealCluster) -> Redactor:
    """Knows what jobs are given, for a script may print it: the cluster's own secrets, and variables that are secret by their names."""
    environments = (wanted.spec.env, *(h.env for h in wanted.spec.hosts), *(i.env for i in wanted.spec.images))
    known = [value for env in environments for value in secret_values(env)]
    pki = await records.management.load_pki()
    if pki is not None:
        known += [pki.registry_password, *(private for _, private in (pki.ca, pki.etcd, pki.proxy, pki.sa))]
    return redact.plus(known)
