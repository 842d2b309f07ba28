"""The admin kubeconfig of a new cluster: self-contained, and independent of the names that only the cluster's own hosts resolve."""

from __future__ import annotations

import base64

import yaml


def admin_kubeconfig(cluster: str, server: str, tls_server_name: str, ca_pem: str, certificate_pem: str, key_pem: str) -> str:
    """YAML for the Secret `<cluster>-kubeconfig` (key ``value``). Secret: it holds the private key.

    `server` is the URL of one healthy master by address; `tls_server_name` is the name that its certificate is checked for (the
    control-plane endpoint), so that any master, also one that joins later, can take its place.
    """
    user = f"{cluster}-admin"
    context = f"{user}@{cluster}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {
                    "server": server,
                    "tls-server-name": tls_server_name,
                    "certificate-authority-data": _base64(ca_pem),
                },
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": cluster, "user": user}}],
        "current-context": context,
        "users": [
            {
                "name": user,
                "user": {"client-certificate-data": _base64(certificate_pem), "client-key-data": _base64(key_pem)},
            }
        ],
    }
    return yaml.safe_dump(document, sort_keys=False, width=1_000_000)


def _base64(pem: str) -> str:
    return base64.b64encode(pem.encode()).decode()
