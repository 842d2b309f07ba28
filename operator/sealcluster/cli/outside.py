"""How the command line reaches the world. Tests put a model in its place (`ctx.obj`)."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sealcluster.cli.records import Settings
from sealcluster.core.errors import TerminalError
from sealcluster.core.ports import HostTarget, Management
from sealcluster.engine import Ports

if TYPE_CHECKING:
    from sealcluster.compose import Adapters
    from sealcluster.kube.client import KubeClient

T = TypeVar("T")


class Shell(Protocol):
    """Commands of a person on one host."""

    async def command(self, text: str, *, within: float, on_line: Callable[[str], None]) -> int:
        """Run a shell text as root; lines of output (both streams) come as they are printed; the exit code."""
        ...


class Opened(Protocol):
    """Adapters that are open."""

    def ports(self, management: Management) -> Ports:
        """The engine's ports for one cluster."""
        ...

    def shell(self, target: HostTarget) -> Shell:
        """A host, for `exec`."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class Outside(Protocol):
    """What a command needs beyond its options and its records."""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end; KeyboardInterrupt when a signal ended it."""
        ...

    def open(self, root: Path, settings: Settings) -> Opened:
        """Adapters with the content store below the state directory."""
        ...

    def plane(self, kubeconfig: Path | None, context: str | None) -> AbstractAsyncContextManager[KubeClient]:
        """A client of a management plane's API server."""
        ...

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


def kubeconfigs() -> list[Path]:
    """The files that kubectl would read where none is named."""
    return [Path(p) for p in os.environ.get("KUBECONFIG", "").split(os.pathsep) if p] or [Path.home() / ".kube/config"]


def _require(kubeconfig: Path | None) -> None:
    """TerminalError where neither this file is there nor, without one, any that kubectl would read."""
    if kubeconfig is not None and not kubeconfig.is_file():
        raise TerminalError(f"reading the kubeconfig {kubeconfig}: there is no such file", reason="InvalidSpec")
    if kubeconfig is None and not any(path.is_file() for path in kubeconfigs()):
        raise TerminalError(
            f"finding a management plane: there is no kubeconfig {' or '.join(map(str, kubeconfigs()))}",
            reason="InvalidSpec",
            hint="give --kubeconfig FILE or set KUBECONFIG",
        )


class RealOpened:
    """SSH, registries, API servers."""

    def __init__(self, adapters: Adapters) -> None:
        self._adapters = adapters

    def ports(self, management: Management) -> Ports:
        """The engine's ports for one cluster."""
        return self._adapters.ports(management)

    def shell(self, target: HostTarget) -> Shell:
        """A host, for `exec`."""
        return self._adapters.hosts.machine(target)

    async def close(self) -> None:
        """Close connections."""
        await self._adapters.close()


class RealOutside:
    """The machine that the command runs on."""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """`asyncio.run`; SIGTERM ends it as Ctrl-C does."""

        async def main() -> T:
            task = asyncio.current_task()
            assert task is not None
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
            return await work

        try:
            return asyncio.run(main())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None

    def open(self, root: Path, settings: Settings) -> Opened:
        """Adapters with the content store below the state directory."""
        from sealcluster.compose import Adapters  # noqa: PLC0415 - half of the program's start: only what talks to machines needs it

        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        authorities = Path(settings.registry_ca) if settings.registry_ca else None
        return RealOpened(Adapters(store=root / ".store", insecure_registries=settings.insecure_registries, extra_ca=authorities))

    @asynccontextmanager
    async def plane(self, kubeconfig: Path | None, context: str | None) -> AsyncIterator[KubeClient]:
        """A client of a management plane's API server; it gives up soon, for a person waits."""
        from sealcluster.kube.client import KubeClient  # noqa: PLC0415 - see above
        from sealcluster.kube.transport import Transport  # noqa: PLC0415 - see above

        _require(kubeconfig)
        transport = await Transport.from_file(kubeconfig, context)
        try:
            yield KubeClient(transport, attempts=2, patience=15)
        finally:
            await transport.close()

    def now(self) -> float:
        """The wall clock."""
        return time.time()
