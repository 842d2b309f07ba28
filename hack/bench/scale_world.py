"""Makes a finished cluster in virtual time and keeps what an operator would see of it: the answers of its machines and of its API, and the
objects of the management plane. Durations are nothing here, so that thousands of machines are made in seconds."""

import asyncio
import logging
import pickle
import sys
from pathlib import Path
from typing import Any

from sealcluster.core.ports import Endpoint, FactsQuery
from sealcluster.engine import engine, limits
from sealcluster.testing import clock, plane, specs
from sealcluster.testing.model import observe
from sealcluster.testing.model.world import ModelWorld

ROOT = Path(__file__).resolve().parents[2]
CRD = ROOT / "crds" / "sealclusters.sealcluster.io.yaml"
LIMIT = 100_000.0


def finished(masters: int, workers: int) -> dict[str, Any]:
    """`objects` of the namespace by plural and name, `hosts`: pickled facts by name and kind of query, `workload`: pickled facts."""
    plane.ModelWorld = lambda seed: ModelWorld(seed, 0.0)  # type: ignore[assignment,misc]  # a world in which nothing takes time
    engine.Limits = lambda: limits.Limits(10_000, 10_000)  # type: ignore[assignment,misc]  # and nothing has to wait for its turn
    kept: dict[str, Any] = {}

    async def story() -> None:
        world = plane.Plane(1, CRD)
        world.kube.latency = 0.0
        world.wish(specs.spec(masters, workers))
        world.start()
        await world.until(world.ready, LIMIT)
        await asyncio.sleep(60)
        assert not world.problems(), world.problems()
        record = world.record()
        assert record is not None
        kept["objects"] = {key: value for key, value in world.kube.store.objects.items() if key[0] in ("secrets", "sealclusters")}
        kept["hosts"] = {
            (name, preflight): pickle.dumps(_look(world, name, preflight)) for name in record.inventory for preflight in (False, True)
        }
        kept["keys"] = {name: row.host_key for name, row in record.inventory.items()}
        endpoints = [Endpoint(name, row.address, 6443) for name, row in record.inventory.items() if "master" in row.roles]
        management = world.processes[-1].supervisor.reports()[0].view
        assert management.pki is not None
        facts = await world.workloads.open("", endpoints, "apiserver.cluster.local", management.pki).facts()
        kept["workload"] = pickle.dumps(facts)
        await world.end()

    clock.run(story(), limit=10 * LIMIT)
    return kept


def _look(world: plane.Plane, name: str, preflight: bool) -> Any:
    machine = world.world.machine(name)
    master = machine.files.exists("/etc/kubernetes/admin.conf")
    probe = () if master else (("127.0.0.1", 6443), ("10.103.97.2", 6443))
    query = FactsQuery(etcd=master, certificates=master, probe=probe, preflight=preflight)
    return observe.look(world.world, machine, query, world.world.now())


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    Path(sys.argv[3]).write_bytes(pickle.dumps(finished(int(sys.argv[1]), int(sys.argv[2]))))
