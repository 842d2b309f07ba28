"""A machine that says no because of whose it is, in the words of `core.errors`."""

from __future__ import annotations

from sealcluster.core.errors import TerminalError, TransientError


def of_another_cluster(doing: str, host: str, owner: str, step: str | None = None) -> TerminalError:
    """It belongs to somebody else. `owner`: as the machine says it."""
    return TerminalError(
        f"{doing} on host {host}: it belongs to cluster {owner[:300]}",
        reason="HostOfAnotherCluster",
        host=host,
        step=step,
        hint="remove it from that cluster first; where that cluster is gone, delete /var/lib/sealcluster on the host",
    )


def of_nobody(doing: str, host: str, step: str | None = None) -> TransientError:
    """It was not claimed, or was released meanwhile."""
    return TransientError(
        f"{doing} on host {host}: the machine belongs to nobody (any more)", host=host, step=step, hint="it is looked at again"
    )
