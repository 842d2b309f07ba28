"""One run of the engine from the command line: the same engine and ports as the operator, with records in a local directory."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from sealcluster.api import SealCluster
from sealcluster.cli.localstate import DEFAULT_ROOT, LocalManagement
from sealcluster.compose import Adapters
from sealcluster.engine import Desired, Engine, Report


def desired_of(cluster: SealCluster) -> Desired:
    """What the engine shall make true."""
    meta = cluster.metadata
    return Desired(
        name=meta.name,
        namespace=meta.namespace or "local",
        generation=meta.generation or 1,
        spec=cluster.spec,
        deleting=cluster.deleting,
        annotations=dict(meta.annotations),
    )


def adapters(root: Path | None = None, insecure: tuple[str, ...] = ()) -> Adapters:
    """Adapters with the content store below the state directory."""
    base = root or Path(DEFAULT_ROOT).expanduser()
    return Adapters(store=base / "store", insecure_registries=insecure)


async def converge(
    cluster: SealCluster, management: LocalManagement, shared: Adapters, listener: Callable[[Report], None], *, keep_going: bool = False
) -> Report:
    """Work until the cluster is Ready, or a person is needed (`keep_going`: then wait for that person)."""
    engine = Engine(desired_of(cluster), shared.ports(management), holder=f"cli@{socket.gethostname()}", listener=listener)

    def finished(report: Report) -> bool:
        return report.ready or (report.blocked and not report.running and not keep_going)

    return await engine.run(finished)
