"""What may not change once a cluster exists: read off the spec that it is made from, and compared with what is wanted of it later."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sealcluster.api.base import ApiModel, Immutable
from sealcluster.api.conditions import Reason
from sealcluster.api.field_errors import FieldError
from sealcluster.api.spec import SealClusterSpec


class _Fixed(NamedTuple):
    """One field that is built into a running cluster."""

    path: str
    text: str
    why: str


def made_from(spec: SealClusterSpec) -> dict[str, str]:
    """The fields that are built into a cluster of this spec, by path; of a document its digest, so that this is short and tells nothing."""
    return {field.path: field.text for field in (*_marked(spec, "spec"), *_documents(spec))}


def validate_change(made: Mapping[str, str], spec: SealClusterSpec) -> list[FieldError]:
    """What may not be changed on a cluster that was made from `made`; for the marked fields the API server says the same by CEL.

    A field that `made` does not name was not fixed in the release that wrote it down: it may have any value.
    """
    fields = [
        FieldError(path, f"cannot be changed from {made[path]} to {text}: {why}", Reason.IMMUTABLE_FIELD)
        for path, text, why in _marked(spec, "spec")
        if made.get(path, text) != text
    ]
    documents = [
        FieldError(path, f"cannot be changed once the cluster is initialised: {why}", Reason.IMMUTABLE_FIELD)
        for path, text, why in _documents(spec)
        if made.get(path, text) != text
    ]
    return fields + documents


def _marked(model: ApiModel, path: str) -> Iterator[_Fixed]:
    for name, info in type(model).model_fields.items():
        value, field = getattr(model, name), f"{path}.{info.alias}"
        marks = [mark for mark in info.metadata if isinstance(mark, Immutable)]
        if marks:
            yield _Fixed(field, str(value), marks[0].why)
        elif isinstance(value, ApiModel):
            yield from _marked(value, field)


def _documents(spec: SealClusterSpec) -> Iterator[_Fixed]:
    for name, document in spec.kubeadm.dump().items():
        if name != "join":
            yield _Fixed(f"spec.kubeadm.{name}", _digest(document), "put the previous document back")


def _digest(document: Mapping[str, Any]) -> str:
    if not document:
        return ""
    return "sha256:" + hashlib.sha256(json.dumps(_plain(document), sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """As an API server gives it back: 1.0 of a file is 1, and a null is absent. A cluster that is handed over is the same cluster."""
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items() if child is not None}
    if isinstance(value, list):
        return [_plain(child) for child in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
