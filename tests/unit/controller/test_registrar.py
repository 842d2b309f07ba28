"""Ready clusters in Argo CD: who is registered, when, and when not any more. On the strict fake API, in virtual time."""

import asyncio
import base64
import json
from pathlib import Path

import pytest

from sealcluster.api.cluster import ARGOCD_LABEL
from sealcluster.controller.registrar import REFRESH, Registering, Registrar
from sealcluster.kube.argocd import ArgoClusters, secret_name
from sealcluster.kube.client import KubeClient
from sealcluster.kube.management import KubeManagement
from sealcluster.kube.resources import SEALCLUSTERS, SECRETS
from sealcluster.render.kubeconfig import admin_kubeconfig
from sealcluster.testing.clock import VirtualClock, run
from sealcluster.testing.fakekube import FakeKube

CRD = Path(__file__).parents[3] / "crds/sealclusters.sealcluster.io.yaml"
SPEC = {"images": [{"name": "k", "ref": "r.example/k:v1"}], "hosts": [{"name": "m1", "address": "10.0.0.1", "roles": ["master"]}]}


EVIL = "https://kubernetes.default.svc"
"""What a tenant that may write the status says where its cluster is."""


def kubeconfig(server="https://10.0.0.1:6443", certificate="CERT"):
    return admin_kubeconfig("demo", server, "apiserver.cluster.local", "CA", certificate, "KEY")


BOMB = kubeconfig().replace(
    "tls-server-name: apiserver.cluster.local",
    "tls-server-name: &a0 [x, x]\n" + "".join(f"    k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)),
)


class World:
    """A management plane with one SealCluster and Argo CD's namespace."""

    def __init__(self) -> None:
        self.kube = FakeKube(VirtualClock(), CRD)
        self.client = KubeClient(self.kube)
        self.endpoint = ""
        self.registrar = self.start()

    def start(self, namespaces=()):
        return Registrar(self.client, VirtualClock(), "argocd", lambda *_key: self.endpoint, namespaces)

    async def make(self, labels=None):
        body = {"metadata": {"name": "demo", "labels": labels or {}}, "spec": SPEC}
        self.body = await self.client.create(SEALCLUSTERS, body, "tenant")
        await KubeManagement(self.client, "tenant", "demo").save_kubeconfig(kubeconfig())

    def see(self, ready=False, endpoint="https://10.0.0.1:6443", labels=None, deleting=False):
        """An event about the object, whose engine has found its API at `endpoint`."""
        self.endpoint = endpoint or ""
        conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
        metadata = {**self.body["metadata"], "labels": {ARGOCD_LABEL: "true"} if labels is None else labels}
        if deleting:
            metadata["deletionTimestamp"] = "2027-01-15T08:00:00Z"
        self.registrar.seen({**self.body, "metadata": metadata, "status": {"conditions": conditions, "endpoint": EVIL}})

    async def tamper(self, text):
        """The tenant writes the Secret in its own namespace; the labels stay."""
        data = {"value": base64.b64encode(text.encode()).decode()}
        await self.client.patch(SECRETS, "demo-kubeconfig", {"data": data}, "tenant")

    async def found(self, seconds=5.0):
        """The cluster Secret after a while, decoded; None: there is none."""
        await asyncio.sleep(seconds)
        found = self.kube.store.objects.get(("secrets", "argocd", secret_name("tenant", "demo")))
        return found and {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


def story(tell):
    async def main():
        world = World()
        await world.make()
        try:
            await tell(world)
        finally:
            await world.registrar.close()

    run(main(), limit=100_000)


def test_a_ready_cluster_is_registered_with_what_argo_cd_needs():
    async def tell(world):
        world.see()
        assert await world.found() is None
        world.see(ready=True)
        found = await world.found()
        assert (found["name"], found["server"]) == ("tenant.demo", "https://10.0.0.1:6443")
        assert json.loads(found["config"]) == {
            "tlsClientConfig": {
                "insecure": False,
                "serverName": "apiserver.cluster.local",
                "caData": base64.b64encode(b"CA").decode(),
                "certData": base64.b64encode(b"CERT").decode(),
                "keyData": base64.b64encode(b"KEY").decode(),
            }
        }
        labels = world.kube.store.objects["secrets", "argocd", secret_name("tenant", "demo")]["metadata"]["labels"]
        assert labels["argocd.argoproj.io/secret-type"] == "cluster"
        assert ARGOCD_LABEL not in labels

    story(tell)


def test_it_follows_the_masters_and_renewed_certificates():
    async def tell(world):
        world.see(ready=True)
        await world.found()
        management = KubeManagement(world.client, "tenant", "demo")
        await management.save_kubeconfig(kubeconfig("https://10.0.0.2:6443"))
        world.see(ready=False, endpoint="https://10.0.0.2:6443")  # sick, and still registered
        assert (await world.found())["server"] == "https://10.0.0.2:6443"
        await management.save_kubeconfig(kubeconfig("https://10.0.0.2:6443", "RENEWED"))
        renewed = json.loads((await world.found(2 * REFRESH))["config"])["tlsClientConfig"]
        assert base64.b64decode(renewed["certData"]) == b"RENEWED"
        count = len(world.kube.requests)
        for _ in range(50):
            world.see(ready=True, endpoint="https://10.0.0.2:6443")
        await asyncio.sleep(5)
        assert len(world.kube.requests) == count

    story(tell)


def test_a_tenant_cannot_choose_the_server_that_argo_cd_speaks_to():
    async def tell(world):
        await world.tamper(kubeconfig(EVIL))
        world.see(ready=True)
        assert (await world.found())["server"] == "https://10.0.0.1:6443"
        world.see(ready=True, endpoint=None)  # sick: where it was found last
        assert (await world.found(2 * REFRESH))["server"] == "https://10.0.0.1:6443"

    story(tell)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "nonsense: true",
        "[" * 10_000,
        "",
        BOMB,
        "x" * 200_000,
        kubeconfig().replace("    client-key-data:", "    exec: {command: sh}\n    client-key-data:"),
        kubeconfig().replace("    client-key-data:", "    tokenFile: /var/run/secrets/token\n    client-key-data:"),
        kubeconfig().replace("    server:", "    insecure-skip-tls-verify: true\n    server:"),
        kubeconfig().replace("    server:", "    proxy-url: http://x\n    server:"),
    ],
    ids=["no kubeconfig", "deep", "empty", "a bomb", "long", "a program", "a file", "no check", "a proxy"],
)
def test_what_is_no_kubeconfig_of_ours_is_not_registered_until_it_is_mended(text, caplog):
    async def tell(world):
        await world.tamper(text)
        world.see(ready=True)
        assert await world.found() is None
        assert "reading the kubeconfig in Secret tenant/demo-kubeconfig" in caplog.text
        await world.tamper(kubeconfig())
        assert await world.found(60) is not None

    story(tell)


@pytest.mark.parametrize("how", ["unlabelled", "deleted", "gone"])
def test_it_goes(how):
    async def tell(world):
        world.see(ready=True)
        assert await world.found()
        if how == "gone":
            world.registrar.gone("tenant", "demo")
        else:
            world.see(ready=True, labels={} if how == "unlabelled" else None, deleting=how == "deleted")
        assert await world.found() is None

    story(tell)


def test_who_did_not_ask_is_not_registered():
    async def tell(world):
        for labels in ({}, {ARGOCD_LABEL: "false"}, {ARGOCD_LABEL: ""}):
            world.see(ready=True, labels=labels)
            assert await world.found() is None
        assert {path for method, path in world.kube.requests if method != "GET"} <= {
            "/apis/sealcluster.io/v1alpha1/namespaces/tenant/sealclusters",
            "/api/v1/namespaces/tenant/secrets",
        }

    story(tell)


def test_an_operator_that_has_not_looked_yet_registers_nothing_and_does_once_it_has():
    async def tell(world):
        world.see(ready=True, endpoint=None)
        assert await world.found() is None
        world.endpoint = "https://10.0.0.1:6443"  # no event comes of it: the status was true all the time
        assert (await world.found(60))["server"] == "https://10.0.0.1:6443"

    story(tell)


def test_another_operator_finds_it_as_it_is():
    async def tell(world):
        world.see(ready=True)
        await world.found()
        await world.registrar.close()
        world.registrar = world.start()
        version = world.kube.store.version
        world.see(ready=False)  # not Ready at the moment: what was registered stays
        assert await world.found()
        world.see(ready=True)
        assert await world.found()
        assert world.kube.store.version == version

    story(tell)


def test_what_went_while_nobody_watched_is_swept_up():
    async def tell(world):
        world.see(ready=True)
        await world.found()
        await ArgoClusters(world.client, "argocd").put("other", "demo", "https://10.0.0.9:6443", kubeconfig())
        await world.registrar.close()
        del world.kube.store.objects["sealclusters", "tenant", "demo"]
        world.registrar = world.start(["tenant"])
        assert await world.found() is None
        assert ("secrets", "argocd", secret_name("other", "demo")) in world.kube.store.objects  # another operator's namespace

    story(tell)


def test_a_secret_of_somebody_else_is_left_alone():
    async def tell(world):
        name = secret_name("tenant", "demo")
        body = {"metadata": {"name": name}, "stringData": {"server": "mine"}}
        await world.kube.request("POST", f"{world.kube.server}/api/v1/namespaces/argocd/secrets", doing="", body=body)
        world.see(ready=True)
        assert await world.found() == {"server": "mine"}
        world.see(labels={})
        assert await world.found() == {"server": "mine"}

    story(tell)


def test_a_plane_that_is_away_for_a_while():
    async def tell(world):
        world.kube.down = True
        world.see(ready=True)
        await asyncio.sleep(300)
        world.kube.down = False
        assert await world.found(300)

    story(tell)


def test_both_are_told():
    async def tell(world):
        told = []

        class Inner:
            healthy = True

            def object_seen(self, body):
                told.append(body["metadata"]["name"])

            def object_gone(self, namespace, name):
                told.append(f"{name} gone")

            def reports(self):
                return ["report"]

            def traffic(self):
                return {"commands": 1}

            def durations(self):
                return {("guests", "finished"): "histogram"}

            async def close(self):
                told.append("closed")

        both = Registering(Inner(), world.start())
        both.object_seen({**world.body, "status": {}})
        both.object_gone("tenant", "demo")
        assert (both.healthy, both.reports(), both.traffic()) == (True, ["report"], {"commands": 1})
        assert both.durations() == {("guests", "finished"): "histogram"}
        await both.close()
        assert told == ["demo", "demo gone", "closed"]

    story(tell)
