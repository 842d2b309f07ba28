"""Between kubeadm's API versions: every document is read into one form (that of v1beta4), merged there, and written in the cluster's.

Which version a cluster reads follows from its minor alone; a user's document may be in either, and says so by its apiVersion
(without one, both spellings are taken).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from sealcluster.render.kubeadm_inputs import V1BETA4_MINOR, Document, FieldError, KubeadmDocuments
from sealcluster.render.kubeadm_schema import ARGS, HAVE_COUNTERPART, ONLY_V1BETA3, ONLY_V1BETA4, SCHEMA

V1BETA3 = "kubeadm.k8s.io/v1beta3"
V1BETA4 = "kubeadm.k8s.io/v1beta4"
KINDS = {"cluster": "ClusterConfiguration", "init": "InitConfiguration", "join": "JoinConfiguration"}


def api_version(minor: int) -> str:
    """The kubeadm API that this minor is given."""
    return V1BETA4 if minor >= V1BETA4_MINOR else V1BETA3


def read_documents(documents: KubeadmDocuments, where: str, minor: int) -> dict[str, dict[str, Any]]:
    """The kubeadm documents (keys of `KINDS`) in one form; `where` leads the path in errors (``spec.kubeadm``).

    Unknown fields, fields of the other API version, wrong shapes and what this minor cannot do are `FieldError`s.
    """
    read = {
        key: _Reader(f"{where}.{key}", kind, minor).read(document)
        for key, document in documents.items()
        if (kind := KINDS.get(key)) is not None
    }
    _move_control_plane_timeout(read, minor)
    return read


def _move_control_plane_timeout(read: dict[str, dict[str, Any]], minor: int) -> None:
    """v1beta3's apiServer.timeoutForControlPlane is a timeout of init and join in v1beta4."""
    timeout = read["cluster"].get("apiServer", {}).pop("timeoutForControlPlane", None)
    if timeout is None:
        return
    for key in ("init", "join") if minor >= V1BETA4_MINOR else ("init",):
        read[key].setdefault("timeouts", {}).setdefault("controlPlaneComponentHealthCheck", timeout)


class _Reader:
    """Reads one document; carries what every error needs to say."""

    def __init__(self, where: str, kind: str, minor: int) -> None:
        self.where = where
        self.kind = kind
        self.minor = minor
        self.declared = ""

    def read(self, document: Document) -> dict[str, Any]:
        body = dict(document)
        kind = body.pop("kind", self.kind)
        self.declared = body.pop("apiVersion", "")
        if kind != self.kind:
            raise FieldError(f"{self.where}.kind", f"is {kind!r}, expected {self.kind}")
        if self.declared not in ("", V1BETA3, V1BETA4):
            raise FieldError(f"{self.where}.apiVersion", f"is {self.declared!r}, expected {V1BETA3} or {V1BETA4}")
        read = self._object(body, SCHEMA[self.kind], "")
        timeout = read.get("discovery", {}).pop("timeout", None)
        if timeout is not None:
            read.setdefault("timeouts", {}).setdefault("discovery", timeout)
            if not read["discovery"]:
                del read["discovery"]
        return read

    def _object(self, value: Any, schema: Mapping[str, Any], path: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise FieldError(self._at(path), "must be a map")
        read = {}
        for name, item in value.items():
            below = f"{path}.{name}" if path else str(name)
            if name not in schema:
                raise FieldError(self._at(below), f"no such field in {self.kind}")
            if item is None:
                continue
            self._check_version(below)
            read[name] = self._value(item, schema[name], below)
        return read

    def _value(self, value: Any, schema: Any, path: str) -> Any:
        if isinstance(schema, Mapping):
            return self._object(value, schema, path)
        if schema == ARGS:
            return self._arguments(value, path)
        if schema == "list" and not isinstance(value, list | tuple):
            raise FieldError(self._at(path), "must be a list")
        if schema in ("text", "number", "flag") and isinstance(value, Mapping | list | tuple):
            raise FieldError(self._at(path), f"must be a {schema}")
        return copy.deepcopy(list(value) if isinstance(value, tuple) else value)

    def _check_version(self, path: str) -> None:
        if self.declared != V1BETA4 and path in ONLY_V1BETA3[self.kind]:
            return
        if path in ONLY_V1BETA3[self.kind]:
            raise FieldError(self._at(path), "is a field of v1beta3, the document says v1beta4")
        if path not in ONLY_V1BETA4[self.kind]:
            return
        if self.declared == V1BETA3:
            raise FieldError(self._at(path), "is a field of v1beta4, the document says v1beta3")
        if self.minor < V1BETA4_MINOR and path not in HAVE_COUNTERPART[self.kind]:
            raise FieldError(self._at(path), f"needs Kubernetes v1.{V1BETA4_MINOR} or later, this cluster is v1.{self.minor}")

    def _arguments(self, value: Any, path: str) -> list[dict[str, str]]:
        """Flags as a list of name and value, whichever way they were written; values become text."""
        if isinstance(value, Mapping):
            if self.declared == V1BETA4:
                raise FieldError(self._at(path), "must be a list of {name, value} in v1beta4")
            pairs = [(str(name), item) for name, item in value.items()]
        elif isinstance(value, list | tuple):
            if self.declared == V1BETA3:
                raise FieldError(self._at(path), "must be a map of flag to value in v1beta3")
            if not all(isinstance(entry, Mapping) and set(entry) == {"name", "value"} for entry in value):
                raise FieldError(self._at(path), "every entry must have exactly name and value")
            pairs = [(str(entry["name"]), entry["value"]) for entry in value]
        else:
            raise FieldError(self._at(path), "must be flags: a map (v1beta3) or a list of {name, value} (v1beta4)")
        if self.minor < V1BETA4_MINOR:
            names = [name for name, _ in pairs]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice:
                raise FieldError(f"{self._at(path)}.{twice}", f"is given twice, which needs Kubernetes v1.{V1BETA4_MINOR} or later")
        return [{"name": name, "value": self._text(item, f"{path}.{name}")} for name, item in pairs]

    def _text(self, value: Any, path: str) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str | int | float):
            return str(value)
        raise FieldError(self._at(path), "must be a text")

    def _at(self, path: str) -> str:
        return f"{self.where}.{path}" if path else self.where


def write_documents(read: Mapping[str, dict[str, Any]], minor: int) -> dict[str, dict[str, Any]]:
    """Documents of the one form, in the API version of `minor`, with apiVersion and kind; input is not changed."""
    written = {key: copy.deepcopy(document) for key, document in read.items()}
    if minor < V1BETA4_MINOR:
        _downgrade(written)
    else:
        for document in written.values():
            _sort_flags(document)
    return {key: {"apiVersion": api_version(minor), "kind": KINDS[key], **document} for key, document in written.items()}


def _downgrade(written: dict[str, dict[str, Any]]) -> None:
    init = written.get("init", {}).pop("timeouts", {})
    join = written.get("join", {}).pop("timeouts", {})
    if "cluster" in written and "controlPlaneComponentHealthCheck" in init:
        written["cluster"].setdefault("apiServer", {})["timeoutForControlPlane"] = init["controlPlaneComponentHealthCheck"]
    if "discovery" in join:
        written["join"].setdefault("discovery", {})["timeout"] = join["discovery"]
    for document in written.values():
        _flags_to_maps(document)


def _flags_to_maps(node: Any) -> None:
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key in ("extraArgs", "kubeletExtraArgs") and isinstance(value, list):
            node[key] = {entry["name"]: entry["value"] for entry in value}
        else:
            _flags_to_maps(value)


def _sort_flags(node: Any) -> None:
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key in ("extraArgs", "kubeletExtraArgs"):
            value.sort(key=lambda entry: entry["name"])  # stable: a flag given twice keeps its order
        else:
            _sort_flags(value)
