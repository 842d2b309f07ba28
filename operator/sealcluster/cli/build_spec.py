"""From `sealcluster run`'s options to the same SealCluster that a file would describe.

On a cluster that is known already, the options add to it: new images and new machines join, what is there stays. Taking away
is never done by leaving something out of a command; it needs an edited manifest (`apply -f`).
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from sealcluster.cli.addresses import parse_addresses, parse_bastion, parse_pairs
from sealcluster.cli.config_files import read_configs
from sealcluster.cli.options import Shape
from sealcluster.core.errors import TerminalError

CREDENTIALS = "cli"
"""Name of the Secret that holds what the options of login gave."""
KNOWN_HOSTS = "known_hosts"
"""Its key with the text of --known-hosts."""

_FILE = (".tar", ".tar.gz", ".tgz", ".gz")
_ARCHIVES = ("oci-archive", "docker-archive")

Document = dict[str, Any]


def build(shape: Shape, before: Mapping[str, Any] | None, *, known_hosts: bool = False) -> Document:
    """The SealCluster as a document, to be validated like any other. `before`: what was applied last."""
    spec: Document = dict(before["spec"]) if before else {}
    spec["images"] = _images([reference(text, shape.transport) for text in shape.images], spec.get("images", []))
    spec["hosts"] = _hosts(shape, spec.get("hosts", []))
    spec["ssh"] = _ssh(shape, dict(spec.get("ssh", {})), known_hosts=known_hosts)
    if shape.env:
        spec["env"] = {**spec.get("env", {}), **parse_pairs(shape.env, "--env")}
    if shape.config_file:
        kubeadm, configs = read_configs(shape.config_file, spec["images"])
        spec["kubeadm"] = {**spec.get("kubeadm", {}), **kubeadm}
        paths = {(c["path"], c.get("match")) for c in configs}
        spec["configs"] = [*(c for c in spec.get("configs", []) if (c["path"], c.get("match")) not in paths), *configs]
    network = {"podSubnet": shape.pod_subnet, "serviceSubnet": shape.service_subnet}
    if any(network.values()):
        spec["network"] = {**spec.get("network", {}), **{k: v for k, v in network.items() if v}}
    metadata = dict(before["metadata"]) if before else {"name": shape.name}
    return {"apiVersion": "sealcluster.io/v1alpha1", "kind": "SealCluster", "metadata": metadata, "spec": spec}


def reference(text: str, transport: str) -> str:
    """An image reference; a file becomes an archive with its absolute path, so that later commands find it."""
    if transport not in _ARCHIVES:
        raise TerminalError(f"reading --transport: {transport!r} is none of {', '.join(_ARCHIVES)}", reason="InvalidSpec")
    kind, colon, rest = text.partition(":")
    if colon and kind in _ARCHIVES:
        path, colon, tag = rest.partition(":")
        return f"{kind}:{Path(path).absolute()}{colon}{tag}"
    if text.endswith(_FILE) and Path(text).is_file():
        return f"{transport}:{Path(text).absolute()}"
    return text


def image_name(ref: str) -> str:
    """A short name for an image: the last part of its repository or file name."""
    kind, _, rest = ref.partition(":")
    if kind in _ARCHIVES:
        base = re.sub(r"(\.tar)?(\.gz|\.tgz)?$", "", rest.partition(":")[0].rsplit("/", 1)[-1])
    else:
        base = ref.partition("@")[0].rsplit("/", 1)[-1].partition(":")[0]
    return re.sub(r"[^a-z0-9]+", "-", base.lower()).strip("-")[:55].strip("-") or "image"


def repository(ref: str) -> str:
    """A reference without its version; of an archive, the file."""
    kind, _, rest = ref.partition(":")
    if kind in _ARCHIVES:
        return f"{kind}:{rest.partition(':')[0]}"
    path, slash, last = ref.partition("@")[0].rpartition("/")
    return f"{path}{slash}{last.partition(':')[0]}"


def _images(refs: Sequence[str], before: Sequence[Mapping[str, Any]]) -> list[Document]:
    """New ones behind those that are there; another version of one takes its place."""
    images = [dict(image) for image in before]
    old = {image["name"]: repository(image["ref"]) for image in images}
    mentioned: set[str] = set()
    for ref in refs:
        if any(image["ref"] == ref for image in images):
            continue
        name = next((n for n, known in old.items() if known == repository(ref) and n not in mentioned), "") or _name(ref, images, mentioned)
        mentioned.add(name)
        if name in old:
            next(image for image in images if image["name"] == name)["ref"] = ref
        else:
            images.append({"name": name, "ref": ref})
    return images


def _name(ref: str, images: Sequence[Mapping[str, Any]], mentioned: Container[str]) -> str:
    base = image_name(ref)
    free = (base if number == 1 else f"{base}-{number}" for number in range(1, len(images) + 3))
    return next(n for n in free if n not in mentioned)


def _hosts(shape: Shape, before: Sequence[Mapping[str, Any]]) -> list[Document]:
    masters, nodes = parse_addresses(shape.masters, "--masters"), parse_addresses(shape.nodes, "--nodes")
    both = sorted({a for a, _ in masters} & {a for a, _ in nodes})
    if both:
        raise TerminalError(f"reading --masters and --nodes: {', '.join(both)} is in both", reason="InvalidSpec")
    hosts = [dict(host) for host in before]
    for letter, rows, role, flag in (("m", masters, "master", "--masters"), ("w", nodes, "node", "--nodes")):
        for address, port in rows:
            row = next((h for h in hosts if h["address"] == address), None)
            if row is None:
                hosts.append({"name": _free_name(f"{shape.name}-{letter}", hosts), "address": address, "roles": [role]})
                row = hosts[-1]
            elif role not in row["roles"]:
                raise TerminalError(
                    f"reading {flag}: {address} is host {row['name']} with the roles {', '.join(row['roles'])}",
                    reason="InvalidSpec",
                    hint="change a role in the manifest: `status -o yaml`, edit, `apply -f`",
                )
            if port:
                row["port"] = port
    if not hosts:
        raise TerminalError("reading --masters: a new cluster needs at least one", reason="InvalidSpec", hint="--masters 10.0.0.11")
    return hosts


def _free_name(prefix: str, hosts: Sequence[Mapping[str, Any]]) -> str:
    taken = {host["name"] for host in hosts}
    return next(name for name in (f"{prefix}{n}" for n in range(1, len(hosts) + 2)) if name not in taken)


def _ssh(shape: Shape, ssh: Document, *, known_hosts: bool) -> Document:
    if shape.user is not None:
        ssh["user"] = shape.user
    if shape.port is not None:
        ssh["port"] = shape.port
    if shape.bastion is not None:
        ssh["bastion"] = parse_bastion(shape.bastion)
    ssh.setdefault("credentialsSecretRef", {"name": CREDENTIALS})
    keys = dict(ssh.get("hostKeys", {"policy": "TrustOnFirstUse"}))
    if shape.strict_host_keys:
        keys["policy"] = "Strict"
    if known_hosts:
        keys["knownHostsSecretRef"] = {"name": CREDENTIALS, "key": KNOWN_HOSTS}
    ssh["hostKeys"] = keys
    return ssh
