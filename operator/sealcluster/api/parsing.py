"""From a mapping (of a file, or of the API server) to a SealCluster, with errors that a person can use."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from sealcluster.api.cluster import SealCluster
from sealcluster.api.field_errors import FieldError, InvalidSealCluster

_PLAIN = {
    "missing": "is required",
    "extra_forbidden": "is not a field of SealCluster v1alpha1: check its spelling and indentation",
    "bool_type": "must be true or false",
    "string_type": "must be text: put it in quotes",
    "int_type": "must be a whole number without quotes",
}


def parse(manifest: Mapping[str, Any]) -> SealCluster:
    """Read one object. Raises InvalidSealCluster with every error; values are not repeated, they may be secret."""
    try:
        return SealCluster.model_validate(manifest)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        inside = {detail["loc"][:-depth] for detail in details for depth in range(1, len(detail["loc"]))}
        raise InvalidSealCluster(
            _field_error(detail["loc"], detail["type"], detail["msg"])
            for detail in details
            if detail["type"] != "too_short" or detail["loc"] not in inside  # bad items are not counted: the list is not too short
        ) from None


def _field_error(location: tuple[int | str, ...], kind: str, text: str) -> FieldError:
    path = field_path(location)
    message = _PLAIN.get(kind, text.removeprefix("Value error, "))
    inner, colon, rest = message.partition(": ")
    if kind == "value_error" and colon and " " not in inner:  # a rule of a model that names one of its fields
        return FieldError(f"{path}.{inner}" if path else inner, rest)
    return FieldError(path or "the object", message)


def field_path(location: tuple[int | str, ...]) -> str:
    """`("spec", "hosts", 3, "address")` as spec.hosts[3].address."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif "(" not in part and "[" not in part and part not in {"int", "str"}:  # not pydantic's name for a branch of a union
            path += f".{part}" if path else part
    return path
