"""From a pydantic model to a structural schema: the part of OpenAPI v3 that a CustomResourceDefinition may use.

Whatever has no faithful counterpart is an error here, at generation time, with the path of the field.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from sealcluster.api.base import VALIDATIONS

_KEEP = {
    "type",
    "description",
    "default",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "maxProperties",
    VALIDATIONS,
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-int-or-string",
}
_TYPE_OF = {
    "pattern": "string",
    "minLength": "string",
    "maxLength": "string",
    "minItems": "array",
    "maxItems": "array",
    "maxProperties": "object",
}
"""A bound of another type is silently ignored by the API server."""

_NOISE = {"title"}
_FORMATS = {"date-time", "int32", "int64"}
_EMPTY: tuple[object, ...] = ([], {})


class SchemaError(ValueError):
    """A model uses something that a CRD cannot express; names field and keyword."""


def structural(model: type[BaseModel]) -> dict[str, Any]:
    """Structural schema of a model, with everything inlined, by wire names. Raises SchemaError."""
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return _Converter(schema.pop("$defs", {})).convert(schema, model.__name__)


class _Converter:
    """Walks one JSON schema; `path` is the field for error messages."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._inlining: list[str] = []

    def convert(self, schema: Mapping[str, Any], path: str) -> dict[str, Any]:
        if "$ref" in schema:
            return self._inline(schema, path)
        if schema.get("x-kubernetes-int-or-string"):
            schema = {key: value for key, value in schema.items() if key != "anyOf"}
        if "anyOf" in schema:
            return self._optional(schema, path)
        result: dict[str, Any] = {}
        for keyword, value in schema.items():
            self._keyword(result, keyword, value, path, schema.get("type"))
        self._default(result)
        return result

    def _inline(self, schema: Mapping[str, Any], path: str) -> dict[str, Any]:
        name = schema["$ref"].rpartition("/")[2]
        if name in self._inlining:
            raise SchemaError(f"{path}: {name} contains itself, a CRD cannot express that")
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        target = self._definitions[name]
        rules = [*target.get(VALIDATIONS, []), *beside.get(VALIDATIONS, [])]
        self._inlining.append(name)
        try:
            return self.convert({**target, **beside, **({VALIDATIONS: rules} if rules else {})}, path)
        finally:
            self._inlining.pop()

    def _optional(self, schema: Mapping[str, Any], path: str) -> dict[str, Any]:
        """`T | None`: absent instead of null."""
        choices = [choice for choice in schema["anyOf"] if choice.get("type") != "null"]
        if len(choices) != 1:
            raise SchemaError(f"{path}: a union of several types, a CRD cannot express that")
        beside = {key: value for key, value in schema.items() if key != "anyOf"}
        if beside.get("default", ...) is None:
            del beside["default"]
        return self.convert({**choices[0], **beside}, path)

    @staticmethod
    def _fits(keyword: str, schema_type: object) -> bool:
        return _TYPE_OF.get(keyword, schema_type) == schema_type

    def _keyword(self, result: dict[str, Any], keyword: str, value: Any, path: str, schema_type: object) -> None:
        match keyword:
            case "properties":
                result[keyword] = {name: self.convert(child, f"{path}.{name}") for name, child in value.items()}
            case "items":
                result[keyword] = self.convert(value, f"{path}[]")
            case "required":
                result[keyword] = sorted(value)
            case "additionalProperties":
                if isinstance(value, dict):
                    result[keyword] = self.convert(value, f"{path}.*")
            case "const":
                result["enum"] = [value]
            case "description":
                result[keyword] = " ".join(value.split())
            case "format" if value in _FORMATS:
                result[keyword] = value
            case _ if keyword in _KEEP and self._fits(keyword, schema_type):
                result[keyword] = value
            case _ if keyword not in _NOISE:
                raise SchemaError(f"{path}: {keyword}: {value!r} has no counterpart in a CRD")

    @staticmethod
    def _default(result: dict[str, Any]) -> None:
        """Defaults of a struct stand in its fields: an empty one is enough to bring them out; empty lists and maps say nothing."""
        if "default" not in result:
            return
        properties = result.get("properties")
        if properties is None:
            if result["default"] in _EMPTY:
                del result["default"]
            return
        for name, value in result["default"].items():
            if value not in (None, *_EMPTY) and properties[name].get("default") not in (value, {}):
                raise SchemaError(f"default of {name} differs from the default of its own field")
        result["default"] = {}
