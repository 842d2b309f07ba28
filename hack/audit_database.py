"""Advisories in a file, for places that no advisory service answers: records in the OSV format, as its exports have them."""

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

Record = dict[str, Any]


def report(database: Path, pinned: Path) -> dict[str, Any]:
    """What the audit's service would have said of every pinned package. OSError or ValueError for a file that is no database."""
    by_package: dict[str, list[Record]] = {}
    for record in records(database):
        for name in {canonical(row["package"]["name"]) for row in _of_python(record)}:
            by_package.setdefault(name, []).append(record)
    if not by_package:
        raise ValueError(f"{database}: it holds no advisory about a Python package")
    dependencies = [
        {"name": name, "version": version, "vulns": [_found(r, name) for r in by_package.get(name, ()) if concerns(r, name, version)]}
        for name, version in pins(pinned)
    ]
    return {"dependencies": dependencies}


def records(database: Path) -> Iterator[Record]:
    """Every advisory of a JSON file (one, or a list of them) or of a zip archive of such files; those that were withdrawn are left out."""
    texts = _texts(database)
    for where, text in texts:
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"reading {where}: {error}") from error
        for record in content if isinstance(content, list) else [content]:
            if not isinstance(record, dict) or "id" not in record:
                raise ValueError(f"reading {where}: that is no advisory in the OSV format")
            if not record.get("withdrawn"):
                yield record


def pins(pinned: Path) -> list[tuple[str, str]]:
    """Names and versions of a requirements file in which each package has one."""
    rows = [line.split("#")[0].split(";")[0].strip() for line in pinned.read_text().splitlines()]
    found = [re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s\\]+).*", row) for row in rows]
    return [(canonical(match[1]), match[2]) for match in found if match is not None]


def concerns(record: Record, name: str, version: str) -> bool:
    """Is this version of the package among those that the advisory names?"""
    return any(_affected(row, version) for row in _of_python(record) if canonical(row["package"]["name"]) == name)


def canonical(name: str) -> str:
    """A package's name as all spellings of it are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _texts(database: Path) -> Iterator[tuple[str, str]]:
    if not zipfile.is_zipfile(database):
        yield str(database), database.read_text()
        return
    with zipfile.ZipFile(database) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                yield f"{database}: {name}", archive.read(name).decode()


def _of_python(record: Record) -> list[Record]:
    return [row for row in record.get("affected") or () if (row.get("package") or {}).get("ecosystem") == "PyPI"]


def _affected(row: Record, version: str) -> bool:
    if version in (row.get("versions") or ()):
        return True
    ranges = [r for r in row.get("ranges") or () if r.get("type") == "ECOSYSTEM"]
    return any(_within(r.get("events") or (), Version(version)) for r in ranges)


def _within(events: list[dict[str, str]], version: Version) -> bool:
    """Events in the order of their versions: each changes what is so from there on."""
    inside = False
    for kind, at in sorted(((k, v) for event in events for k, v in event.items() if k != "limit"), key=lambda e: _order(e[1])):
        if kind == "introduced" and version >= _order(at):
            inside = True
        elif (kind == "fixed" and version >= _order(at)) or (kind == "last_affected" and version > _order(at)):
            inside = False
    return inside


def _order(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion as error:
        raise ValueError(f"an advisory names the version {text!r}, which is none") from error


def _found(record: Record, name: str) -> dict[str, Any]:
    rows = [row for row in _of_python(record) if canonical(row["package"]["name"]) == name]
    fixed = [
        e["fixed"] for row in rows for r in row.get("ranges") or () if r.get("type") == "ECOSYSTEM" for e in r["events"] if "fixed" in e
    ]
    return {"id": record["id"], "aliases": record.get("aliases") or [], "fix_versions": sorted(fixed, key=_order)}
