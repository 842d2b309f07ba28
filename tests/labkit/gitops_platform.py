"""A platform by GitOps: management plane, operator, repository and Argo CD, what people write there and what they are shown."""

import base64
import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import yaml

from labkit.cluster import Cluster
from labkit.gitops_verdicts import Object
from labkit.manifests import ROOT
from labkit.product import Managed, wait_for
from sealab.argocd import NAMESPACE, ArgoCD
from sealab.argocd_git import Repository

PACK = ROOT / "examples" / "argocd"
APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications"
IMAGES = ("kubernetes:v1.34.4", "lab-cni:v1")


def example(name: str) -> Object:
    """A document of our pack, as it lies there."""
    found: Object = yaml.safe_load((PACK / name).read_text())
    return found


class Platform:
    """Everything runs already; objects are those of the examples, with the lab's addresses."""

    def __init__(self, here: Managed, argocd: ArgoCD, repository: Repository) -> None:
        self.here, self.plane, self.argocd, self.repository = here, here.plane, argocd, repository
        self.namespace: str = example("application.yaml")["spec"]["destination"]["namespace"]
        self.since = time.monotonic()
        self.spans: list[tuple[str, float]] = []
        """What was waited for, and how long it took since `since`."""
        self.plane.kubectl("create", "namespace", self.namespace)
        login = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "lab-ssh", "namespace": self.namespace}}
        self.apply(login | {"stringData": {"ssh-privatekey": here.site.key.read_text()}})

    # --- what people write -------------------------------------------------------------------------------------------
    def sealcluster(self, masters: Sequence[str], workers: Sequence[str] = (), name: str = "demo") -> Object:
        """The example of a cluster in Git, on machines and with images of the lab."""
        document = example("cluster/sealcluster.yaml")
        document["metadata"]["name"] = name
        document["metadata"]["labels"] = {"sealcluster.io/argocd": "true"}
        document["spec"] = self.here.site.document(masters, workers, images=IMAGES)["spec"]
        return document

    def application(self, name: str) -> Object:
        """The example of an Application, for clusters/NAME."""
        document = example("application.yaml")
        document["metadata"]["name"] = f"cluster-{name}"
        document["spec"]["source"] |= {"repoURL": self.repository.url, "path": f"clusters/{name}"}
        return document

    def guests(self) -> Object:
        """The ApplicationSet for what every registered cluster gets; it makes `addons-<namespace>.<name>`."""
        document = example("addons.yaml")
        document["spec"]["template"]["spec"]["source"]["repoURL"] = self.repository.url
        return document

    def commit(self, message: str, directory: str, **documents: Object | None) -> str:
        """Commit files of a directory (None: a file that goes); returns the revision."""
        files = {f"{directory}/{name}.yaml": yaml.safe_dump(document) if document else None for name, document in documents.items()}
        self.since = time.monotonic()
        return self.repository.commit(message, files)

    def apply(self, document: Object) -> None:
        """kubectl apply."""
        self.plane.kubectl("apply", "-f", "-", input=json.dumps(document))

    def confirm(self, application: str) -> None:
        """What the button and `argocd app confirm-deletion` do."""
        self.since = time.monotonic()
        note = f"argocd.argoproj.io/deletion-approved={datetime.now(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}"
        self.plane.kubectl("annotate", "application", application, "-n", NAMESPACE, "--overwrite", note)

    # --- what they see -----------------------------------------------------------------------------------------------
    def seen(self, kind: str, name: str, namespace: str = "") -> Object:
        """The object; an empty one when there is none."""
        done = self.plane.kubectl("get", kind, name, "-n", namespace or self.namespace, "-o", "json", "--ignore-not-found")
        found: Object = json.loads(done.stdout or "{}")
        return found

    def app(self, name: str) -> Object:
        """An Application."""
        return self.seen("application", name, NAMESPACE)

    def seal(self, name: str) -> Object:
        """A SealCluster."""
        return self.seen("sealcluster", name)

    def registration(self, name: str) -> Object:
        """Argo CD's Secret of a cluster."""
        return self.seen("secret", f"sealcluster-{self.namespace}.{name}", NAMESPACE)

    def cluster(self, name: str) -> Cluster:
        """A new cluster from outside."""
        file = self.here.site.folder / f"{name}.kubeconfig"
        file.write_bytes(base64.b64decode(self.seen("secret", f"{name}-kubeconfig")["data"]["value"]))
        return Cluster(file)

    def stalled(self, name: str) -> str:
        """What the SealCluster itself says is in the way."""
        conditions = self.seal(name)["status"]["conditions"]
        return str(next(c["message"] for c in conditions if c["type"] == "Stalled" and c["status"] == "True"))

    def shown(self, name: str) -> Object:
        """Health and message of the SealCluster, as Argo CD shows it."""
        rows = self.app(f"cluster-{name}").get("status", {}).get("resources", [])
        return next((row.get("health", {}) for row in rows if (row["kind"], row["name"]) == ("SealCluster", name)), {})

    def synced(self, name: str, revision: str, health: str) -> bool:
        """The Application of a cluster is of this health about this revision, and all of it is applied."""
        status = self.app(f"cluster-{name}").get("status", {})
        sync = status.get("sync", {})
        return (sync.get("status"), sync.get("revision"), status.get("health", {}).get("status")) == ("Synced", revision, health)

    def health(self, name: str) -> str:
        """Health of the Application of a cluster."""
        return str(self.app(f"cluster-{name}").get("status", {}).get("health", {}).get("status"))

    def until(self, what: str, look: Callable[[], Any], seconds: float = 120) -> Any:
        """Wait, note how long it took, and on failure tell what everybody says."""

        def look_while_all_run() -> Any:
            self.argocd.check()
            operator = self.here.operator.process
            assert operator is not None, "the operator runs"
            assert operator.poll() is None, "the operator ended by itself"
            return look()

        try:
            found = wait_for(what, look_while_all_run, seconds, every=0.25)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.story()}") from None
        self.spans.append((what, time.monotonic() - self.since))
        return found

    def looked_again(self, application: str) -> None:
        """Two more looks of Argo CD at this Application are over."""
        for number in range(2):
            before = self.app(application)["status"]["reconciledAt"]
            self.until(f"look {number + 1} at {application}", lambda then=before: self.app(application)["status"]["reconciledAt"] != then)

    def story(self) -> str:
        """Everything, for people who read a failure."""
        objects = [*self._all("applications", NAMESPACE), *self._all("sealclusters", self.namespace)]
        logs = {name: self.argocd.last_words(name, 20)[-4000:] for name in self.argocd.processes}
        operator = self.here.operator.log.read_text(errors="replace")[-4000:]
        return f"{json.dumps([obj.get('status') for obj in objects], indent=1)[:20000]}\n{json.dumps(logs, indent=1)}\n{operator}"

    def _all(self, kind: str, namespace: str) -> list[Object]:
        found: list[Object] = json.loads(self.plane.kubectl("get", kind, "-n", namespace, "-o", "json").stdout)["items"]
        return found
