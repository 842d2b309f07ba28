"""kopf as the source of events and nothing else: the only file that uses it.

One `on.event` handler: kopf then stores nothing in the object, neither annotations nor a finalizer, and misses nothing after a restart.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import kopf
from kopf._cogs.structs.references import Insights  # the type of a public parameter; it has no public name

from sealcluster.api import GROUP, PLURAL, VERSION
from sealcluster.core.errors import TransientError
from sealcluster.kube.transport import ClientIdentity

Deliver = Callable[[str | None, Mapping[str, Any]], None]
"""(type of the watch event, the object as it came)."""

NEVER_USED = f"{GROUP}/unused-by-kopf"
"""kopf removes *its* finalizer from every object that no handler of it needs to hold: it must not be the name of ours."""


async def watch(
    deliver: Deliver,
    identity: Callable[[], Awaitable[ClientIdentity]],
    namespaces: Sequence[str],
    stop: threading.Event,
    ready: threading.Event,
) -> None:
    """Deliver events of these namespaces (none: all) until told to stop. `identity` is asked again whenever the API server says 401.

    `ready` is set once the kind is being watched. Raises TransientError when the API server does not serve it: kopf looks only once.
    """
    insights = Insights()
    operator = asyncio.create_task(
        kopf.operator(
            registry=_registry(deliver, identity),
            settings=kopf_settings(),
            standalone=True,
            clusterwide=not namespaces,
            namespaces=namespaces,
            stop_flag=stop,
            insights=insights,
        )
    )
    looked = asyncio.create_task(insights.ready_resources.wait())
    await asyncio.wait({operator, looked}, return_when=asyncio.FIRST_COMPLETED)
    looked.cancel()
    missing = insights.ready_resources.is_set() and not insights.watched_resources
    if missing:
        stop.set()
    else:
        ready.set()
    await operator
    if missing:
        raise TransientError(f"watching {PLURAL}.{GROUP}: the API server does not serve it")


def _registry(deliver: Deliver, identity: Callable[[], Awaitable[ClientIdentity]]) -> kopf.OperatorRegistry:
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers)
    async def log_in(**context: Any) -> kopf.ConnectionInfo:
        ours = await identity()
        scheme, _space, token = (ours.authorization or "").partition(" ")
        return kopf.ConnectionInfo(
            server=ours.server,
            ca_path=ours.ca_path,
            certificate_path=ours.certificate_path,
            private_key_path=ours.key_path,
            scheme=scheme.capitalize() or None,
            token=token or None,
            insecure=ours.insecure,
            proxy_url=ours.proxy,
            trust_env=True,
        )

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=handlers)
    async def pass_on(event: kopf.RawEvent, **_: Any) -> None:
        deliver(event["type"], event["object"])

    return handlers


def kopf_settings() -> kopf.OperatorSettings:
    """For a long-lived watch of one kind by one process."""
    settings = kopf.OperatorSettings()
    settings.persistence.finalizer = NEVER_USED
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP)
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.networking.request_timeout = 60.0
    settings.networking.connect_timeout = 10.0
    settings.networking.enforce_retry_after = True
    settings.networking.trust_env = True
    settings.watching.server_timeout = 600
    settings.watching.client_timeout = 630
    settings.watching.connect_timeout = 10
    settings.watching.chunk_size = 100
    return settings
