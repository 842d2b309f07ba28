"""`python -m sealcluster.controller`: the operator's process."""

from __future__ import annotations

import sys

from sealcluster.compose import Adapters
from sealcluster.controller.registrar import Registering, Registrar
from sealcluster.controller.runner import run_operator
from sealcluster.controller.settings import Settings
from sealcluster.controller.supervisor import Supervisor
from sealcluster.controller.supervisor_port import SupervisorPort
from sealcluster.core.errors import SealError
from sealcluster.kube.client import KubeClient


def main() -> int:
    """Read the environment and run; the exit code."""
    try:
        settings = Settings.from_environment()
    except SealError as error:
        sys.stderr.write(f"{error}; {error.hint}\n")
        return 2

    async def supervise(client: KubeClient) -> SupervisorPort:
        adapters = Adapters(
            store=settings.store,
            archives=settings.archives,
            insecure_registries=settings.insecure_registries,
            extra_ca=settings.extra_ca,
            store_limit=settings.store_limit,
            proxy=settings.proxy,
            no_proxy=settings.no_proxy,
        )
        supervisor = Supervisor(client, adapters, settings.instance)
        if not settings.argocd_namespace:
            return supervisor
        argocd = settings.argocd_namespace
        return Registering(supervisor, Registrar(client, adapters.clock, argocd, supervisor.endpoint, settings.namespaces))

    return run_operator(supervise, settings)


if __name__ == "__main__":
    sys.exit(main())
