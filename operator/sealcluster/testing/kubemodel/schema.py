"""Structural schemas: defaults, pruning, validation. CEL is not evaluated (a real API server tests it)."""

from __future__ import annotations

import re
from typing import Any

Schema = dict[str, Any]
Causes = list[tuple[str, str]]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def defaulted(value: Any, schema: Schema) -> Any:
    """The value with the schema's defaults, also inside of what is there."""
    if isinstance(value, dict):
        properties = schema.get("properties") or {}
        extra = schema.get("additionalProperties")
        out = {k: defaulted(v, properties.get(k) or (extra if isinstance(extra, dict) else {})) for k, v in value.items()}
        for key, inner in properties.items():
            if key not in out and "default" in inner:
                out[key] = defaulted(inner["default"], inner)
        return out
    if isinstance(value, list):
        return [defaulted(v, schema.get("items") or {}) for v in value]
    return value


def pruned(value: Any, schema: Schema) -> Any:
    """The value without fields that the schema does not know."""
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return value
    if isinstance(value, dict) and schema.get("type") == "object":
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        if isinstance(extra, dict):
            return {k: pruned(v, extra) for k, v in value.items()}
        if extra is True:
            return value
        return {k: pruned(v, properties[k]) for k, v in value.items() if k in properties}
    if isinstance(value, list):
        return [pruned(v, schema.get("items") or {}) for v in value]
    return value


def faults(value: Any, schema: Schema, path: str = "") -> Causes:
    """Everything in the value that the schema refuses."""
    if schema.get("x-kubernetes-int-or-string"):
        return [] if isinstance(value, int | str) and not isinstance(value, bool) else [(path, "must be an integer or a string")]
    wanted = schema.get("type")
    if value is None:
        return [] if schema.get("nullable") or wanted is None else [(path, f'Invalid value: "null": must be of type {wanted}')]
    if wanted in _TYPES and (not isinstance(value, _TYPES[wanted]) or (isinstance(value, bool) and wanted != "boolean")):
        return [(path, f"Invalid value: must be of type {wanted}")]
    found: Causes = []
    if "enum" in schema and value not in schema["enum"]:
        found.append((path, f"Unsupported value: {value!r}: supported values: {schema['enum']}"))
    if isinstance(value, str):
        found += _string(value, schema, path)
    elif isinstance(value, dict):
        found += _object(value, schema, path)
    elif isinstance(value, list):
        found += _array(value, schema, path)
    elif not isinstance(value, bool):
        found += _number(value, schema, path)
    return found


def _string(value: str, schema: Schema, path: str) -> Causes:
    found: Causes = []
    if len(value) > schema.get("maxLength", len(value)):
        found.append((path, f"Too long: may not be more than {schema['maxLength']} characters"))
    if len(value) < schema.get("minLength", 0):
        found.append((path, f"should be at least {schema['minLength']} chars long"))
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append((path, f"should match '{schema['pattern']}'"))
    return found


def _number(value: float, schema: Schema, path: str) -> Causes:
    found: Causes = []
    if value > schema.get("maximum", value):
        found.append((path, f"should be less than or equal to {schema['maximum']}"))
    if value < schema.get("minimum", value):
        found.append((path, f"should be greater than or equal to {schema['minimum']}"))
    return found


def _object(value: dict[str, Any], schema: Schema, path: str) -> Causes:
    found: Causes = [(f"{path}.{key}".strip("."), "Required value") for key in schema.get("required") or () if key not in value]
    if len(value) > schema.get("maxProperties", len(value)):
        found.append((path, f"Too many: must have at most {schema['maxProperties']} items"))
    properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
    for key, inner in value.items():
        rule = properties.get(key) or (extra if isinstance(extra, dict) else None)
        if rule is not None:
            found += faults(inner, rule, f"{path}.{key}".strip("."))
    return found


def _array(value: list[Any], schema: Schema, path: str) -> Causes:
    found: Causes = []
    if len(value) > schema.get("maxItems", len(value)):
        found.append((path, f"Too many: {len(value)}: must have at most {schema['maxItems']} items"))
    if len(value) < schema.get("minItems", 0):
        found.append((path, f"should have at least {schema['minItems']} items"))
    kind = schema.get("x-kubernetes-list-type")
    keys = [repr(v) for v in value] if kind == "set" else []
    if kind == "map" and all(isinstance(v, dict) for v in value):
        keys = [repr([v.get(k) for k in schema["x-kubernetes-list-map-keys"]]) for v in value]
    first = {key: i for i, key in reversed(list(enumerate(keys)))}
    found += [(f"{path}[{i}]", "Duplicate value") for i, key in enumerate(keys) if first[key] < i]
    for index, inner in enumerate(value):
        found += faults(inner, schema.get("items") or {}, f"{path}[{index}]")
    return found
