"""The chart on a real API server: what it accepts, what the operator may do with the chart's roles alone, upgrade and uninstall."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract_management import ManagementContract, Put
from labkit.chart import CHART, IMAGE, NAMESPACE, account_kubeconfig, cases, helm, render, values_of
from labkit.crds import COLLECTION
from sealab.errors import LabError
from sealab.plane import Plane
from sealcluster.kube.argocd import ArgoClusters
from sealcluster.kube.client import KubeClient
from sealcluster.kube.management import KubeManagement
from sealcluster.kube.resources import CONFIGMAPS, NAMESPACES, SECRETS
from sealcluster.kube.transport import Transport

NUMBERS = count()
TEAMS = ("team-a", "team-b", "argocd")


@pytest.fixture(scope="module")
def plane(module_plane: Plane) -> Plane:
    """A management plane with the namespaces that tests use, the release's under the restricted standard."""
    for name in (NAMESPACE, *TEAMS):
        module_plane.kubectl("create", "namespace", name)
    module_plane.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    return module_plane


@contextmanager
def release(plane: Plane, *words: str, chart: Path = CHART) -> Iterator[None]:
    """The chart installed; its objects and the kind are gone afterwards."""
    run(plane, "install", "sealcluster", str(chart), "--set", IMAGE, *words)
    try:
        wait_for(lambda: plane.get(COLLECTION)[0] == 200, "the kind to be served")
        yield
    finally:
        run(plane, "uninstall", "sealcluster", "--ignore-not-found")
        forget(plane)


def run(plane: Plane, *words: str) -> str:
    return helm(*words, "--namespace", NAMESPACE, kubeconfig=plane.kubeconfig).stdout


def forget(plane: Plane) -> None:
    """Remove the kind with everything of it."""
    for item in items(plane, "sealclusters"):
        where = ("--namespace", item["metadata"]["namespace"], item["metadata"]["name"])
        plane.kubectl("patch", "sealcluster", *where, "--type=merge", "-p", '{"metadata":{"finalizers":null}}', check=False)
    plane.kubectl("delete", "crd", "sealclusters.sealcluster.io", "--ignore-not-found")


def items(plane: Plane, kind: str) -> list[dict[str, Any]]:
    found = plane.kubectl("get", kind, "--all-namespaces", "-o", "json", check=False).stdout
    return list(json.loads(found)["items"]) if found else []


def wait_for(look: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waiting {seconds:.0f} s for {what}"
        time.sleep(0.1)
    return seen


def cluster(name: str = "demo") -> dict[str, Any]:
    """A SealCluster with a machine that refuses every connection."""
    return {
        "apiVersion": "sealcluster.io/v1alpha1",
        "kind": "SealCluster",
        "metadata": {"name": name},
        "spec": {
            "images": [{"name": "kubernetes", "ref": "127.0.0.1:1/kubernetes:v1.34.4"}],
            "hosts": [{"name": "m1", "address": "127.0.0.1", "port": 1, "roles": ["master"]}],
            "ssh": {"credentialsSecretRef": {"name": "login"}, "hostKeys": {"policy": "TrustOnFirstUse"}},
        },
    }


def create(plane: Plane, body: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    done = plane.kubectl("create", "--namespace", namespace, "-o", "json", "-f", "-", input=json.dumps(body))
    return dict(json.loads(done.stdout))


def find(plane: Plane, name: str, namespace: str) -> dict[str, Any]:
    done = plane.kubectl("get", "sealcluster", name, "--namespace", namespace, "-o", "json", check=False)
    return dict(json.loads(done.stdout)) if done.returncode == 0 else {}


# --- what the API server says to the manifests -------------------------------------------------------------------
@pytest.mark.parametrize("case", cases())
def test_the_api_server_takes_every_manifest_to_the_letter(plane: Plane, case: str) -> None:
    known = [m for m in render(*values_of(case)) if not m["apiVersion"].startswith("monitoring.coreos.com/")]
    done = plane.kubectl("create", "--dry-run=server", "--validate=strict", "-o", "name", "-f", "-", input=yaml.safe_dump_all(known))
    assert len(done.stdout.split()) == len(known)
    assert "Warning" not in done.stderr, done.stderr


def pod_of(case: str) -> dict[str, Any]:
    (deployment,) = [m for m in render(*values_of(case)) if m["kind"] == "Deployment"]
    spec = {**deployment["spec"]["template"]["spec"], "serviceAccountName": "default"}
    spec.pop("priorityClassName", None)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "operator", "namespace": NAMESPACE}, "spec": spec}


@pytest.mark.parametrize("case", cases())
def test_the_restricted_standard_admits_the_pod(plane: Plane, case: str) -> None:
    plane.kubectl("create", "--dry-run=server", "-f", "-", input=json.dumps(pod_of(case)))


def test_the_restricted_standard_is_enforced_here(plane: Plane) -> None:
    pod = pod_of("defaults")
    pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    refused = plane.kubectl("create", "--dry-run=server", "-f", "-", input=json.dumps(pod), check=False)
    assert "violates PodSecurity" in refused.stderr


# --- rights ------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="class")
def installed(plane: Plane) -> Iterator[None]:
    with release(plane):
        yield


@pytest.mark.usefixtures("installed")
class TestRecordsWithTheChartsRights(ManagementContract):
    """Everything that the operator does with its records, as the ServiceAccount of the chart."""

    @pytest.fixture
    def kubeconfig(self, plane: Plane, tmp_path: Path) -> Path:
        return account_kubeconfig(plane, tmp_path / "operator.kubeconfig")

    @pytest.fixture
    async def namespace(self, admin: KubeClient) -> str:
        name = f"tenant-{next(NUMBERS)}"
        await admin.create(NAMESPACES, {"metadata": {"name": name}})
        return name

    @pytest.fixture
    async def admin(self, plane: Plane) -> AsyncIterator[KubeClient]:
        transport = await Transport.from_file(plane.kubeconfig)
        yield KubeClient(transport)
        await transport.close()

    @pytest.fixture
    async def management(self, kubeconfig: Path, namespace: str) -> AsyncIterator[KubeManagement]:
        transport = await Transport.from_file(kubeconfig)
        yield KubeManagement(KubeClient(transport), namespace, "demo")
        await transport.close()

    @pytest.fixture
    async def again(self, kubeconfig: Path, namespace: str) -> AsyncIterator[KubeManagement]:
        transport = await Transport.from_file(kubeconfig)
        yield KubeManagement(KubeClient(transport), namespace, "demo")
        await transport.close()

    @pytest.fixture
    def put(self, admin: KubeClient, namespace: str) -> Put:
        async def store(kind: str, name: str, data: Mapping[str, str]) -> None:
            if kind == "Secret":
                await admin.delete(SECRETS, name, namespace)
                await admin.create(SECRETS, {"metadata": {"name": name}, "stringData": dict(data)}, namespace)
            else:
                await admin.create(CONFIGMAPS, {"metadata": {"name": name}, "data": dict(data)}, namespace)

        return store


@contextmanager
def operator(kubeconfig: Path, folder: Path, **settings: str) -> Iterator[Path]:
    """The operator as a process with this identity; gives its log, and ends it as a kubelet would."""
    log = folder / "operator.log"
    mine = {
        "SEALCLUSTER_KUBECONFIG": str(kubeconfig),
        "SEALCLUSTER_LISTEN_ADDRESS": "127.0.0.1",
        "SEALCLUSTER_LISTEN_PORT": "0",
        "SEALCLUSTER_STORE": str(folder / "store"),
        "SEALCLUSTER_ARCHIVES": str(folder / "archives"),
        **settings,
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEALCLUSTER_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sealcluster.controller"],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env={**environment, **mine},
        )
        try:
            yield log
        finally:
            process.terminate()
            assert process.wait(timeout=40) == 0, log.read_text()


@pytest.mark.parametrize("namespaces", [[], ["team-a", "team-b"]], ids=["all", "some"])
def test_the_operator_needs_no_right_that_the_chart_does_not_give(plane: Plane, tmp_path: Path, namespaces: list[str]) -> None:
    with release(plane, "--set-json", f"watch.namespaces={json.dumps(namespaces)}"):
        kubeconfig = account_kubeconfig(plane, tmp_path / "operator.kubeconfig")
        plane.kubectl("delete", "secret", "login", "--namespace", "team-a", "--ignore-not-found")
        plane.kubectl("create", "secret", "generic", "login", "--namespace", "team-a", "--from-literal=password=nobody")
        with operator(kubeconfig, tmp_path, SEALCLUSTER_NAMESPACES=",".join(namespaces)) as log:
            create(plane, cluster(), "team-a")

            def told() -> bool:
                found = find(plane, "demo", "team-a")
                hosts = found.get("status", {}).get("hosts", [])
                return bool(found["metadata"].get("finalizers")) and any(host.get("reason") == "HostUnreachable" for host in hosts)

            try:
                wait_for(told, "the status to tell of the machine")
                wait_for(lambda: [e for e in items(plane, "events.events.k8s.io") if e["reason"] == "HostUnreachable"], "an event")
                plane.kubectl("delete", "sealcluster", "demo", "--namespace", "team-a", "--timeout=60s")
            except (AssertionError, LabError) as error:
                raise AssertionError(f"{error}\n{log.read_text()[-4000:]}") from None
            said = log.read_text().lower()
            assert "forbidden" not in said, said
            assert "grant this verb" not in said, said
        plane.kubectl("delete", "events.events.k8s.io", "--all", "--namespace", "team-a")


def test_an_operator_for_some_namespaces_can_do_nothing_in_others(plane: Plane, tmp_path: Path) -> None:
    with release(plane, "--set", "watch.namespaces={team-a}"):
        account = f"system:serviceaccount:{NAMESPACE}:sealcluster"

        def may(verb: str, what: str, *where: str) -> bool:
            return plane.kubectl("auth", "can-i", verb, what, *where, f"--as={account}", check=False).stdout.strip() == "yes"

        assert may("get", "secrets", "--namespace=team-a")
        for verb in ("list", "watch", "update", "deletecollection"):
            assert not may(verb, "secrets", "--namespace=team-a"), verb
        for place in ("team-b", NAMESPACE, "kube-system"):
            assert not may("get", "secrets", f"--namespace={place}"), place
            assert not may("list", "sealclusters.sealcluster.io", f"--namespace={place}"), place
        for what in ("nodes", "namespaces", "pods", "customresourcedefinitions.apiextensions.k8s.io"):
            assert not may("get", what, "--all-namespaces"), what


async def test_the_operator_may_register_clusters_in_argo_cd_where_it_was_told(plane: Plane, tmp_path: Path) -> None:
    kubeconfig = plane.kubeconfig.read_text()
    user = {"client-certificate-data": "Yw==", "client-key-data": "aw=="}
    there = {"server": "https://10.0.0.1:6443", "certificate-authority-data": "Y2E=", "tls-server-name": "apiserver.cluster.local"}
    config = {**yaml.safe_load(kubeconfig), "clusters": [{"name": "c", "cluster": there}], "users": [{"name": "u", "user": user}]}
    with release(plane, "--set", "watch.namespaces={team-a},argocd.namespace=team-b"):
        transport = await Transport.from_file(account_kubeconfig(plane, tmp_path / "operator.kubeconfig"))
        try:
            argo = ArgoClusters(KubeClient(transport), "team-b")
            assert await argo.put("team-a", "demo", "https://10.0.0.1:6443", yaml.safe_dump(config))
            assert await argo.put("team-a", "demo", "https://10.0.0.2:6443", yaml.safe_dump(config))
            assert [key async for key in argo.registered()] == [("team-a", "demo")]
            assert await argo.remove("team-a", "demo")
        finally:
            await transport.close()


# --- upgrade and uninstall ---------------------------------------------------------------------------------------
def newer(folder: Path, version: str) -> Path:
    """The chart as a later release would be."""
    chart = folder / "sealcluster"
    shutil.copytree(CHART, chart)
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    (chart / "Chart.yaml").write_text(yaml.safe_dump({**about, "version": version, "appVersion": version}))
    return chart


def crd_labels(plane: Plane) -> dict[str, str]:
    found = json.loads(plane.kubectl("get", "crd", "sealclusters.sealcluster.io", "-o", "json").stdout)
    return dict(found["metadata"]["labels"])


def test_upgrade_rollback_and_uninstall_leave_clusters_alone(plane: Plane, tmp_path: Path) -> None:
    with release(plane):
        made = create(plane, cluster(), "team-b")
        run(plane, "upgrade", "sealcluster", str(newer(tmp_path, "9.9.9")), "--set", IMAGE)
        assert crd_labels(plane)["helm.sh/chart"] == "sealcluster-9.9.9"
        deployment = json.loads(plane.kubectl("get", "deployment", "sealcluster", "-n", NAMESPACE, "-o", "json").stdout)
        assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/sealcluster-operator:9.9.9"
        assert find(plane, "demo", "team-b")["metadata"]["uid"] == made["metadata"]["uid"]
        run(plane, "rollback", "sealcluster", "1")
        assert find(plane, "demo", "team-b")["metadata"]["uid"] == made["metadata"]["uid"]
        run(plane, "uninstall", "sealcluster")
        assert find(plane, "demo", "team-b")["metadata"]["uid"] == made["metadata"]["uid"]
        left = plane.kubectl("get", "deployments,serviceaccounts,services,configmaps", "-n", NAMESPACE, "-o", "name").stdout.split()
        assert set(left) == {"serviceaccount/default", "configmap/kube-root-ca.crt"}
        run(plane, "install", "sealcluster", str(CHART), "--set", IMAGE)
        assert find(plane, "demo", "team-b")["metadata"]["uid"] == made["metadata"]["uid"]


def test_a_release_that_does_not_keep_the_kind_takes_it_along(plane: Plane) -> None:
    with release(plane, "--set", "crds.keep=false"):
        run(plane, "uninstall", "sealcluster")
        wait_for(lambda: plane.get(COLLECTION)[0] == 404, "the kind to be gone")


def test_helms_notes_say_what_to_do_next(plane: Plane) -> None:
    notes = run(plane, "install", "sealcluster", str(CHART), "--dry-run=client", "--set", IMAGE)
    assert f"kubectl --namespace {NAMESPACE} rollout status deployment sealcluster" in notes
    assert "It may read and write Secrets in all namespaces" in notes
