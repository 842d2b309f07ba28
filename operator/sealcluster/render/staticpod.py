"""The workers' way to the masters: a balancer as a static pod, which needs no API server to start.

- lvscare keeps an IPVS virtual server VIP:port; the control plane's name points to the VIP in /etc/hosts.
- haproxy listens on 127.0.0.1:port, where nothing else of a worker listens, and the name points to 127.0.0.1. No virtual address, no
  kernel module, nothing reachable from outside the machine.

Both are the same text for the same set of masters, in whatever order they are listed: kubelet restarts a static pod when its
file changes, and only then.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from typing import Any

from sealcluster.core.ops import File
from sealcluster.render.kubeadm import dump

MANIFESTS = "/etc/kubernetes/manifests"
LVSCARE_NAME = "kube-sealos-lvscare"
HAPROXY_NAME = "kube-sealcluster-haproxy"
HAPROXY_CONFIG = "/etc/kubernetes/sealcluster-haproxy.cfg"
LOOPBACK = "127.0.0.1"

_MOUNTED_CONFIG = "/etc/sealcluster/haproxy.cfg"


def lvscare_files(*, image: str, vip: str, port: int, masters: Iterable[str], node_ip: str) -> tuple[File, ...]:
    """The static pod of lvscare. `masters` are host:port of API servers, `node_ip` the worker's own address (its route to the VIP)."""
    servers = _ordered(masters)
    arguments = ["care", "--vs", f"{vip}:{port}", "--health-path", "/healthz", "--health-schem", "https"]
    for server in servers:
        arguments += ["--rs", server]
    container = {
        "name": LVSCARE_NAME,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/usr/bin/lvscare"],
        "args": arguments,
        "env": [{"name": "LVSCARE_NODE_IP", "value": node_ip}],
        "securityContext": {"privileged": True},
        "volumeMounts": [{"name": "lib-modules", "mountPath": "/lib/modules", "readOnly": True}],
    }
    volumes = [{"name": "lib-modules", "hostPath": {"path": "/lib/modules"}}]
    pod = _pod(LVSCARE_NAME, container, volumes)
    return (File(f"{MANIFESTS}/{LVSCARE_NAME}.yaml", dump([pod]).encode(), 0o600),)


def haproxy_files(*, image: str, port: int, masters: Iterable[str]) -> tuple[File, ...]:
    """haproxy's configuration and, after it, its static pod; `masters` are host:port of API servers.

    The pod carries the configuration's digest, so that a new list of masters restarts it. The order matters: a pod that starts finds its
    configuration.
    """
    config = haproxy_config(port=port, masters=masters).encode()
    container = {
        "name": HAPROXY_NAME,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["haproxy", "-db", "-f", _MOUNTED_CONFIG],
        "livenessProbe": {
            "tcpSocket": {"host": LOOPBACK, "port": port},
            "initialDelaySeconds": 5,
            "periodSeconds": 10,
            "failureThreshold": 3,
        },
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "config", "mountPath": _MOUNTED_CONFIG, "readOnly": True}],
    }
    volumes = [{"name": "config", "hostPath": {"path": HAPROXY_CONFIG, "type": "File"}}]
    pod = _pod(HAPROXY_NAME, container, volumes)
    pod["metadata"]["annotations"] = {"sealcluster.io/config-digest": hashlib.sha256(config).hexdigest()}
    pod["spec"]["terminationGracePeriodSeconds"] = 5
    return (
        File(HAPROXY_CONFIG, config, 0o644),
        File(f"{MANIFESTS}/{HAPROXY_NAME}.yaml", dump([pod]).encode(), 0o600),
    )


def haproxy_config(*, port: int, masters: Iterable[str]) -> str:
    """haproxy.cfg: TCP passed through to the masters whose /readyz says so.

    A master that fails twice loses its open connections, so that kubelets reconnect at once instead of after their own timeouts;
    `leastconn` because watches live for hours. Old connections die within a second of a restart: the port must be free for the next.
    """
    servers = "".join(f"    server master-{number} {server}\n" for number, server in enumerate(_ordered(masters), 1))
    return f"""\
# The control plane as this worker sees it. Written anew when the masters change.
global
    log stdout format raw local0 notice
    maxconn 4000
    hard-stop-after 1s

defaults
    mode tcp
    log global
    option dontlognull
    option tcpka
    option redispatch
    retries 3
    timeout connect 3s
    timeout check 3s
    timeout client 1h
    timeout server 1h

frontend api-server
    bind {LOOPBACK}:{port}
    default_backend masters

backend masters
    balance leastconn
    option httpchk GET /readyz
    http-check expect status 200
    default-server check check-ssl verify none inter 3s fastinter 1s downinter 2s fall 2 rise 1 on-marked-down shutdown-sessions
{servers}"""


def _pod(name: str, container: dict[str, Any], volumes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "kube-system", "labels": {"component": name, "tier": "node"}},
        "spec": {
            "hostNetwork": True,
            "priorityClassName": "system-node-critical",
            "containers": [container],
            "volumes": volumes,
        },
    }


def _ordered(masters: Iterable[str]) -> list[str]:
    """Each once, by number: 10.0.0.9 before 10.0.0.10; names after addresses."""

    def key(server: str) -> tuple[int, int, str]:
        host = server.rpartition(":")[0].strip("[]")
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return 9, 0, server
        return address.version, int(address), server

    return sorted(set(masters), key=key)
