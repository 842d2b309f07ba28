"""Server-side apply: which manager owns which field, and what an apply changes. Lists of type map are owned by their keys."""

from __future__ import annotations

from typing import Any

from sealcluster.testing.kubemodel.trees import copied

Step = str | tuple[tuple[str, str], ...]
"""A field's name, or the key fields of a row in a list of type map."""
Path = tuple[Step, ...]
Schema = dict[str, Any]


def row_key(row: dict[str, Any], keys: list[str]) -> tuple[tuple[str, str], ...]:
    """What identifies a row."""
    return tuple((k, repr(row.get(k))) for k in keys)


def _inner(schema: Schema, key: str) -> Schema:
    extra = schema.get("additionalProperties")
    found = (schema.get("properties") or {}).get(key)
    return found if found is not None else (extra if isinstance(extra, dict) else {})


def _keyed(schema: Schema) -> list[str] | None:
    return schema.get("x-kubernetes-list-map-keys") if schema.get("x-kubernetes-list-type") == "map" else None


def fields(value: Any, schema: Schema, at: Path = ()) -> dict[Path, Any]:
    """Every leaf by its path; an empty map and an atomic list are leaves."""
    if isinstance(value, dict) and value:
        out: dict[Path, Any] = {}
        for key, inner in value.items():
            out.update(fields(inner, _inner(schema, key), (*at, key)))
        return out
    keys = _keyed(schema)
    if isinstance(value, list) and keys and all(isinstance(v, dict) for v in value):
        out = {}
        for row in value:
            out.update(fields(row, schema.get("items") or {}, (*at, row_key(row, keys))))
        return out
    return {at: value}


def merged(old: Any, new: Any, schema: Schema) -> Any:
    """The old value with the applied one laid over it."""
    if isinstance(old, dict) and isinstance(new, dict):
        out = dict(old)
        for key, inner in new.items():
            out[key] = merged(old.get(key), inner, _inner(schema, key)) if key in old else copied(inner)
        return out
    keys = _keyed(schema)
    if keys and isinstance(old, list) and isinstance(new, list):
        rows = {row_key(row, keys): row for row in old}
        for row in new:
            key = row_key(row, keys)
            rows[key] = merged(rows[key], row, schema.get("items") or {}) if key in rows else copied(row)
        return list(rows.values())
    return copied(new)


def without(value: Any, path: Path, schema: Schema) -> Any:
    """The value with one leaf taken out; maps and rows that become empty by it go too."""
    if not path:
        return None
    step, rest = path[0], path[1:]
    if isinstance(step, str) and isinstance(value, dict) and step in value:
        inner = without(value[step], rest, _inner(schema, step)) if rest else None
        out = {k: v for k, v in value.items() if k != step}
        return out | {step: inner} if inner not in (None, {}, []) else out
    keys = _keyed(schema)
    if isinstance(step, tuple) and isinstance(value, list) and keys:
        out_rows = []
        for row in value:
            if row_key(row, keys) != step:
                out_rows.append(row)
                continue
            # A row's keys stay as long as anything else of it does.
            inner = row if rest[:1] and rest[0] in keys else without(row, rest, schema.get("items") or {})
            if set(inner) - set(keys):
                out_rows.append(inner)
        return out_rows
    return value
