"""What the state directory knows of one cluster beside `LocalManagement`'s records: the applied document, settings, last status.

::

    <root>/<cluster>/
        cluster.yaml     the SealCluster that was applied last, with defaults and generation
        settings.json    how registries are spoken to
        status.json      the last status, for transition times
        busy             flock of the command that changes this cluster
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from sealcluster.api import InvalidSealCluster, SealCluster, SealClusterStatus, parse
from sealcluster.cli import localfiles
from sealcluster.cli.localstate import LocalManagement
from sealcluster.core.errors import TerminalError

_HEADER = "# The SealCluster that was applied last. Edit a copy and `sealcluster apply -f` it; edits here are overwritten.\n"


@dataclass(frozen=True, slots=True)
class Settings:
    """How this cluster's registries are spoken to."""

    insecure_registries: tuple[str, ...] = ()
    registry_ca: str | None = None
    """Path of a PEM file."""

    def overlaid(self, insecure: tuple[str, ...], registry_ca: Path | None) -> Settings:
        """With what was typed now."""
        merged = tuple(dict.fromkeys([*self.insecure_registries, *insecure]))
        return replace(self, insecure_registries=merged, registry_ca=str(registry_ca.resolve()) if registry_ca else self.registry_ca)


class Records:
    """One cluster below `root`. Nothing is made before something is stored."""

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root, name
        self.management = LocalManagement.of(name, root)
        self.directory = self.management.directory

    @property
    def known(self) -> bool:
        """True when something was stored about this cluster."""
        return self.name in known(self.root)

    def document(self) -> SealCluster | None:
        """The SealCluster that was applied last."""
        path = self.directory / "cluster.yaml"
        data = localfiles.read(path)
        if data is None:
            return None
        try:
            return parse(yaml.safe_load(data))
        except (yaml.YAMLError, InvalidSealCluster, TypeError) as error:
            raise TerminalError(
                f"reading {path}: {error}", reason="StateUnreadable", hint="apply the SealCluster's manifest again: apply -f"
            ) from error

    def require(self) -> SealCluster:
        """The same; TerminalError when there is none."""
        found = self.document()
        if found is None:
            raise TerminalError(
                f"looking for cluster {self.name}: nothing is known about it below {self.root}",
                reason="InvalidSpec",
                hint=f"{_listed(known(self.root))}give the manifest with -f, or the directory with --state; kubectl seal status asks an operator",
            )
        return found

    def store(self, cluster: SealCluster) -> None:
        """Remember what is wanted from now on."""
        localfiles.write(self.directory / "cluster.yaml", (_HEADER + to_yaml(manifest(cluster))).encode())

    def settings(self) -> Settings:
        """What was said about registries."""
        data = localfiles.read(self.directory / "settings.json")
        if data is None:
            return Settings()
        found = json.loads(data)
        return Settings(tuple(found.get("insecure_registries", ())), found.get("registry_ca"))

    def store_settings(self, settings: Settings) -> None:
        """Remember it."""
        if settings != self.settings():
            localfiles.write(self.directory / "settings.json", json.dumps(asdict(settings)).encode())

    def status(self) -> SealClusterStatus:
        """The last one; an empty one where there is none, or one that this release cannot read (only times are taken from it)."""
        data = localfiles.read(self.directory / "status.json")
        try:
            return SealClusterStatus.model_validate_json(data) if data is not None else SealClusterStatus()
        except ValidationError:
            return SealClusterStatus()

    def store_status(self, status: SealClusterStatus) -> None:
        """Remember it."""
        if self.directory.is_dir():
            localfiles.write(self.directory / "status.json", json.dumps(status.dump()).encode())

    def secret(self, name: str) -> dict[str, str]:
        """A Secret that the command line stored; empty where there is none."""
        return self.text("Secret", name) or {}

    def text(self, kind: str, name: str) -> dict[str, str] | None:
        """A Secret or ConfigMap that options or manifests gave; None where there is none."""
        folder = "configmaps" if kind == "ConfigMap" else "secrets"
        data = localfiles.read(self.directory / folder / f"{localfiles.checked_name(name)}.json")
        return None if data is None else dict(json.loads(data))

    def forget_document(self) -> None:
        """The cluster is nobody's wish any more; its state and authorities stay."""
        for name in ("cluster.yaml", "status.json"):
            (self.directory / name).unlink(missing_ok=True)

    def remove(self) -> None:
        """Everything, credentials too."""
        shutil.rmtree(self.directory)


def known(root: Path) -> list[str]:
    """Names of clusters with records below `root`."""
    if not root.is_dir():
        return []
    return sorted(
        p.name for p in root.iterdir() if not p.name.startswith(".") and any((p / f).is_file() for f in ("cluster.yaml", "state.json"))
    )


def _listed(names: list[str]) -> str:
    return f"known: {', '.join(names)}; " if names else ""


def choose(root: Path, name: str | None) -> str:
    """The cluster that is meant: the one that was named, else the only one."""
    names = known(root)
    if name is not None:
        return localfiles.checked_name(name)
    if len(names) == 1:
        return names[0]
    raise TerminalError(
        f"choosing a cluster: {'several are' if names else 'none is'} known below {root}",
        reason="InvalidSpec",
        hint=f"name one of {', '.join(names)}"
        if names
        else "make one with `sealcluster run` or `apply`; kubectl seal status asks an operator",
    )


def manifest(cluster: SealCluster, status: SealClusterStatus | None = None) -> dict[str, Any]:
    """The object as a mapping, with its status where one is given."""
    document = cluster.dump()
    document["metadata"] = {key: value for key, value in document["metadata"].items() if value not in ({}, [])}
    document.pop("status", None)
    if status is not None:
        document["status"] = status.dump()
    return document


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def to_yaml(document: Mapping[str, Any]) -> str:
    """YAML in the order of the document."""
    return yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
