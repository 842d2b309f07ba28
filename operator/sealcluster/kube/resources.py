"""The kinds of objects that we talk about, as URLs need them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sealcluster.core.errors import TerminalError

_SEGMENT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind in one API version."""

    group: str
    """Empty for the core group."""
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """What goes into an object's `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """URL path of the collection (all namespaces without one), an object, or a subresource.

        Refuses (TerminalError) anything that could leave its path segment: names come from users.
        """
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if self.namespaced and namespace is not None:
            parts += ["namespaces", _segment(namespace, "namespace")]
        parts.append(self.plural)
        if name is not None:
            parts.append(_segment(name, self.kind))
        if subresource is not None:
            parts.append(subresource)
        return "/" + "/".join(parts)


def _segment(text: str, what: str) -> str:
    if not _SEGMENT.fullmatch(text):
        raise TerminalError(
            f"addressing {what} {text!r}: it is not a valid name",
            reason="InvalidSpec",
            hint="use lower case letters, digits, '-' and '.', nothing else",
        )
    return text


SECRETS = Resource("", "v1", "secrets", "Secret")
CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap")
PODS = Resource("", "v1", "pods", "Pod")
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
EVENTS = Resource("events.k8s.io", "v1", "events", "Event")
SEALCLUSTERS = Resource("sealcluster.io", "v1alpha1", "sealclusters", "SealCluster")
