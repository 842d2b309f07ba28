"""Applies Config objects: changes that an image or a user makes to files of the image's tree. Pure, text to text.

`merge` works on the nodes of the YAML, not on the values that they stand for: what it does not touch keeps its
spelling (`0644`, `yes`, `22:22`, quoted numbers). Comments are lost.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from sealcluster.core import foreign_yaml

MAX_DATA = 256 << 10
"""The longest text, in characters, that a change or the file that it changes may have."""

STRATEGIES = ("override", "merge", "insert", "append")
_NULL = "tag:yaml.org,2002:null"


class ConfigError(ValueError):
    """A change that cannot be made, and why."""


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """One change to one file; `path` is relative to the image's root."""

    path: str
    data: str = field(repr=False)
    strategy: str = "override"
    match: str = ""
    """The only image that the change is for, as written in the list of images; empty: every image."""
    name: str = ""
    """metadata.name; of two changes with the same name the later replaces the earlier."""

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise ConfigError(f"strategy {self.strategy[:40]!a} is none of {', '.join(STRATEGIES)}")
        parts = self.path.split("/")
        if self.path.startswith("/") or ".." in parts or "" in parts or "." in parts or not self.path.isprintable():
            raise ConfigError(f"path {self.path[:200]!a} must be a plain path relative to the image's root")
        try:
            self.data.encode()
        except UnicodeEncodeError:
            raise ConfigError(f"data for {self.path[:200]!a} hold half a character, which is no text") from None
        if parts[0] == "registry":
            raise ConfigError(f"path {self.path[:200]!a} lies in the registry, which holds content by digest")

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> ConfigChange:
        """Read a document of kind Config."""
        metadata, spec = document.get("metadata") or {}, document.get("spec")
        if document.get("kind") != "Config" or not isinstance(spec, Mapping) or not isinstance(metadata, Mapping):
            raise ConfigError("reading a Config document: kind must be Config and spec a map")
        values = {key: spec.get(key) for key in ("path", "data", "strategy", "match")}
        values["name"] = metadata.get("name")
        texts: dict[str, str] = {}
        for key, value in values.items():
            if value is not None and not isinstance(value, str):
                raise ConfigError(f"reading a Config document: {key} must be a string")
            if value:
                texts[key] = value
        if "path" not in texts:
            raise ConfigError("reading a Config document: spec.path is missing")
        return cls(**{"data": "", **texts})


@functools.lru_cache(maxsize=64)
def apply_config(old: str, change: ConfigChange) -> str:
    """Return the file's new text; `old` is empty where the file does not exist."""
    if len(old) > MAX_DATA or len(change.data) > MAX_DATA:
        raise ConfigError(f"changing {change.path}: text longer than {MAX_DATA} characters")
    if change.strategy == "override":
        return change.data
    if change.strategy == "insert":
        return _join(change.data, old)
    if change.strategy == "append":
        return _join(old, change.data)
    return _merge(old, change)


def _join(first: str, second: str) -> str:
    separator = "\n" if first and second and not first.endswith("\n") else ""
    return first + separator + second


def _merge(old: str, change: ConfigChange) -> str:
    data = [node for node in _documents(change.data, f"the data for {change.path}") if not _is_null(node)]
    if len(data) > 1:
        raise ConfigError(f"changing {change.path}: merge takes one YAML document")
    if not data:
        return old
    documents = [node for node in _documents(old, change.path) if not _is_null(node)]
    try:
        merged = [_merged(node, data[0], "") for node in documents] or data
        text = yaml.serialize_all(merged, Dumper=yaml.SafeDumper, width=1 << 20, allow_unicode=True, explicit_start=len(merged) > 1)
    except ConfigError as error:
        raise ConfigError(f"changing {change.path}: {error}") from None
    except RecursionError:
        raise ConfigError(f"changing {change.path}: YAML nested too deeply") from None
    return str(text)


def _documents(text: str, what: str) -> list[yaml.Node]:
    try:
        nodes = list(foreign_yaml.compose(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigError(f"reading {what} as YAML: line {line}: {error.problem}") from None
    except yaml.YAMLError:
        raise ConfigError(f"reading {what} as YAML: it holds characters that YAML does not allow") from None
    except RecursionError:
        raise ConfigError(f"reading {what} as YAML: nested too deeply") from None
    for node in nodes:
        if not isinstance(node, yaml.MappingNode) and not _is_null(node):
            raise ConfigError(f"reading {what} as YAML: merge needs a map, line {node.start_mark.line + 1} is none")
    return nodes


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _NULL


def _merged(old: yaml.Node, new: yaml.Node, where: str) -> yaml.Node:
    """Return `new` laid over `old`; neither is changed, an anchor of the file may stand in several places."""
    if not isinstance(old, yaml.MappingNode) or not isinstance(new, yaml.MappingNode):
        if type(old) is not type(new) and not _is_null(old) and not _is_null(new):
            raise ConfigError(f"{where} is a {_kind(old)} in the file and a {_kind(new)} in the data")
        return new
    changes = {_key(key): (key, value) for key, value in new.value}
    merged: list[tuple[yaml.Node, yaml.Node]] = []
    known: set[tuple[str, str]] = set()
    for key, value in old.value:
        name = _key(key)
        change = changes[name][1] if name in changes else None
        known.add(name)
        result = value if change is None else _merged(value, change, f"{where}.{name[1]}".lstrip("."))
        merged.append((_own(key), _own(result)))
    merged += [pair for name, pair in changes.items() if name not in known]
    return yaml.MappingNode(old.tag, merged, old.start_mark, old.end_mark, flow_style=old.flow_style)


def _own(node: yaml.Node) -> yaml.Node:
    """Copy a scalar: the writer would put an anchor on one that stands in two places."""
    if not isinstance(node, yaml.ScalarNode):
        return node
    return yaml.ScalarNode(node.tag, node.value, node.start_mark, node.end_mark, style=node.style)


def _kind(node: yaml.Node) -> str:
    return "map" if isinstance(node, yaml.MappingNode) else "list" if isinstance(node, yaml.SequenceNode) else "scalar"


def _key(node: yaml.Node) -> tuple[str, str]:
    if not isinstance(node, yaml.ScalarNode):
        raise ConfigError(f"line {node.start_mark.line + 1}: a key that is no scalar")
    return node.tag, str(node.value)
