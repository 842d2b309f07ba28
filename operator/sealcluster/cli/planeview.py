"""`kubectl seal …`: the same answers from a management plane, where an operator does the work. Thin: it reads the object, or asks for a retry."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from sealcluster.api import RETRY_ANNOTATION, Host, SealClusterStatus, timestamp
from sealcluster.cli import handedover, show_logs, show_status
from sealcluster.cli.columns import columns
from sealcluster.cli.failures import say
from sealcluster.cli.here import Here, emit, show
from sealcluster.cli.options import Format, Plane
from sealcluster.cli.outside import kubeconfigs
from sealcluster.cli.records import known
from sealcluster.cli.statusview import moment
from sealcluster.core.errors import TerminalError, TransientError
from sealcluster.core.evidence import Evidence
from sealcluster.kube.resources import SEALCLUSTERS

if TYPE_CHECKING:
    from sealcluster.kube.client import KubeClient

T = TypeVar("T")
Body = dict[str, Any]


def meant(here: Here, plane: Plane, cluster: str | None) -> bool:
    """A management plane is asked when one of its options was given, and by kubectl-seal about a cluster that is none of ours (any more)."""
    if plane.given:
        return True
    ours = [name for name in known(here.common.root) if handedover.noted(here.common.root / name) is None]
    return here.program.startswith("kubectl") and (cluster not in ours if cluster else not ours)


def status(here: Here, plane: Plane, cluster: str | None, output: Format) -> SealClusterStatus:
    """Print status.* of the object."""
    body = _body(here, plane, cluster)
    shown = _shown(body)
    if output is Format.TEXT:
        show(show_status.lines(shown))
    else:
        emit(body, output)
    return shown.status


def watch(here: Here, plane: Plane, cluster: str | None, draw: Callable[[show_status.Shown], None], every: float) -> None:
    """Draw the object's status every few seconds, until it is gone or somebody interrupts. A plane that is silent for a while is waited for."""

    async def follow(client: KubeClient, namespace: str) -> None:
        shown: show_status.Shown | None = None
        while True:
            try:
                shown = _shown(await _object(client, namespace, shown.name if shown else cluster))
                draw(shown)
            except TransientError as error:
                if shown is None:
                    raise
                draw(replace(shown, note=f"{error.message}; this is what was seen last"))
            except TerminalError:
                if shown is None:
                    raise
                draw(replace(shown, note="it is gone"))
                return
            await asyncio.sleep(every)

    _ask(here, plane, follow)


def _shown(body: Body) -> show_status.Shown:
    hosts = [Host.model_validate(row) for row in body["spec"]["hosts"]]
    return show_status.Shown(body["metadata"]["name"], SealClusterStatus.model_validate(body.get("status") or {}), hosts)


def plan(here: Here, plane: Plane, cluster: str | None, output: Format) -> int:
    """Print status.plan of the object: what the operator is about to do. The number of steps."""
    body = _body(here, plane, cluster)
    found = SealClusterStatus.model_validate(body.get("status") or {}).plan
    if output is not Format.TEXT:
        emit(found.dump() if found else {"total": 0, "steps": []}, output)
        return found.total if found else 0
    name = body["metadata"]["name"]
    if found is None:
        show([f"plan for {name}: nothing to do"])
        return 0
    rows = [[step.host or "cluster", step.phase, step.what] for step in found.steps]
    more = [f"  … and {found.total - len(rows)} more"] if found.total > len(rows) else []
    show([f"plan for {name}: {found.total} steps", *columns(rows, "  "), *more])
    return found.total


def evidence(here: Here, plane: Plane, cluster: str | None) -> tuple[str, tuple[Evidence, ...]]:
    """Name of the cluster and what is kept of failed steps; where that Secret may not be read, what status tells."""
    from sealcluster.kube.errors import Refused  # noqa: PLC0415 - see below
    from sealcluster.kube.management import KubeManagement  # noqa: PLC0415 - see below

    async def read(client: KubeClient, namespace: str) -> tuple[str, tuple[Evidence, ...]]:
        body = await _object(client, namespace, cluster)
        name = str(body["metadata"]["name"])
        try:
            found = await KubeManagement(client, namespace, name).load_evidence()
        except Refused as error:
            say(f"{error.message}; showing what status says")
            found = ()
        failure = SealClusterStatus.model_validate(body.get("status") or {}).last_failure
        return name, found or show_logs.of_status(failure, seconds_of(failure.time) if failure else 0.0)

    return _ask(here, plane, read)


def seconds_of(time: str) -> float:
    """A time as the API writes it, in seconds since the epoch."""
    return datetime.fromisoformat(time).timestamp()


def kubeconfig(here: Here, plane: Plane, cluster: str | None) -> str:
    """The Secret `<name>-kubeconfig`."""
    from sealcluster.kube.management import KubeManagement  # noqa: PLC0415 - the client is slow to load; most commands need none

    async def read(client: KubeClient, namespace: str) -> str:
        name = str((await _object(client, namespace, cluster))["metadata"]["name"])
        found = await KubeManagement(client, namespace, name).load_kubeconfig()
        if found is None:
            raise TerminalError(
                f"reading Secret {namespace}/{name}-kubeconfig: it does not exist",
                reason="SecretMissing",
                hint="it is written once the control plane runs",
            )
        return found

    return _ask(here, plane, read)


def retry(here: Here, plane: Plane, cluster: str | None) -> None:
    """Annotate the object: the operator forgets what failed and looks again."""

    async def ask(client: KubeClient, namespace: str) -> str:
        name = str((await _object(client, namespace, cluster))["metadata"]["name"])
        when = timestamp(moment(here.outside.now()))
        await client.patch(SEALCLUSTERS, name, {"metadata": {"annotations": {RETRY_ANNOTATION: when}}}, namespace)
        return f"{namespace}/{name}"

    say(f"asked the operator to try {_ask(here, plane, ask)} again now")


def _body(here: Here, plane: Plane, cluster: str | None) -> Body:
    async def read(client: KubeClient, namespace: str) -> Body:
        return await _object(client, namespace, cluster)

    return _ask(here, plane, read)


def _ask(here: Here, plane: Plane, question: Callable[[KubeClient, str], Awaitable[T]]) -> T:
    async def work() -> T:
        async with here.outside.plane(plane.kubeconfig, plane.context) as client:
            return await question(client, plane.namespace or default_namespace(plane))

    return here.outside.run(work())


async def _object(client: KubeClient, namespace: str, cluster: str | None) -> Body:
    if cluster is not None:
        found = await client.find(SEALCLUSTERS, cluster, namespace)
        if found is None:
            raise TerminalError(
                f"looking for SealCluster {namespace}/{cluster}: it does not exist", reason="InvalidSpec", hint="check name and namespace"
            )
        return {"apiVersion": "sealcluster.io/v1alpha1", "kind": "SealCluster", **found}
    names = [str(item["metadata"]["name"]) async for item in client.pages(SEALCLUSTERS, namespace)]
    if len(names) != 1:
        hint = f"name one of {', '.join(names)}" if names else "check the namespace"
        raise TerminalError(
            f"choosing a SealCluster in {namespace}: there {'are several' if names else 'is none'}", reason="InvalidSpec", hint=hint
        )
    return await _object(client, namespace, names[0])


def default_namespace(plane: Plane) -> str:
    """The namespace of the kubeconfig's context, as kubectl takes it."""
    context = plane.context
    for path in [plane.kubeconfig] if plane.kubeconfig else kubeconfigs():
        if not path.is_file():
            continue
        try:
            config = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (yaml.YAMLError, UnicodeDecodeError):
            raise TerminalError(f"reading the kubeconfig {path}: it is not YAML", reason="InvalidSpec") from None
        context = context or config.get("current-context")
        for entry in config.get("contexts") or ():
            if entry.get("name") == context:
                return str((entry.get("context") or {}).get("namespace") or "default")
    return "default"
