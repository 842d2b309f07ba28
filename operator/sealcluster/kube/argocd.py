"""Argo CD's cluster Secrets: a Ready cluster can be the destination of Applications without anybody copying its kubeconfig."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from sealcluster.core.errors import TerminalError
from sealcluster.kube.client import KubeClient
from sealcluster.kube.published import read_published
from sealcluster.kube.records import CLUSTER_LABEL, MANAGED_BY
from sealcluster.kube.resources import SECRETS
from sealcluster.kube.secretdata import encode

ARGOCD_LABELS = {"argocd.argoproj.io/secret-type": "cluster"}
NAMESPACE_LABEL = "sealcluster.io/namespace"


class ArgoClusters:
    """The cluster Secrets that are ours in Argo CD's namespace."""

    def __init__(self, client: KubeClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def put(self, namespace: str, name: str, server: str, kubeconfig: str) -> bool:
        """Register the cluster of SealCluster `namespace`/`name`, or bring it up to date; False when nothing was to be done.

        TerminalError when somebody else's Secret has that name, or the kubeconfig is none of ours.
        """
        body = cluster_secret(namespace, name, server, kubeconfig)
        found = await self._find(namespace, name)
        if found is None:
            await self._client.create(SECRETS, body, self._namespace)
            return True
        labels = found["metadata"].get("labels") or {}
        if found.get("data") == body["data"] and all(labels.get(k) == v for k, v in body["metadata"]["labels"].items()):
            return False
        metadata = {"resourceVersion": found["metadata"]["resourceVersion"], "labels": body["metadata"]["labels"]}
        await self._client.patch(SECRETS, body["metadata"]["name"], {"metadata": metadata, "data": body["data"]}, self._namespace)
        return True

    async def remove(self, namespace: str, name: str) -> bool:
        """Take it away; False when it was not registered."""
        try:
            found = await self._find(namespace, name)
        except TerminalError:
            return False  # another's: not registered by us
        if found is None:
            return False
        metadata = found["metadata"]
        return await self._client.delete(SECRETS, metadata["name"], self._namespace, uid=metadata["uid"])

    async def registered(self) -> AsyncIterator[tuple[str, str]]:
        """(namespace, name) of every SealCluster that was registered by us."""
        selector = ",".join(f"{key}={value}" for key, value in {**MANAGED_BY, **ARGOCD_LABELS}.items())
        async for item in self._client.pages(SECRETS, self._namespace, labels=selector):
            labels = item["metadata"].get("labels") or {}
            if labels.get(NAMESPACE_LABEL) and labels.get(CLUSTER_LABEL):
                yield labels[NAMESPACE_LABEL], labels[CLUSTER_LABEL]

    async def _find(self, namespace: str, name: str) -> dict[str, Any] | None:
        found = await self._client.find(SECRETS, secret_name(namespace, name), self._namespace)
        if found is None:
            return None
        labels = found["metadata"].get("labels") or {}
        ours = {**MANAGED_BY, NAMESPACE_LABEL: namespace, CLUSTER_LABEL: name}
        if any(labels.get(key) != value for key, value in ours.items()):
            raise TerminalError(
                f"registering {namespace}/{name} in Argo CD: Secret {self._namespace}/{found['metadata']['name']} exists and is not ours",
                reason="StorageRefused",
                hint="remove or rename it",
            )
        return found


def secret_name(namespace: str, name: str) -> str:
    """Neither part can hold a dot, so no two SealClusters share a name."""
    return f"sealcluster-{namespace}.{name}"


def cluster_secret(namespace: str, name: str, server: str, kubeconfig: str) -> dict[str, Any]:
    """The Secret without its namespace. In Argo CD the cluster is called `<namespace>.<name>`.

    `server` is where we found the API of that cluster. The one in the kubeconfig does not count: its Secret is the tenant's, and Argo CD
    tells clusters apart by their servers, so it would be a way to put oneself in the place of another cluster, or of Argo CD's own.
    """
    found = read_published(kubeconfig, f"Secret {namespace}/{name}-kubeconfig")
    tls = {
        "insecure": False,
        "serverName": found.tls_server_name,
        "caData": found.authority,
        "certData": found.certificate,
        "keyData": found.key,
    }
    labels = {**MANAGED_BY, **ARGOCD_LABELS, NAMESPACE_LABEL: namespace, CLUSTER_LABEL: name}
    data = {"name": f"{namespace}.{name}", "server": server, "config": json.dumps({"tlsClientConfig": tls})}
    return {"metadata": {"name": secret_name(namespace, name), "labels": labels}, "type": "Opaque", "data": encode(data)}
