"""The checked-in CRD is the generated one, and a structural schema by a judge of its own."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import BaseModel, BeforeValidator, Field

from labkit.manifests import ROOT
from sealcluster.api import MAX_HOSTS, ConditionType
from sealcluster.api.schema import SchemaError, structural

GENERATOR = ROOT / "hack" / "gen_crds.py"
CRD = yaml.safe_load((ROOT / "crds" / "sealclusters.sealcluster.io.yaml").read_text())
VERSION = CRD["spec"]["versions"][0]
SCHEMA = VERSION["schema"]["openAPIV3Schema"]

FORBIDDEN = {
    "$ref",
    "$defs",
    "definitions",
    "const",
    "oneOf",
    "allOf",
    "not",
    "patternProperties",
    "prefixItems",
    "uniqueItems",
    "title",
    "nullable",
}
NESTED = ("properties", "items", "additionalProperties")


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from nodes(schema["additionalProperties"], f"{path}.*")


NODES = dict(nodes(SCHEMA))
LEAVES = [path for path in NODES if path not in {"", ".metadata", ".apiVersion", ".kind"}]


def test_the_file_is_up_to_date() -> None:
    done = subprocess.run([sys.executable, str(GENERATOR), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_check_notices_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("gen_crds", GENERATOR)
    assert spec is not None and spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    stale = tmp_path / "crd.yaml"
    monkeypatch.setattr(generator, "TARGET", stale)
    monkeypatch.setattr(generator, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["gen_crds.py", "--check"])
    assert generator.main() == 1
    stale.write_text(generator.render() + "# touched\n")
    assert generator.main() == 1
    stale.write_text(generator.render())
    assert generator.main() == 0


@pytest.mark.parametrize("path", LEAVES)
def test_node_is_structural_and_bounded(path: str) -> None:
    node = NODES[path]
    assert not FORBIDDEN & node.keys()
    assert "anyOf" not in node
    assert "type" in node or node.get("x-kubernetes-int-or-string")
    assert not isinstance(node.get("exclusiveMinimum"), int)
    match node.get("type"):
        case "array":
            assert "items" in node
            assert "maxItems" in node, "CEL needs a bound to know what a rule can cost"
        case "object" if node.get("additionalProperties"):
            assert "properties" not in node
            assert "maxProperties" in node
        case "object":
            assert node.get("x-kubernetes-preserve-unknown-fields") or "properties" in node
        case "string":
            assert {"maxLength", "enum", "format"} & node.keys()
        case "integer" if path.startswith(".spec"):
            assert {"minimum", "maximum"} <= node.keys()


@pytest.mark.parametrize("path", [path for path in LEAVES if path != ".metadata.name" and path.rpartition(".")[2].isidentifier()])
def test_every_field_is_explained(path: str) -> None:
    assert NODES[path].get("description"), f"{path}: kubectl explain would say nothing"


def test_free_form_are_only_the_kubeadm_documents() -> None:
    free = {path for path, node in NODES.items() if node.get("x-kubernetes-preserve-unknown-fields")}
    assert free == {f".spec.kubeadm.{name}" for name in ("cluster", "init", "join", "kubelet", "kubeProxy")}


def test_no_field_of_the_spec_asks_for_a_secret() -> None:
    for path in NODES:
        if path.startswith(".spec"):
            assert not any(word in path.lower() for word in ("password", "passphrase", "privatekey", "token")), path


def test_lists_are_keyed_where_rows_have_names() -> None:
    keys = {path: node["x-kubernetes-list-map-keys"] for path, node in NODES.items() if node.get("x-kubernetes-list-type") == "map"}
    assert keys == {".spec.hosts": ["name"], ".status.conditions": ["type"]}
    assert NODES[".spec.hosts"]["maxItems"] == MAX_HOSTS
    assert NODES[".status.hosts"]["x-kubernetes-list-type"] == "atomic"
    assert NODES[".status.conditions"]["maxItems"] >= len(ConditionType)


def test_status_is_a_subresource_that_starts_unobserved() -> None:
    assert VERSION["subresources"] == {"status": {}}
    assert NODES[".status"]["default"] == {"observedGeneration": -1}
    assert NODES[".status.observedGeneration"]["type"] == "integer"
    assert SCHEMA["required"] == ["metadata", "spec"]
    assert CRD["spec"]["names"]["shortNames"] == ["seal"]


class Leaf(BaseModel):
    a: int


class Recursive(BaseModel):
    child: "Recursive | None" = None


class Union(BaseModel):
    either: Leaf | int


class Pair(BaseModel):
    pair: tuple[int, str]


class Misplaced(BaseModel):
    labels: Annotated[dict[str, str], BeforeValidator(dict), Field(max_length=3)]


class Distinct(BaseModel):
    items: set[int]


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (Recursive, "Recursive.child"),
        (Union, "Union.either"),
        (Pair, "Pair.pair"),
        (Distinct, "Distinct.items"),
        (Misplaced, "Misplaced.labels"),
    ],
)
def test_what_a_crd_cannot_express_is_an_error_that_names_the_field(model: type[BaseModel], field: str) -> None:
    with pytest.raises(SchemaError, match=field):
        structural(model)
