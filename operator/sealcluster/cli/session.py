"""Runs of the engine from the command line: the same engine and ports as the operator, with records in a local directory."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace

from sealcluster.api import ACKNOWLEDGE_LOST_ANNOTATION, SealCluster, validate_change
from sealcluster.api.field_errors import FieldError
from sealcluster.cli.observer import NoImages
from sealcluster.core.errors import TransientError
from sealcluster.engine import Desired, Engine, Ports, Report
from sealcluster.engine.report import make_report
from sealcluster.phases import PHASES, TEARDOWN

TITLES: Mapping[str, str] = {phase.name: phase.title for phase in (*PHASES, *TEARDOWN)}
"""What people call each phase."""


def desired_of(cluster: SealCluster, lost: Mapping[str, str] | None = None) -> Desired:
    """What the engine shall make true. `lost`: machine-id by host, of those that a person declares gone now."""
    meta = cluster.metadata
    annotations = dict(meta.annotations)
    if lost:
        pairs = [annotations.get(ACKNOWLEDGE_LOST_ANNOTATION, ""), *(f"{host}={machine}" for host, machine in lost.items())]
        annotations[ACKNOWLEDGE_LOST_ANNOTATION] = ",".join(pair for pair in pairs if pair)
    return Desired(
        name=meta.name,
        namespace=meta.namespace or "local",
        generation=meta.generation or 1,
        spec=cluster.spec,
        deleting=cluster.deleting,
        annotations=annotations,
    )


def holder() -> str:
    """Who we are in the state record: two commands are never taken for one."""
    return f"cli@{socket.gethostname()}/{os.getpid()}"


async def converge(desired: Desired, ports: Ports, listener: Callable[[Report], None], within: float | None = None) -> Report:
    """Work until the cluster is what is desired (Ready, or released when it is being deleted), a person is needed, or it is paused.

    TransientError when that takes longer than `within` seconds; what runs on machines goes on there.
    """
    last: list[Report] = []

    def listen(report: Report) -> None:
        last[:] = [report]
        listener(report)

    engine = Engine(desired, ports, holder=holder(), listener=listen)
    patience = asyncio.timeout(within)
    try:
        async with patience:
            return await engine.run(finished)
    except TimeoutError:
        if not patience.expired():
            raise
        note = (last[0].account.working or last[0].account.blocked) if last else None
        raise TransientError(
            f"waiting for {desired.name}: not done within {within:.0f} s{f' ({note.message})' if note else ''}",
            hint="run the same command again to go on",
        ) from None


def finished(report: Report) -> bool:
    """Nothing is left to wait for."""
    if report.view.deleting:
        return report.released or stuck(report)
    return report.ready or stuck(report) or bool(unlike(report))


def unlike(report: Report) -> list[FieldError]:
    """What a cluster was made from and is not wanted any more: an earlier command had begun `kubeadm init`, and the wish was changed then."""
    view = report.view
    return validate_change(view.state.made_from, view.spec) if view.initialized and not view.deleting else []


def stuck(report: Report) -> bool:
    """A person is needed, or asked for a pause."""
    return not report.running and (report.blocked or report.account.paused)


async def look(desired: Desired, ports: Ports, *, images: bool = True) -> Report:
    """One look at everything and what would be done about it. Changes nothing as long as `ports.management` is an Observer.

    Images that are not in the store are pulled into it, for a plan depends on them; with `images` False they are not looked at.
    """
    engine = Engine(desired, ports if images else replace(ports, images=NoImages()), holder=holder(), listener=lambda _report: None)
    view, plans = await engine.plan()
    return make_report(view, plans, {}, {}, [TITLES[name] for name in plans])
