"""A finished cluster, looked at from outside: what is asked of it is asked with kubectl and etcdctl, not with code of the product."""

import json
import subprocess
from pathlib import Path
from typing import Any

from sealab.gobuild import binary


class Cluster:
    """A finished cluster, seen from outside through its kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig

    def kubectl(self, *words: str, stdin: str | None = None, check: bool = True, timeout: float = 60) -> str:
        """The real kubectl."""
        done = subprocess.run(
            [binary("kubectl"), "--kubeconfig", str(self.kubeconfig), *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(words)}: {done.stderr}")
        return done.stdout

    def get(self, *words: str) -> dict[str, Any]:
        """`kubectl get … -o json`."""
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def ready_nodes(self) -> set[str]:
        """Names of Ready nodes."""
        nodes = self.get("nodes")["items"]
        return {
            n["metadata"]["name"] for n in nodes if any(c["type"] == "Ready" and c["status"] == "True" for c in n["status"]["conditions"])
        }

    def pods(self, selector: str, namespace: str) -> list[dict[str, Any]]:
        """Pods of a selector."""
        return self.get("pods", "-n", namespace, "-l", selector)["items"]

    def etcd_members(self, site: Any, master: str) -> list[dict[str, Any]]:
        """etcd's own list, asked on a master."""
        return list(self.etcd(site, master)["members"])

    def etcd(self, site: Any, master: str) -> dict[str, Any]:
        """`etcdctl member list`: cluster id in the header, and the members."""
        machine = site.lab.machines[master]
        containers = json.loads(machine.exec("crictl ps --name etcd -o json").stdout)["containers"]
        pki = "/etc/kubernetes/pki/etcd"
        answer = machine.exec(
            f"crictl exec {containers[0]['id']} etcdctl --endpoints https://127.0.0.1:2379 --cacert {pki}/ca.crt "
            f"--cert {pki}/healthcheck-client.crt --key {pki}/healthcheck-client.key member list -w json"
        )
        return json.loads(answer.stdout)
