"""The CustomResourceDefinition of SealCluster, generated from the models and checked in under crds/."""

from typing import Any

from sealcluster.api.cluster import GROUP, KIND, PLURAL, VERSION, SealCluster
from sealcluster.api.scalars import DNS_LABEL_PATTERN
from sealcluster.api.schema import structural

_WIDE = 10
"""Priority of columns that only `kubectl get -o wide` prints."""


def crd() -> dict[str, Any]:
    """The whole CustomResourceDefinition as a mapping, ready to be dumped as YAML."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            # `sc` is taken by StorageClass: kubectl would not find a SealCluster under it
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": ["seal"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": _root()},
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": _columns(),
                }
            ],
        },
    }


def _root() -> dict[str, Any]:
    schema = structural(SealCluster)
    properties = schema["properties"]
    properties["apiVersion"] = {"type": "string", "description": "Version of this API."}
    properties["kind"] = {"type": "string", "description": "Kind of the object."}
    properties["metadata"] = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 63, "pattern": DNS_LABEL_PATTERN}},
    }
    status = properties["status"]
    # -1 differs from every generation, so tools wait for the operator instead of taking an object without status for done
    status["default"] = {"observedGeneration": -1}
    del status["properties"]["observedGeneration"]["default"]
    return {**schema, "required": ["metadata", "spec"]}


def _columns() -> list[dict[str, Any]]:
    def column(name: str, path: str, kind: str = "string", *, wide: bool = False) -> dict[str, Any]:
        return {"name": name, "type": kind, "jsonPath": path, **({"priority": _WIDE} if wide else {})}

    ready = '.status.conditions[?(@.type=="Ready")]'
    return [
        column("Ready", f"{ready}.status"),
        column("Phase", ".status.phase"),
        column("Masters", ".status.nodes.masters"),
        column("Workers", ".status.nodes.workers"),
        column("Version", ".status.version"),
        column("Progress", ".status.progress.message"),
        column("Age", ".metadata.creationTimestamp", "date"),
        column("Reason", f"{ready}.reason", wide=True),
        column("Message", f"{ready}.message", wide=True),
        column("Endpoint", ".status.endpoint", wide=True),
        column("Image", ".spec.images[0].ref", wide=True),
        column("Paused", ".spec.paused", "boolean", wide=True),
    ]
