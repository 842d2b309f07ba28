"""The generated CRD on a real API server: what it takes, what it refuses and what it fills in."""

import datetime
import json
import time
from typing import Any

import pytest
import yaml

from labkit.crds import COLLECTION, send
from labkit.manifests import BAD, EXAMPLES, ROOT, manifest
from sealab.plane import Plane
from sealcluster.api import (
    MAX_PLAN_STEPS,
    Account,
    ConditionType,
    Finding,
    HostState,
    PlanStatus,
    PlanStep,
    Reason,
    SealCluster,
    SealClusterSpec,
    SealClusterStatus,
    begin,
    compact,
    parse,
    set_conditions,
    summarize,
)

pytestmark = pytest.mark.timeout(120)
NOW = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)


def causes(answer: dict[str, Any]) -> dict[str, str]:
    """Messages of a refusal by field, without the remarks that rules were skipped."""
    found = answer.get("details", {}).get("causes", [])
    return {cause.get("field", ""): cause["message"] for cause in found if "<nil>" not in cause.get("field", "")}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_is_accepted(seal_plane: Plane, path: Any) -> None:
    example = yaml.safe_load(path.read_text())
    collection = COLLECTION.replace("/default/", f"/{example['metadata'].setdefault('namespace', 'default')}/")
    seal_plane.kubectl("create", "namespace", example["metadata"]["namespace"], check=False)
    status, answer = send(seal_plane, "POST", f"{collection}?dryRun=All", example)
    assert status == 201, answer


@pytest.mark.parametrize("entry", BAD, ids=lambda entry: entry["name"])
def test_bad_example_is_refused_by_name(seal_plane: Plane, entry: dict[str, Any]) -> None:
    status, answer = send(seal_plane, "POST", f"{COLLECTION}?dryRun=All", manifest(entry["spec"]))
    assert status in {400, 422}, answer
    assert entry["field"] in answer["message"]
    assert entry.get("says", "") in answer["message"]


def test_defaults_are_those_of_the_models(seal_plane: Plane) -> None:
    status, answer = send(seal_plane, "POST", f"{COLLECTION}?dryRun=All", manifest())
    assert status == 201
    stored = answer["spec"]
    written = SealClusterSpec.model_validate(manifest()["spec"])
    assert SealClusterSpec.model_validate(stored) == written

    def without_empty(value: Any) -> Any:
        return {k: without_empty(v) for k, v in value.items() if v not in ({}, [])} if isinstance(value, dict) else value

    dumped = without_empty(written.dump())
    dumped["hosts"] = [without_empty(host) for host in dumped["hosts"]]
    dumped["images"] = [without_empty(image) for image in dumped["images"]]
    assert without_empty(stored) == without_empty(dumped)


def test_a_new_object_is_in_progress_until_the_operator_has_seen_it(seal_plane: Plane) -> None:
    status, _ = send(seal_plane, "POST", COLLECTION, manifest(name="fresh"))
    assert status == 201
    _, read = send(seal_plane, "GET", f"{COLLECTION}/fresh")
    assert read["status"] == {"observedGeneration": -1}
    assert read["metadata"]["generation"] == 1
    waited = seal_plane.kubectl("wait", "--for=condition=Ready", "seal/fresh", "--timeout=0", check=False)
    assert waited.returncode != 0


IMMUTABLE = [
    ("network.podSubnet", {"network": {"podSubnet": "100.65.0.0/16"}}),
    ("network.serviceSubnet", {"network": {"serviceSubnet": "10.97.0.0/22"}}),
    ("network.dnsDomain", {"network": {"dnsDomain": "other.local"}}),
    ("network.proxyMode", {"network": {"proxyMode": "ipvs"}}),
    ("endpoint.domain", {"endpoint": {"domain": "other.example"}}),
    ("endpoint.port", {"endpoint": {"port": 7443}}),
    ("endpoint.vip", {"endpoint": {"vip": "10.103.97.3"}}),
    ("registry.domain", {"registry": {"domain": "other.example"}}),
    ("registry.port", {"registry": {"port": 5001}}),
    ("certificates.caValidity", {"certificates": {"caValidity": "50y"}}),
]


def test_fields_that_are_built_in_cannot_be_changed(seal_plane: Plane) -> None:
    send(seal_plane, "POST", COLLECTION, manifest(name="built"))
    for field, change in IMMUTABLE:
        patch = {"spec": change}
        status, answer = send(seal_plane, "PATCH", f"{COLLECTION}/built", patch, content_type="application/merge-patch+json")
        assert status == 422, f"{field}: {answer}"
        assert f"spec.{field}" in causes(answer), answer
        assert "cannot be changed" in answer["message"]


def test_everything_else_can_be_changed(seal_plane: Plane) -> None:
    send(seal_plane, "POST", COLLECTION, manifest(name="living"))
    change = {
        "paused": True,
        "deletionPolicy": "Reset",
        "hosts": [
            {"name": "m2", "address": "10.0.0.9", "roles": ["master", "registry"], "labels": {"a": "b"}, "taints": []},
            {"name": "m1", "address": "10.0.0.2", "roles": ["node"]},
        ],
        "images": [{"name": "a", "ref": "r.example/a:1"}, {"name": "kubernetes", "ref": "r.example/kubernetes:v1.34.4"}],
        "certificates": {"extraSANs": ["api.example"], "validity": "1y"},
        "endpoint": {"loadBalancer": "haproxy"},
        "rollout": {"maxUnavailable": "25%"},
    }
    status, answer = send(seal_plane, "PATCH", f"{COLLECTION}/living", {"spec": change}, content_type="application/merge-patch+json")
    assert status == 200, answer
    assert [image["name"] for image in answer["spec"]["images"]] == ["a", "kubernetes"]
    assert answer["spec"]["hosts"][0]["taints"] == []
    assert answer["metadata"]["generation"] == 2


def test_rows_come_and_go_by_name_under_server_side_apply(seal_plane: Plane) -> None:
    path = f"{COLLECTION}/rows?fieldManager=person"
    rows = [{"name": f"m{n}", "address": f"10.0.0.{n}", "roles": ["master"]} for n in (1, 2, 3)]

    def apply(hosts: list[dict[str, Any]]) -> list[str]:
        body = manifest({"hosts": hosts}, "rows")
        status, answer = send(seal_plane, "PATCH", path, body, content_type="application/apply-patch+yaml")
        assert status in {200, 201}, answer
        return [f"{row['name']}={row['address']}" for row in answer["spec"]["hosts"]]

    assert apply(rows) == ["m1=10.0.0.1", "m2=10.0.0.2", "m3=10.0.0.3"]
    assert apply([rows[0], {**rows[2], "address": "10.0.0.9"}]) == ["m1=10.0.0.1", "m3=10.0.0.9"]
    assert apply([*rows]) == ["m1=10.0.0.1", "m2=10.0.0.2", "m3=10.0.0.3"]


def test_free_form_documents_survive_as_they_are(seal_plane: Plane) -> None:
    kubelet = {"maxPods": 200, "evictionHard": {"memory.available": "5%"}, "unknown": [{"a": None}, 1.5, "x"]}
    status, answer = send(seal_plane, "POST", f"{COLLECTION}?dryRun=All", manifest({"kubeadm": {"kubelet": kubelet}}))
    assert status == 201, answer
    assert answer["spec"]["kubeadm"]["kubelet"] == kubelet


def test_status_is_a_subresource_that_takes_what_the_models_write(seal_plane: Plane) -> None:
    send(seal_plane, "POST", COLLECTION, manifest(name="reported"))
    conditions = begin((), 1, NOW)
    details = {kind: Finding.true() for kind in ConditionType}
    conditions = set_conditions(conditions, summarize(Account(details=details, applied=True)), 1, NOW)
    status_body = json.loads((ROOT / "tests/unit/api/status.json").read_text())
    status_body["conditions"] = [condition.dump() for condition in conditions]
    body = {
        "apiVersion": "sealcluster.io/v1alpha1",
        "kind": "SealCluster",
        "metadata": {"name": "reported"},
        "status": status_body,
    }
    apply = f"{COLLECTION}/reported/status?fieldManager=sealcluster&force=true"
    status, answer = send(seal_plane, "PATCH", apply, body, content_type="application/apply-patch+yaml")
    assert status == 200, answer
    assert answer["status"] == status_body
    assert answer["metadata"]["generation"] == 1
    assert SealCluster.model_validate(answer).status.dump() == status_body
    seal_plane.kubectl("wait", "--for=condition=Ready", "seal/reported", "--timeout=1s")
    seal_plane.kubectl("wait", "--for=condition=Stalled=false", "seal/reported", "--timeout=1s")
    printed = seal_plane.kubectl("get", "sealclusters", "reported").stdout.splitlines()
    assert printed[0].split() == ["NAME", "READY", "PHASE", "MASTERS", "WORKERS", "VERSION", "PROGRESS", "AGE"]
    assert printed[1].split()[:6] == ["reported", "True", "Ready", "3/3", "2/2", "v1.34.4"]


def test_bad_status_is_refused(seal_plane: Plane) -> None:
    send(seal_plane, "POST", COLLECTION, manifest(name="liar"))
    condition = {"type": "Ready", "status": "True", "reason": "two words", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    for bad, field in (
        ({"observedGeneration": "1"}, "status.observedGeneration"),
        ({"conditions": [condition]}, "status.conditions[0].reason"),
        ({"conditions": [{**condition, "reason": "R", "status": "Yes"}]}, "status.conditions[0].status"),
        ({"conditions": [{**condition, "reason": "R"}] * 2}, "status.conditions[1]"),
    ):
        status, answer = send(
            seal_plane, "PATCH", f"{COLLECTION}/liar/status", {"status": bad}, content_type="application/merge-patch+json"
        )
        assert status == 422, answer
        assert field in answer["message"]


def test_2000_hosts_with_everything_fit_and_one_more_does_not(seal_plane: Plane) -> None:
    """The rules' cost at the largest object: the API server stops a rule that costs too much."""

    def hosts(count: int) -> list[dict[str, Any]]:
        return [
            {
                "name": f"host-{number}",
                "address": f"10.{1 + number // 65536}.{number // 256 % 256}.{number % 256}",
                "nodeIP": f"172.16.{number // 256}.{number % 256}",
                "roles": ["master", "registry"] if number < 3 else ["node"],
                "labels": {"example.com/rack": f"r{number // 40}"},
            }
            for number in range(count)
        ]

    big = manifest({"hosts": hosts(2000), "images": [{"name": f"i{n}", "ref": f"r.example/i{n}:1"} for n in range(64)]}, "big")
    started = time.monotonic()
    status, answer = send(seal_plane, "POST", COLLECTION, big)
    assert status == 201, answer
    assert time.monotonic() - started < 10
    assert parse(answer).spec.masters()[2].name == "host-2"
    status, answer = send(seal_plane, "POST", COLLECTION, manifest({"hosts": hosts(2001)}, "bigger"))
    assert status == 422
    assert "spec.hosts: Too many: 2001: must have at most 2000 items" in answer["message"]


def test_the_largest_object_is_written_and_under_1_mib(seal_plane: Plane) -> None:
    """2,000 hosts, half of them in trouble, with every field of status that can be filled."""
    _, big = send(seal_plane, "GET", f"{COLLECTION}/big")
    spec = parse(big).spec
    full = SealClusterStatus.model_validate_json((ROOT / "tests/unit/api/status.json").read_text())
    row = full.hosts[0]
    rows = [row.model_copy(update={"name": host.name, "address": host.address, "roles": host.roles}) for host in spec.hosts]
    trouble = {"state": HostState.UNREACHABLE, "node_ready": False, "reason": "HostUnreachable", "message": "m" * 256}
    rows[::2] = [row.model_copy(update=trouble) for row in rows[::2]]
    details = {kind: Finding.false(Reason.HOST_UNREACHABLE, "m" * 3000) for kind in ConditionType}
    conditions = set_conditions((), summarize(Account(details=details, applied=True)), 1, NOW)
    step = PlanStep(host="host-1", phase="join-workers", what="w" * 256)
    status_body = compact(
        full.model_copy(
            update={
                "hosts": tuple(rows),
                "conditions": conditions,
                "clusterfile": "- 10.100.100.100:22\n" * 2500,
                "plan": PlanStatus(digest="sha256:0", total=9999, steps=(step,) * MAX_PLAN_STEPS),
            }
        ),
        spec.hosts,
    ).dump()
    body = {"apiVersion": big["apiVersion"], "kind": big["kind"], "metadata": {"name": "big"}, "status": status_body}
    path = f"{COLLECTION}/big/status?fieldManager=sealcluster&force=true"
    status, answer = send(seal_plane, "PATCH", path, body, content_type="application/apply-patch+yaml")
    assert status == 200, answer
    assert answer["status"] == status_body
    assert len(json.dumps(answer, separators=(",", ":"))) < 1 << 20
