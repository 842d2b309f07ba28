"""Writes docs/api.md from the schema of the CustomResourceDefinition; `--check` fails when the file is not what would be written."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sealcluster.api.crd import crd

TARGET = Path(__file__).resolve().parent.parent / "docs" / "api.md"
RULES = "x-kubernetes-validations"
Schema = dict[str, Any]

INTRODUCTION = """\
# API reference

`SealCluster`, group `sealcluster.io`, version `v1alpha1`, namespaced; `kubectl get seal` for short.
Generated from the models in `operator/sealcluster/api` (`make docs`); do not edit by hand.

Every default below is filled in by the API server. A field that is not listed here does not exist: the API server and
`sealcluster apply` refuse it by name. *fixed* marks what is built into a running cluster and cannot be changed afterwards.
The operator looks at the annotations `sealcluster.io/retry` and `sealcluster.io/acknowledge-lost` (see [operations](operations.md)) and at the label
`sealcluster.io/argocd` (see [GitOps](gitops.md#into-the-new-cluster)).

What a person writes is [`spec`](#spec), what the operator saw is [`status`](#status). References to Secrets and ConfigMaps
always mean the namespace of the SealCluster.
"""


def text() -> str:
    """The whole page."""
    root = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    lines = [INTRODUCTION]
    for part in ("spec", "status"):
        for path, schema in structs(root["properties"][part], part):
            lines += section(path, schema)
    return "\n".join(lines).rstrip() + "\n"


def structs(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Every object with fields of its own, the outer ones first."""
    if schema.get("type") == "array":
        yield from structs(schema["items"], f"{path}[]")
    elif "properties" in schema:
        yield path, schema
        for name, child in schema["properties"].items():
            yield from structs(child, f"{path}.{name}")


def section(path: str, schema: Schema) -> list[str]:
    """One object as a table."""
    lines = [f"## {path}", "", schema.get("description", ""), ""] if schema.get("description") else [f"## {path}", ""]
    rules = [rule["message"] for rule in schema.get(RULES, ())]
    fields = [f"{rule['fieldPath'].lstrip('.')}: " if "fieldPath" in rule else "" for rule in schema.get(RULES, ())]
    lines += ["Refused is, with these words:", ""] if rules else []
    lines += [f"- {field}{rule}" for field, rule in zip(fields, rules, strict=True)] + ([""] if rules else [])
    lines += ["| field | type | default | |", "|---|---|---|---|"]
    required = schema.get("required", ())
    for name, child in schema["properties"].items():
        lines.append(f"| {link(path, name, child)} | {kind(child)} | {default(child, name in required)} | {cell(meaning(child))} |")
    return [*lines, ""]


def link(path: str, name: str, schema: Schema) -> str:
    """The field's name, leading to its own section where it has one."""
    inner = schema["items"] if schema.get("type") == "array" else schema
    if "properties" not in inner:
        return f"`{name}`"
    anchor = f"{path}.{name}" + ("[]" if inner is not schema else "")
    return f"[`{name}`](#{anchor.replace('.', '').replace('[]', '').lower()})"


def kind(schema: Schema) -> str:
    """The type in words."""
    if schema.get("x-kubernetes-int-or-string"):
        return "number or text"
    match schema.get("type"):
        case "array":
            return f"list of {kind(schema['items'])}"
        case "object" if "properties" in schema:
            return "object"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return "map of text"
        case "object":
            return "free-form object"
        case "string" if schema.get("format") == "date-time":
            return "time"
        case "string":
            return "text"
        case "integer":
            return "number"
        case "boolean":
            return "true or false"
    raise ValueError(f"a type that this page has no word for: {schema}")


def default(schema: Schema, required: bool) -> str:
    """What holds when nothing is written."""
    if required:
        return "**required**"
    value = schema.get("default")
    return "" if value in (None, {}, []) else f"`{value if isinstance(value, str) and value else json.dumps(value)}`"


def meaning(schema: Schema) -> str:
    """Description, choices and bounds."""
    inner = schema["items"] if schema.get("type") == "array" else schema
    parts = [schema.get("description", "")]
    if "enum" in inner:
        parts.append("One of " + ", ".join(f"`{value or '(empty)'}`" for value in inner["enum"]) + ".")
    if "minimum" in schema and "maximum" in schema:
        parts.append(f"{schema['minimum']} to {schema['maximum']}.")
    if "maxItems" in schema and schema["maxItems"] > 1:
        parts.append(f"At most {schema['maxItems']}.")
    for rule in schema.get(RULES, ()):
        message = rule["message"]
        parts.append(f"*fixed*: {message.removeprefix('cannot be changed: ')}." if message.startswith("cannot be") else f"It {message}.")
    return " ".join(part for part in parts if part)


def cell(words: str) -> str:
    """Fit for a table; angle brackets are text, not HTML."""
    return words.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


def main() -> int:
    """Write, or compare."""
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text())
        return 0
    if TARGET.exists() and TARGET.read_text() == text():
        return 0
    print(f"{TARGET.name} is not what the models say: run make docs", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
