"""The operator's process of the benchmark: supervisors, engines, Kubernetes client, metrics; without SSH, TLS and the watch."""

import asyncio
import pickle
import random
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

import scale_hosts

from sealcluster.compose import SystemClock, bootstrap_token
from sealcluster.controller.logs import configure
from sealcluster.controller.metrics import CONTENT_TYPE, Metrics
from sealcluster.controller.probes import ProbeServer
from sealcluster.controller.settings import Settings
from sealcluster.controller.supervisor import Supervisor
from sealcluster.core.ports import Management
from sealcluster.engine import Ports
from sealcluster.kube.client import KubeClient
from sealcluster.kube.resources import SEALCLUSTERS
from sealcluster.kube.transport import Transport
from sealcluster.testing.model.certs import ModelCerts
from sealcluster.testing.model.images import ModelImages
from sealcluster.testing.model.timing import Timing


class BenchAdapters:
    """As `compose.Adapters`."""

    def __init__(self, world: Path, wire: str) -> None:
        kept = pickle.loads(world.read_bytes())
        self.clock = SystemClock()
        self._path, self._keys = wire, kept["keys"]
        self._images = ModelImages(Timing(1, 0.0))
        self._certs = ModelCerts(Timing(1, 0.0))
        self._workloads = scale_hosts.WireWorkloads(scale_hosts.Wire(wire))

    def traffic(self) -> Mapping[str, int]:
        """None."""
        return {}

    def ports(self, management: Management) -> Ports:
        """The ports of one cluster."""
        return Ports(
            hosts=scale_hosts.WireHosts(self._path, self._keys),  # type: ignore[arg-type]  # what changes machines is left out
            images=self._images,
            certs=self._certs,
            management=management,
            workloads=self._workloads,  # type: ignore[arg-type]
            clock=self.clock,
            random=random.random,
            token=bootstrap_token,
            new_id=lambda: str(uuid.uuid4()),
        )


async def operate(world: Path, wire: str) -> None:
    """Until killed."""
    scale_hosts.many_files()
    settings = Settings.from_environment()
    assert settings.kubeconfig is not None
    transport = await Transport.from_file(settings.kubeconfig)
    client = KubeClient(transport)
    supervisor = Supervisor(client, BenchAdapters(world, wire), "bench")
    metrics = Metrics(supervisor.reports, durations=supervisor.durations)
    probes = ProbeServer(
        settings.listen_address, settings.listen_port, alive=str, ready=str, metrics=lambda: (metrics.text(), CONTENT_TYPE)
    )
    async with probes:
        number = 0
        async for body in client.pages(SEALCLUSTERS):
            supervisor.object_seen(body)
            number += 1
        while True:  # kopf's watch of idle objects is silent; a single object is looked at for the sake of the measured pass
            await asyncio.sleep(2)
            if number == 1:
                async for body in client.pages(SEALCLUSTERS):
                    supervisor.object_seen(body)


if __name__ == "__main__":
    configure("console", "WARNING")
    asyncio.run(operate(Path(sys.argv[1]), sys.argv[2]))
