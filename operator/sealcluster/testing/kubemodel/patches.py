"""Merge patches (RFC 7386) and JSON patches (RFC 6902)."""

from __future__ import annotations

from typing import Any

from sealcluster.testing.kubemodel.refusal import Refusal
from sealcluster.testing.kubemodel.trees import copied


def merge(target: Any, patch: Any) -> Any:
    """Lay a merge patch over a value; null removes."""
    if not isinstance(patch, dict):
        return copied(patch)
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge(out.get(key), value)
    return out


def json_patch(target: Any, steps: list[dict[str, Any]]) -> Any:
    """Apply `test`, `add`, `replace` and `remove`. Raises `Refusal` (422 without details) when a test fails or a path is not there."""
    out = copied(target)
    for step in steps:
        *parents, last = [p.replace("~1", "/").replace("~0", "~") for p in step["path"].split("/")[1:]]
        where = out
        try:
            for part in parents:
                where = where[int(part)] if isinstance(where, list) else where[part]
            _apply(where, last, step)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise Refusal(422, "Invalid", "the server rejected our request due to an error in our request") from error
    return out


def _apply(where: Any, last: str, step: dict[str, Any]) -> None:
    kind = step["op"]
    if isinstance(where, list):
        index = len(where) if last == "-" else int(last)
        if kind == "add":
            where.insert(index, step["value"])
        elif kind == "remove":
            del where[index]
        elif kind == "replace":
            where[index] = step["value"]
        elif where[index] != step["value"]:
            raise ValueError("test failed")
    elif kind == "test":
        if where[last] != step["value"]:
            raise ValueError("test failed")
    elif kind == "remove":
        del where[last]
    elif kind == "replace" and last not in where:
        raise KeyError(last)
    else:
        where[last] = step["value"]
