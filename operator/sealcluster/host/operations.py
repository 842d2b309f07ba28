"""From the verbs of `core.ops` to scripts: one entry per verb says which scripts run and what they find.

The last script of a recipe is the verb's own, the others bring functions that it shares with its neighbours.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sealcluster.core import ops
from sealcluster.core.errors import TerminalError
from sealcluster.host.scripts import Value, exports, load
from sealcluster.host.staging import Inputs, checked_path, tar_of
from sealcluster.pki.kubeconfigs import COMPLETE_AWK, completion_values


@dataclass(frozen=True, slots=True)
class Recipe:
    """Scripts by name, in order, and their inputs."""

    scripts: tuple[str, ...]
    inputs: Inputs


def recipe(op: ops.Op) -> Recipe:
    """How this op is done."""
    found = _RECIPES.get(type(op))
    if found is None:
        raise TerminalError(f"doing {type(op).__name__} on a host: this release cannot")
    build, *scripts = found
    return Recipe(tuple(scripts), build(op))


def _claim(op: ops.Claim) -> Inputs:
    return Inputs({"cluster": op.cluster_id, "name": op.name, "hostname": op.hostname or ""})


def _install_rootfs(op: ops.InstallRootfs) -> Inputs:
    return Inputs({"root": op.root, "parts": op.parts, "keep_parts": op.keep_parts}).put_files(op.files)


def _fetch_parts(op: ops.FetchParts) -> Inputs:
    inputs = Inputs({"server": op.server, "repository": op.repository, "digests": op.digests})
    # Silent but for errors; a connection that hangs is given up.
    config = "fail\nsilent\nshow-error\nconnect-timeout = 10\nspeed-limit = 1000\nspeed-time = 60\nretry = 2\n"
    header = ""
    if op.username:
        header = "Authorization: Basic " + base64.b64encode(f"{op.username}:{op.password}".encode()).decode()
        config += f'header = "{header}"\n'
    return inputs.put("in/curlrc", config).put("in/header", header).put("in/fetch_tcp", load("fetch_tcp"))


def _commit_registry(op: ops.CommitRegistry) -> Inputs:
    links = {path: digest if digest.startswith("sha256:") else f"sha256:{digest}" for path, digest in op.links}
    for part in op.parts:
        links[f"docker/registry/v2/repositories/{op.parts_repository}/_layers/sha256/{part}/link"] = f"sha256:{part}"
    archive = tar_of({checked_path(path): digest.encode() for path, digest in links.items()}, 0o644)
    return Inputs({"root": op.root, "blobs": op.blobs, "parts": op.parts}).put("in/links.tar", archive)


def _write_hosts(op: ops.WriteHosts) -> Inputs:
    return Inputs().put("in/block", "".join(f"{_word(address)} {_word(name)}\n" for address, name in op.entries))


def _run_script(op: ops.RunScript) -> Inputs:
    return Inputs({"cwd": op.cwd}).put("in/env", exports(op.env)).put("in/command", f"bash {op.text}\n")


def _prepare_registry(op: ops.PrepareRegistry) -> Inputs:
    file = ops.File(op.htpasswd_path, op.htpasswd.rstrip("\n").encode() + b"\n", 0o600)
    return Inputs({"data": op.data, "tree": op.tree}).put_files((file,))


def _pull_images(op: ops.PullImages) -> Inputs:
    return Inputs({"root": op.root, "version": op.version, "role": op.role, "images": op.images})


def _generate_csrs(op: ops.GenerateCSRs) -> Inputs:
    return Inputs({"root": op.root}).put("in/config", op.config).put_files(op.authorities)


def _install_certificates(op: ops.InstallCertificates) -> Inputs:
    inputs = Inputs({"server": op.server}).put("in/complete", COMPLETE_AWK)
    inputs.put("in/ca", completion_values(op.ca, "")["ca"])
    rows = []
    for number, (name, pem) in enumerate(sorted(op.certificates.items())):
        rows.append(f"{number} {checked_path(name)}\n")
        content = completion_values(op.ca, pem)["certificate"] if name.endswith(".conf") else pem
        inputs.put(f"in/certificates/{number}", content)
    return inputs.put("in/certificates.list", "".join(rows))


def _kubeadm_init(op: ops.KubeadmInit) -> Inputs:
    return Inputs({"directory": op.directory}).put("in/config", op.config).put_files(op.files)


def _kubeadm_join(op: ops.KubeadmJoin) -> Inputs:
    return Inputs({"role": op.role}).put("in/config", op.config).put_files(op.files)


def _kubeadm_reset(op: ops.KubeadmReset) -> Inputs:
    return Inputs()


def _put_files(op: ops.PutFiles) -> Inputs:
    for path in op.remove:
        checked_path(path)
    return Inputs().put("in/remove", "".join(f"{path}\n" for path in op.remove)).put_files(op.files)


def _guest(op: ops.Guest) -> Inputs:
    inputs = Inputs({"workdir": op.workdir, "parts": op.parts}).put_files(op.files)
    return _commands(inputs, op.commands, op.env)


def _etcd_member(op: ops.EtcdMember) -> Inputs:
    return Inputs({"action": op.action, "member_id": op.member_id})


def _start_units(op: ops.StartUnits) -> Inputs:
    return Inputs({"units": " ".join(map(_word, op.units))})


def _restore_manifests(op: ops.RestoreManifests) -> Inputs:
    return Inputs()


def _clean_host(op: ops.CleanHost) -> Inputs:
    vip = op.env.get("defaultVIP", "")
    values: dict[str, Value] = {
        "root": op.root,
        "hosts_names": " ".join(map(_word, op.hosts_names)),
        "vip_routes": _word(vip) if vip else "",
        "subnets": " ".join(map(_word, op.subnets)),
    }
    return _commands(Inputs(values), tuple(f"bash {text}" for text in op.scripts), op.env)


def _commands(inputs: Inputs, commands: Sequence[str], env: Mapping[str, str]) -> Inputs:
    for number, command in enumerate(commands):
        inputs.put(f"in/commands/{number}", command + "\n")
    return inputs.put("in/env", exports(env))


def _word(value: str) -> str:
    if not value or len(value.split()) != 1 or value != value.strip():
        raise ValueError(f"writing /etc/hosts: {value!r} is not one word")
    return value


REPEATABLE = (
    ops.FetchParts, ops.InstallRootfs, ops.CommitRegistry, ops.PrepareRegistry, ops.PutFiles, ops.WriteHosts, ops.PullImages,
    ops.GenerateCSRs, ops.InstallCertificates, ops.StartUnits, ops.RestoreManifests,
)  # fmt: skip
"""Ops that may be done twice without harm: a power loss may take their lines of the journal. What cannot be told from a look whether it
survived one (files, trees, keys) they flush before they end; parts are proven by their digests instead."""

_RECIPES: dict[type, tuple[Any, ...]] = {
    ops.Claim: (_claim, "op_claim"),
    ops.InstallRootfs: (_install_rootfs, "store", "op_install_rootfs"),
    ops.FetchParts: (_fetch_parts, "store", "op_fetch_parts"),
    ops.CommitRegistry: (_commit_registry, "store", "op_commit_registry"),
    ops.WriteHosts: (_write_hosts, "hosts", "op_write_hosts"),
    ops.RunScript: (_run_script, "op_run_script"),
    ops.PrepareRegistry: (_prepare_registry, "op_prepare_registry"),
    ops.PullImages: (_pull_images, "op_pull_images"),
    ops.GenerateCSRs: (_generate_csrs, "op_generate_csrs"),
    ops.InstallCertificates: (_install_certificates, "op_install_certificates"),
    ops.KubeadmInit: (_kubeadm_init, "kubeadm", "op_kubeadm_init"),
    ops.KubeadmJoin: (_kubeadm_join, "kubeadm", "op_kubeadm_join"),
    ops.KubeadmReset: (_kubeadm_reset, "kubeadm", "op_kubeadm_reset"),
    ops.PutFiles: (_put_files, "op_put_files"),
    ops.Guest: (_guest, "store", "op_guest"),
    ops.EtcdMember: (_etcd_member, "etcd", "op_etcd_member"),
    ops.StartUnits: (_start_units, "op_start_units"),
    ops.RestoreManifests: (_restore_manifests, "op_restore_manifests"),
    ops.CleanHost: (_clean_host, "kubeadm", "hosts", "op_clean_host"),
}
