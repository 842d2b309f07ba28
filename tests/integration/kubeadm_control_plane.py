"""A stand-in for a running cluster's API, for what `kubeadm join` asks before it looks at certificates."""

import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

from sealcluster.pki.bundle import ClusterPKI
from sealcluster.pki.client import create_client
from sealcluster.pki.leaves import LeafSpec
from sealcluster.render.kubeadm import init_documents
from sealcluster.render.kubeadm_inputs import ClusterInputs, NodeInputs


class ControlPlane:
    """As much of a running cluster's API as `kubeadm join` asks before it looks at certificates."""

    def __init__(self, pki: ClusterPKI, inputs: ClusterInputs, first: NodeInputs, token: str, certificates: Path, folder: Path) -> None:
        self._pki, self._inputs, self._first, self._token = pki, inputs, first, token
        self._certificates, self._folder = certificates, folder

    @contextmanager
    def running(self) -> Iterator[str]:
        """host:port of the API server."""
        now = datetime.now(UTC)
        serving = create_client(
            LeafSpec("apiserver", "ca", "kube-apiserver", (), ("server",), (), ("127.0.0.1",)), self._pki.ca, timedelta(days=1), now
        )
        pem = self._folder / "serving.pem"
        pem.write_text(serving.certificate + serving.key.decode())
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pem)
        objects: dict[str, object] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = objects.get(self.path.split("?")[0])
                body = json.dumps(found or {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}).encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            endpoint = f"127.0.0.1:{server.server_port}"
            objects.update(self._objects(endpoint))
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield endpoint
            finally:
                server.shutdown()
                thread.join()

    def _objects(self, endpoint: str) -> dict[str, object]:
        ca = base64.b64encode(self._pki.ca.certificate_pem.encode()).decode()
        cluster_info = yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "", "cluster": {"server": f"https://{endpoint}", "certificate-authority-data": ca}}],
            }
        )
        _, uploaded, kubelet, kube_proxy = init_documents(self._inputs, self._first)
        uploaded["certificatesDir"] = str(self._certificates)
        info = {"kubeconfig": cluster_info, "jws-kubeconfig-abcdef": detached_signature(cluster_info, self._token)}
        found = {"kube-public/configmaps/cluster-info": info}
        found["kube-system/configmaps/kubeadm-config"] = {"ClusterConfiguration": yaml.safe_dump(uploaded)}
        found["kube-system/configmaps/kubelet-config"] = {"kubelet": yaml.safe_dump(kubelet)}
        found["kube-system/configmaps/kube-proxy"] = {"config.conf": yaml.safe_dump(kube_proxy)}
        return {
            f"/api/v1/namespaces/{path}": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": path.split("/")[-1]}, "data": data}
            for path, data in found.items()
        }


def detached_signature(text: str, token: str) -> str:
    """What the controller manager's bootstrap signer adds to cluster-info: a JWS without its payload."""

    def encode(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    identifier, secret = token.split(".")
    head = encode(json.dumps({"alg": "HS256", "kid": identifier}, separators=(",", ":")).encode())
    signed = hmac.new(secret.encode(), f"{head}.{encode(text.encode())}".encode(), hashlib.sha256).digest()
    return f"{head}..{encode(signed)}"
