"""The real Argo CD with our pack: a commit makes a cluster, another one a worker, a bad image shows, and nothing goes without a confirmation.

The settings are those of `examples/argocd` as they lie there, and so are Applications, annotations and the Application for a new cluster;
replaced are names and addresses only: of the repository, of machines, of images.
"""

import pytest
import yaml

from labkit.gitops import History
from labkit.gitops_platform import APPLICATIONS, IMAGES, PACK, Platform
from labkit.gitops_verdicts import healths, is_ready, never_early
from labkit.product import touched
from sealab.argocd_git import Repository

pytestmark = [pytest.mark.lab, pytest.mark.timeout(3600)]

LONG = 900
"""Seconds for a creation beside whatever else this computer does."""
GUEST = "addons-clusters.demo"
LATER = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "later", "annotations": {"argocd.argoproj.io/sync-wave": "1"}}}


@pytest.fixture
def platform(managed, argocd, tmp_path):
    here = managed(2, secret=False, images=IMAGES, SEALCLUSTER_ARGOCD_NAMESPACE="argocd")
    running = argocd(here.plane)
    # the command of docs/gitops.md
    patch = str(PACK / "argocd-cm.yaml")
    here.plane.kubectl("-n", "argocd", "patch", "configmap", "argocd-cm", "--patch-file", patch)
    running.start([f"{here.site.lab.machines['m1'].address}:6443"])
    return Platform(here, running, Repository.create(tmp_path / "repository"))


def test_commits_make_grow_break_and_take_away_a_cluster(platform):
    configured = platform.seen("configmap", "argocd-cm", "argocd")["data"]
    shipped = yaml.safe_load((PACK / "argocd-cm.yaml").read_text())["data"]
    assert {key: configured[key] for key in shipped} == shipped
    machines = platform.here.site.lab.machines
    clean = {name: touched(machine) for name, machine in machines.items()}
    clusters = f"/apis/sealcluster.io/v1alpha1/namespaces/{platform.namespace}/sealclusters"
    with History(platform.plane, APPLICATIONS) as applications, History(platform.plane, clusters) as sealclusters:
        first = made(platform)
        an_application_goes_into_it(platform)
        grown = grows(platform)
        broken = breaks(platform)
        mended = is_mended(platform)
        story, demo = applications.of("cluster-demo"), sealclusters.of("demo")
        is_pruned_once_confirmed(platform)
        platform.until("pruned: machines clean", lambda: {name: touched(m) for name, m in machines.items()} == clean)
        goes_with_its_application_once_confirmed(platform)
    said = [healths(story, revision) for revision in (first, grown, broken, mended)]
    print(said)  # noqa: T201 - for who reads a failure, or asks with -s
    for what, seconds in platform.spans:
        print(f"{seconds:7.1f} s  {what}")  # noqa: T201 - likewise
    never_early(story, demo, {first: 1, grown: 2, mended: 4})
    assert [version.obj["metadata"]["generation"] for version in demo][-1] == 4, "nobody but Git writes the spec"
    assert said[0][-2:] == ["Progressing", "Healthy"]
    assert said[1][-2:] == ["Progressing", "Healthy"]
    assert not {"Degraded", "Unknown"} & {*said[0], *said[1]}, "work that goes well alarms nobody"
    assert said[2][-1] == "Degraded"
    assert said[3][-1] == "Healthy"


def made(platform):
    """A commit becomes a cluster, which is registered as a destination."""
    revision = platform.commit("a cluster", "clusters/demo", sealcluster=platform.sealcluster(["m1"]))
    platform.apply(platform.application("demo"))
    platform.until("first commit: applied", lambda: platform.seal("demo"))
    platform.until("first commit: shown as Progressing", lambda: platform.shown("demo").get("status") == "Progressing")
    platform.until("first commit: Ready", lambda: is_ready(platform.seal("demo")), LONG)
    platform.until("first commit: Healthy", lambda: platform.synced("demo", revision, "Healthy"))
    platform.until("first commit: registered", lambda: platform.registration("demo"))
    return revision


def an_application_goes_into_it(platform):
    """Argo CD accepts the registration: what every cluster gets arrives in the new one."""
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "from-git"}, "data": {"said": "hello"}}
    platform.commit("what every cluster gets", "base", config=config)
    platform.apply(platform.guests())
    platform.until("registered: its Application is made", lambda: platform.app(GUEST))
    namespace = platform.app(GUEST)["spec"]["destination"]["namespace"]
    get = ("get", "configmap", "from-git", "-n", namespace, "-o", "jsonpath={.data.said}")
    platform.until("registered: applied into it", lambda: platform.cluster("demo").kubectl(*get, check=False) == "hello")
    platform.until("registered: Synced", lambda: platform.app(GUEST)["status"]["sync"]["status"] == "Synced")


def grows(platform):
    """Another commit adds a worker."""
    revision = platform.commit("a worker", "clusters/demo", sealcluster=platform.sealcluster(["m1"], ["m2"]))
    platform.until("a worker: applied", lambda: platform.seal("demo")["metadata"]["generation"] == 2)
    platform.until("a worker: Ready", lambda: is_ready(platform.seal("demo")), LONG)
    platform.until("a worker: Healthy", lambda: platform.synced("demo", revision, "Healthy"))
    assert platform.cluster("demo").ready_nodes() == {"m1", "m2"}
    return revision


def breaks(platform):
    """An image that does not exist shows with its message; what stands in a later wave does not begin."""
    wanted = platform.sealcluster(["m1"], ["m2"])
    wanted["spec"]["images"][1]["ref"] = platform.here.site.registry.ref("lab-cni:v0-missing")
    revision = platform.commit("no such image", "clusters/demo", sealcluster=wanted, later=LATER)
    platform.until("no such image: Degraded", lambda: platform.health("demo") == "Degraded")
    assert platform.shown("demo") == {"status": "Degraded", "message": platform.stalled("demo")}
    assert "lab-cni:v0-missing" in platform.stalled("demo")
    failed = "one or more synchronization tasks completed unsuccessfully"
    platform.until("no such image: the sync failed", lambda: failed in platform.app("cluster-demo")["status"]["operationState"]["message"])
    assert not platform.seen("configmap", "later")
    assert platform.cluster("demo").ready_nodes() == {"m1", "m2"}
    return revision


def is_mended(platform):
    """The commit that takes it back is not kept waiting by the retries of the one that failed; the later wave follows."""
    revision = platform.commit("the image from before", "clusters/demo", sealcluster=platform.sealcluster(["m1"], ["m2"]))
    platform.until("mended: applied", lambda: platform.seal("demo")["metadata"]["generation"] == 4)
    platform.until("mended: Healthy", lambda: platform.synced("demo", revision, "Healthy"), LONG)
    assert platform.seen("configmap", "later")
    return revision


def is_pruned_once_confirmed(platform):
    """A file that goes from Git takes nothing away before somebody confirms it."""
    platform.commit("no cluster", "clusters/demo", sealcluster=None)
    asks = "Waiting for pruning confirmation of sealcluster.io/v1alpha1/SealCluster/demo"
    platform.until("pruned: asks", lambda: platform.app("cluster-demo")["status"]["operationState"].get("message") == asks)
    platform.looked_again("cluster-demo")
    assert "deletionTimestamp" not in platform.seal("demo")["metadata"]
    assert is_ready(platform.seal("demo"))
    assert platform.registration("demo")
    platform.confirm("cluster-demo")
    platform.until("pruned: being deleted", lambda: "deletionTimestamp" in platform.seal("demo").get("metadata", {"deletionTimestamp": ""}))
    platform.until("pruned: gone", lambda: not platform.seal("demo"), LONG)
    platform.until("pruned: not registered", lambda: not platform.registration("demo"))
    platform.until("pruned: the Application of its add-ons gone", lambda: not platform.app(GUEST))


def goes_with_its_application_once_confirmed(platform):
    """A cluster that cannot begin is Degraded with its message; deleting its Application waits for a confirmation too."""
    spare = platform.sealcluster(["m1"], name="spare")
    spare["spec"]["images"][0]["ref"] = platform.here.site.registry.ref("kubernetes:v0-missing")
    platform.commit("a cluster of an image that does not exist", "clusters/spare", sealcluster=spare)
    platform.apply(platform.application("spare"))
    platform.until("no such rootfs: Degraded", lambda: platform.health("spare") == "Degraded")
    assert platform.shown("spare") == {"status": "Degraded", "message": platform.stalled("spare")}
    assert "kubernetes:v0-missing" in platform.stalled("spare")
    platform.plane.kubectl("delete", "application", "cluster-spare", "-n", "argocd", "--wait=false")
    log = platform.argocd.folder / "controller.log"
    asks = "SealCluster clusters spare} requires manual confirmation to delete"
    platform.until("Application deleted: asks", lambda: asks in log.read_text())
    platform.until("Application deleted: asks again", lambda: log.read_text().count(asks) > 1)
    assert "deletionTimestamp" not in platform.seal("spare")["metadata"]
    platform.confirm("cluster-spare")
    platform.until("Application deleted: SealCluster gone", lambda: not platform.seal("spare"), LONG)
    platform.until("Application deleted: itself gone", lambda: not platform.app("cluster-spare"))
