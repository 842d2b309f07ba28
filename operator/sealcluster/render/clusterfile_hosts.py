"""Hosts and SSH settings of a Clusterfile. Values of passwords and keys are looked at only to see whether they are there."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealcluster.render.kubeadm_inputs import FieldError

_ARCHES = ("amd64", "arm64", "x86_64", "aarch64")
_ROLES = ("master", "node", "registry")


@dataclass(frozen=True, slots=True)
class SecretToMake:
    """A Secret that the converted SealCluster refers to."""

    name: str
    keys: tuple[str, ...]
    why: str
    """Where in the Clusterfile its content stands."""


def convert_ssh(ssh: Mapping[str, Any], cluster: str) -> tuple[dict[str, Any], tuple[SecretToMake, ...]]:
    """(spec.ssh, Secrets to make). sealos takes $HOME/.ssh/id_rsa where nothing is said."""
    settings: dict[str, Any] = {"user": str(ssh.get("user") or "root"), "port": _port(ssh.get("port") or 22, "spec.ssh.port")}
    name = f"{cluster}-ssh"
    settings["credentialsSecretRef"] = {"name": name}
    secret = _secret(ssh, name, "spec.ssh") or SecretToMake(name, ("ssh-privatekey",), "$HOME/.ssh/id_rsa of the machine that ran sealos")
    return settings, (secret,)


def convert_hosts(blocks: Any, ssh: Mapping[str, Any], cluster: str) -> tuple[list[dict[str, Any]], tuple[SecretToMake, ...]]:
    """(spec.hosts, Secrets to make); blocks of addresses become one row per machine."""
    if not isinstance(blocks, list) or not blocks:
        raise FieldError("spec.hosts", "must be a list with at least one block of hosts")
    hosts: list[dict[str, Any]] = []
    secrets: list[SecretToMake] = []
    seen: dict[str, str] = {}
    for number, block in enumerate(blocks):
        where = f"spec.hosts[{number}]"
        if not isinstance(block, Mapping):
            raise FieldError(where, "must be a map with ips and roles")
        roles = _roles(block.get("roles"), f"{where}.roles")
        override, secret, default_port = _override(block.get("ssh"), ssh, f"{where}.ssh", f"{cluster}-ssh-{number + 1}")
        if secret:
            secrets.append(secret)
        env = environment(block.get("env"), f"{where}.env")
        for address, port in _addresses(block.get("ips"), default_port, f"{where}.ips", seen):
            host: dict[str, Any] = {"name": _name(roles, hosts), "address": address, "roles": list(roles)}
            if port != ssh["port"]:
                host["port"] = port
            if override:
                host["ssh"] = override
            if env:
                host["env"] = env
            hosts.append(host)
    if not any("master" in host["roles"] for host in hosts):
        raise FieldError("spec.hosts", "no host has the role master")
    return hosts, tuple(secrets)


def environment(pairs: Any, where: str) -> dict[str, str]:
    """``K=V`` entries as a map; the last of a name counts, as in sealos."""
    if pairs is None:
        return {}
    if not isinstance(pairs, list):
        raise FieldError(where, "must be a list of NAME=value")
    env = {}
    for number, pair in enumerate(pairs):
        name, separator, value = pair.partition("=") if isinstance(pair, str) else ("", "", "")
        if not separator or not name:
            raise FieldError(f"{where}[{number}]", "is not NAME=value")
        env[name] = value
    return env


def _roles(roles: Any, where: str) -> list[str]:
    if not isinstance(roles, list) or not roles:
        raise FieldError(where, "must name master or node")
    unknown = [role for role in roles if role not in _ROLES and role not in _ARCHES]
    if unknown:
        raise FieldError(where, f"{unknown[0]!r} is none of {', '.join(_ROLES)} and no architecture")
    found = [role for role in _ROLES if role in roles]
    if ("master" in found) == ("node" in found):
        raise FieldError(where, "a host is either master or node; registry only in addition to one of them")
    return found


def _addresses(ips: Any, default_port: int, where: str, seen: dict[str, str]) -> list[tuple[str, int]]:
    if not isinstance(ips, list) or not ips:
        raise FieldError(where, "must be a list of addresses")
    found = []
    for number, text in enumerate(ips):
        at = f"{where}[{number}]"
        host, separator, port = str(text).partition(":")
        try:
            address = str(ipaddress.IPv4Address(host))
        except ValueError:
            raise FieldError(at, f"{text!r} is not an IPv4 address, with or without :port") from None
        if address in seen:
            raise FieldError(at, f"{address} stands in {seen[address]} already")
        seen[address] = at
        found.append((address, _port(port, at) if separator else default_port))
    return found


def _override(own: Any, common: Mapping[str, Any], where: str, secret_name: str) -> tuple[dict[str, Any], SecretToMake | None, int]:
    """(the host's ssh, its Secret, its port)."""
    if own is None:
        return {}, None, common["port"]
    if not isinstance(own, Mapping):
        raise FieldError(where, "must be a map")
    override: dict[str, Any] = {}
    if own.get("user") and own["user"] != common["user"]:
        override["user"] = str(own["user"])
    secret = _secret(own, secret_name, where)
    if secret:
        override["credentialsSecretRef"] = {"name": secret_name}
    return override, secret, _port(own.get("port") or common["port"], f"{where}.port")


def _secret(ssh: Mapping[str, Any], name: str, where: str) -> SecretToMake | None:
    keys, places = [], []
    for key, fields in (("password", ("passwd",)), ("ssh-privatekey", ("pkData", "pk")), ("passphrase", ("pkPasswd",))):
        present = next((each for each in fields if ssh.get(each)), None)
        if present:
            keys.append(key)
            places.append(f"{where}.{present}" + (" (the content of that file)" if present == "pk" else ""))
    return SecretToMake(name, tuple(keys), ", ".join(places)) if keys else None


def _port(value: Any, where: str) -> int:
    try:
        port = int(value)
    except (TypeError, ValueError):
        port = 0
    if not 0 < port < 65536:
        raise FieldError(where, f"{value!r} is not a port number")
    return port


def _name(roles: list[str], hosts: list[dict[str, Any]]) -> str:
    """``master-2`` for the second master: a name that nothing in the Clusterfile tells."""
    role = "master" if "master" in roles else "node"
    return f"{role}-{sum(role in host['roles'] for host in hosts) + 1}"
