"""What a release leaves behind on machines and in the management plane, as files that a later release is tested against.

`record` writes them after a cluster was made; `relive` makes the same cluster again and then puts the recorded words in place of
today's: a new operator that finds something to do would disturb every cluster that was made by that release.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sealcluster.api import SealClusterSpec
from sealcluster.core.facts import JournalEntry
from sealcluster.core.images import ImageInfo, Part, RegistryTree
from sealcluster.core.ports import PKI
from sealcluster.core.state import StateRecord
from sealcluster.host import records
from sealcluster.testing import scenarios
from sealcluster.testing.driver import Simulation
from sealcluster.testing.fakemanagement import PKI_NAMES
from sealcluster.testing.model.catalog import Built
from sealcluster.testing.model.machine import Machine

SEED = 1


async def record(spec: SealClusterSpec, directory: Path) -> None:
    """Make this cluster and write what is left: the spec, the images, the records and each machine's words. Runs in virtual time."""
    sim = Simulation(SEED, spec)
    try:
        await made(sim)
        _keep(sim, spec, directory)
    finally:
        await sim.end()


def _keep(sim: Simulation, spec: SealClusterSpec, directory: Path) -> None:
    directory.mkdir(parents=True)
    _write(directory / "spec.json", spec.model_dump(mode="json", by_alias=True, exclude_unset=True))
    _write(directory / "images.json", [_built(built) for built in sim.images.images.values()])
    assert sim.management.state is not None
    assert sim.management.pki is not None
    (directory / "state.json").write_text(sim.management.state + "\n")
    _write(directory / "authorities.json", asdict(sim.management.pki))
    for machine in sim.world.machines.values():
        _machine(machine, directory / "machines" / machine.name)


async def relive(directory: Path) -> Simulation:
    """The world that was recorded, with no operator in it. The caller ends it."""
    spec = SealClusterSpec.model_validate_json((directory / "spec.json").read_text())
    record = StateRecord.loads((directory / "state.json").read_text())
    sim = Simulation(SEED)
    built = [_unbuilt(document) for document in json.loads((directory / "images.json").read_text())]
    sim.images.images = {(b.info.ref, b.info.arch): b for b in built}
    sim.management.pki = _authorities(_read(directory / "authorities.json"))
    sim.management.state = StateRecord(record.cluster_id, pki_created=True).dumps()
    sim.wish(spec)
    await made(sim)
    await sim.operators[-1].kill()
    for machine in sim.world.machines.values():
        _overlay(machine, directory / "machines" / machine.name)
    sim.management.state = record.dumps()
    sim.management.version += 1
    return sim


async def made(sim: Simulation) -> None:
    """Let an operator make the cluster."""
    sim.start()
    await sim.until(scenarios.ready, scenarios.PATIENCE)


# --- machines --------------------------------------------------------------------------------------------------------
def _machine(machine: Machine, directory: Path) -> None:
    """The files below /var/lib/sealcluster as the host's scripts write them, and the content of managed files."""
    assert machine.owner is not None
    directory.mkdir(parents=True)
    (directory / "owner").write_text(f"{machine.owner.cluster_id} {machine.owner.name}\n")
    (directory / "fence").write_text(f"{machine.owner.cluster_id} {machine.fence}\n")
    (directory / "journal").write_text("".join(f"{_line(e)}\n" for e in machine.journal.values()))
    (directory / "managed").write_text("".join(f"{digest}  {path}\n" for path, digest in sorted(machine.managed.items())))
    files = {path: [machine.files.entries[path].mode, _text(machine.files.entries[path].content)] for path in sorted(machine.managed)}
    _write(directory / "files.json", files)


def _line(entry: JournalEntry) -> str:
    rc = "-" if entry.rc is None else entry.rc
    return f"j1 {entry.time:.0f} {entry.state} {entry.step} {entry.digest} {entry.attempt} {rc} ."


def _overlay(machine: Machine, directory: Path) -> None:
    machine.owner = records.owner((directory / "owner").read_text())
    machine.fence = records.fence((directory / "fence").read_text())
    machine.journal, _ = records.journal_and_jobs((directory / "journal").read_text().splitlines(), [])
    machine.managed = {line[66:]: line[:64] for line in (directory / "managed").read_text().splitlines()}
    for path, (mode, text) in _read(directory / "files.json").items():
        machine.files.force(path, base64.b64decode(text), mode)


# --- images ----------------------------------------------------------------------------------------------------------
def _built(built: Built) -> dict[str, Any]:
    return {"info": asdict(built.info), "content": {digest: _text(data) for digest, data in sorted(built.content.items())}}


def _unbuilt(document: dict[str, Any]) -> Built:
    info = dict(document["info"])
    tree = info.pop("registry")
    info["parts"] = tuple(Part(**part) for part in info["parts"])
    info["commands"] = tuple(info["commands"])
    links = tuple((path, digest) for path, digest in tree["links"])
    registry = RegistryTree(tuple(Part(**blob) for blob in tree["blobs"]), links)
    return Built(ImageInfo(**info, registry=registry), {digest: base64.b64decode(text) for digest, text in document["content"].items()})


def _authorities(document: dict[str, Any]) -> PKI:
    ca, etcd, proxy, sa = ((str(pair[0]), str(pair[1])) for pair in (document[name] for name in PKI_NAMES))
    return PKI(ca, etcd, proxy, sa, str(document["registry_password"]))


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found
