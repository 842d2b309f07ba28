"""Our imitations of kstatus and of Argo CD's Lua against the real ones: the same verdicts about every object that we know."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labkit import argocd
from labkit.manifests import ROOT
from labkit.oracles import kstatus
from sealcluster.api import Reason
from sim.door import Door, tell
from sim.lives import cluster
from unit import test_argocd_health as health
from unit.api.test_contract import ROWS, from_row

SOURCES = Path(__file__).parent / "judges"
PACK = ROOT / "examples" / "argocd"
Ask = Callable[[list[dict[str, Any]]], list[Any]]
IDENTITY = {"apiVersion": "sealcluster.io/v1alpha1", "kind": "SealCluster"}


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Builds the program once; the first time takes minutes."""
    go = shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin")
    assert go is not None, "Go is needed, as for the lab"
    binary = tmp_path_factory.mktemp("judges") / "judges"
    environment = {**os.environ, "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
    subprocess.run(["nice", go, "build", "-o", str(binary), "."], cwd=SOURCES, env=environment, check=True, timeout=1200)

    def answers(requests: list[dict[str, Any]]) -> list[Any]:
        lines = "".join(json.dumps(request) + "\n" for request in requests)
        done = subprocess.run([str(binary)], input=lines, capture_output=True, text=True, check=True, timeout=120)
        return [json.loads(line) for line in done.stdout.splitlines()]

    return answers


def lived() -> list[dict[str, Any]]:
    """Every version of an object that was made, paused, resumed, broken and deleted."""

    async def story(door: Door) -> None:
        door.wish(cluster("m1", "w1", deletionPolicy="Reset"))
        door.start()
        await door.done()
        door.patch({"spec": {"paused": True}})
        await door.seen(lambda obj: obj["status"]["observedGeneration"] == 2)
        door.patch({"spec": {"paused": False}})
        await door.done()
        door.world.power_off(door.world.machine("w1"))
        await door.seen(lambda obj: "lastFailure" in obj["status"])
        door.world.power_on(door.world.machine("w1"))
        await door.done()
        door.delete()
        await door.seen(lambda obj: not obj)

    return [obj for obj in tell(story).versions if obj]


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    reasons = [make(reason) for reason in Reason for make in (health.reconciling, health.stalled, health.settled)]
    return [{**IDENTITY, **obj} for obj in (*map(from_row, ROWS), *reasons, *lived())]


@pytest.mark.timeout(1500)
def test_kstatus_is_kstatus(ask: Ask, objects: list[dict[str, Any]]) -> None:
    found = ask([{"object": obj} for obj in objects])
    assert found == [kstatus(obj) for obj in objects]
    assert {"Current", "InProgress", "Failed", "Terminating", "Error"} == set(found)


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("script", ["health.lua", "actions/discovery.lua", "actions/pause.lua", "actions/resume.lua"])
def test_lua_is_lua(ask: Ask, objects: list[dict[str, Any]], script: str) -> None:
    text = (PACK / script).read_text()
    assert ask([{"object": obj, "script": text} for obj in objects]) == [argocd.run(text, obj) for obj in objects]


@pytest.mark.timeout(1500)
def test_a_retry_asks_for_the_time_as_argo_cd_tells_it(ask: Ask, objects: list[dict[str, Any]]) -> None:
    text = (PACK / "actions" / "retry.lua").read_text()
    found = ask([{"object": obj, "script": text} for obj in objects])
    assert {obj["metadata"]["annotations"]["sealcluster.io/retry"] for obj in found} == {"now in !%Y-%m-%dT%XZ"}
