"""What docs/gitops.md says of Argo CD and needs no machine, seen with the real one: the test writes the status that an operator would write."""

import json

import pytest
import yaml

from labkit.gitops_platform import PACK, example
from labkit.plane import fresh_plane
from labkit.product import wait_for
from sealab.argocd import NAMESPACE, ArgoCD
from sealab.argocd_git import Repository

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

FILE = "clusters/demo/sealcluster.yaml"
LATER = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "later", "annotations": {"argocd.argoproj.io/sync-wave": "1"}}}
WORKING = {"Reconciling": "True", "Stalled": "False", "Ready": "False"}
STALLED = {"Reconciling": "False", "Stalled": "True", "Ready": "False"}
READY = {"Reconciling": "False", "Stalled": "False", "Ready": "True"}


class Desk:
    """A person with kubectl and Git, and an operator that says what the test wants."""

    def __init__(self, plane, argocd, repository):
        self.plane, self.argocd, self.repository = plane, argocd, repository
        self.cluster = example("cluster/sealcluster.yaml")

    def apply(self, document):
        """kubectl apply, with every mention of a repository replaced by ours."""
        text = json.dumps(document)
        for url in ("https://git.example/platform/clusters.git", "https://git.example/platform/addons.git"):
            text = text.replace(url, self.repository.url)
        self.plane.kubectl("apply", "-f", "-", input=text)

    def patch(self, kind, name, namespace, body, *more):
        self.plane.kubectl("patch", kind, name, "-n", namespace, "--type=merge", "-p", json.dumps(body), *more)

    def seen(self, kind, name, namespace):
        done = self.plane.kubectl("get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found")
        return json.loads(done.stdout or "{}")

    def seal(self):
        return self.seen("sealcluster", "demo", "clusters")

    def generation(self):
        return self.seal().get("metadata", {}).get("generation")

    def says(self, conditions):
        """The operator's status about the spec as it is now."""
        rows = [
            {"type": t, "status": s, "reason": "Lab", "message": "lab", "lastTransitionTime": "2026-01-01T00:00:00Z"}
            for t, s in conditions.items()
        ]
        self.patch(
            "sealcluster",
            "demo",
            "clusters",
            {"status": {"observedGeneration": self.generation(), "conditions": rows}},
            "--subresource=status",
        )

    def app(self, name="cluster-demo"):
        return self.seen("application", name, NAMESPACE)

    def state(self):
        """Sync, health and the running operation of the Application."""
        status = self.app().get("status", {})
        operation = status.get("operationState", {})
        return {
            "sync": status.get("sync", {}).get("status"),
            "health": status.get("health", {}).get("status"),
            "phase": operation.get("phase"),
            "message": operation.get("message", ""),
        }

    def until(self, what, look, seconds=90):
        def look_while_it_runs():
            self.argocd.check()
            return look()

        try:
            return wait_for(what, look_while_it_runs, seconds, every=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.app()}\n{self.seal()}") from None

    def until_state(self, **wanted):
        self.until(f"the Application to be {wanted}", lambda: wanted.items() <= self.state().items())

    def looked_again(self):
        """Argo CD has looked at the repository and at the objects twice more."""
        for _ in range(2):
            before = self.app()["status"]["reconciledAt"]
            self.until("another look", lambda then=before: self.app()["status"]["reconciledAt"] != then)

    def terminate(self):
        """What `argocd app terminate-op` does."""
        self.patch("application", "cluster-demo", NAMESPACE, {"status": {"operationState": {"phase": "Terminating"}}})


@pytest.fixture
def desk(tmp_path):
    with fresh_plane() as plane:
        plane.install(PACK.parents[1] / "crds", "/apis/sealcluster.io/v1alpha1/namespaces/default/sealclusters")
        argocd = ArgoCD.install(plane)
        plane.kubectl("-n", NAMESPACE, "patch", "configmap", "argocd-cm", "--patch-file", str(PACK / "argocd-cm.yaml"))
        argocd.start()
        yield Desk(plane, argocd, Repository.create(tmp_path / "repository"))


def test_a_directory_becomes_an_application_and_a_registration_another(desk):
    desk.repository.commit("a cluster", {FILE: yaml.safe_dump(desk.cluster), "base/config.yaml": yaml.safe_dump(LATER)})
    desk.apply(example("applicationset.yaml"))
    desk.apply(example("addons.yaml"))
    desk.until("the directory to be applied", desk.seal)
    desk.says(READY)
    desk.until_state(sync="Synced", health="Healthy")

    labels = {"argocd.argoproj.io/secret-type": "cluster", "app.kubernetes.io/managed-by": "sealcluster"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "registration", "namespace": NAMESPACE, "labels": labels}}
    desk.apply(secret | {"stringData": {"name": "clusters.demo", "server": "https://192.0.2.11:6443", "config": "{}"}})
    desk.until("an Application for the registered cluster", lambda: desk.app("addons-clusters.demo"))
    assert desk.app("addons-clusters.demo")["spec"]["destination"]["name"] == "clusters.demo"
    desk.plane.kubectl("delete", "secret", "registration", "-n", NAMESPACE)
    desk.until("that Application to go with the registration", lambda: not desk.app("addons-clusters.demo"))

    desk.repository.commit("no directory", {FILE: None})
    desk.until("the directory's Application to go", lambda: not desk.app())
    assert "deletionTimestamp" not in desk.seal()["metadata"]


def test_pauses_stay_commits_wait_and_nothing_goes_by_accident(desk):
    def commit(message, **files):
        known = {"cluster": FILE, "later": "clusters/demo/later.yaml", "note": "clusters/demo/README"}
        desk.repository.commit(message, {known[name]: text for name, text in files.items()})

    commit("a cluster", cluster=yaml.safe_dump(desk.cluster), later=yaml.safe_dump(LATER))
    desk.apply(example("application.yaml"))
    desk.until("the first commit to be applied", desk.seal)
    desk.says(STALLED)
    desk.until("the sync to fail", lambda: "tasks completed unsuccessfully. Retrying" in desk.state()["message"])
    assert desk.state()["health"] == "Degraded"
    # what heals without a commit is waited for again
    desk.says(WORKING)
    waits = "waiting for healthy state of sealcluster.io/SealCluster/demo"
    desk.until_state(health="Missing", phase="Running", message=waits)

    # a commit waits for the one before, unless somebody ends that waiting
    desk.cluster["spec"]["deletionPolicy"] = "Reset"
    commit("another policy", cluster=yaml.safe_dump(desk.cluster))
    desk.looked_again()
    assert desk.generation() == 1
    desk.terminate()
    desk.until("the second commit to be applied", lambda: desk.generation() == 2)
    assert not desk.seen("configmap", "later", "clusters")
    desk.says(READY)
    desk.until_state(sync="Synced", health="Healthy", phase="Succeeded")
    assert desk.seen("configmap", "later", "clusters")

    # what a person paused stays so, and is not a difference from Git
    desk.patch("sealcluster", "demo", "clusters", {"spec": {"paused": True}})
    desk.until_state(sync="Synced", health="Suspended")
    desk.looked_again()
    assert desk.seal()["spec"]["paused"] is True
    desk.patch("sealcluster", "demo", "clusters", {"spec": {"paused": False}})
    desk.says(READY)
    desk.until_state(sync="Synced", health="Healthy")

    # who puts a file back ends the question whether its object may go
    commit("no cluster", cluster=None)
    desk.until_state(phase="Running", message="Waiting for pruning confirmation of sealcluster.io/v1alpha1/SealCluster/demo")
    commit("the cluster again", cluster=yaml.safe_dump(desk.cluster))
    desk.until_state(sync="Synced", phase="Running")
    desk.terminate()
    desk.until_state(sync="Synced", health="Healthy", phase="Failed", message="Operation terminated")

    # an empty directory takes nothing away
    commit("nothing", cluster=None, later=None, note="empty")
    refused = "auto-sync will wipe out all resources"
    desk.until("the refusal", lambda: refused in json.dumps(desk.app()["status"].get("conditions", [])))
    desk.looked_again()
    assert "deletionTimestamp" not in desk.seal()["metadata"]
    assert desk.seen("configmap", "later", "clusters")
