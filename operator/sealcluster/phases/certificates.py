"""Leaf certificates of masters: keys are made on the host and stay there, requests come to us, signed certificates go back."""

from __future__ import annotations

from sealcluster.core import paths
from sealcluster.core.digest import digest
from sealcluster.core.ops import File, GenerateCSRs, InstallCertificates, Job
from sealcluster.core.plan import Action, PhasePlan
from sealcluster.core.ports import PKI
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import Context
from sealcluster.phases.distribute import rootfs_ready
from sealcluster.phases.kubeadm_inputs import certificate_policy, cluster_inputs, node_identity, node_inputs
from sealcluster.render.kubeadm import render_csr

PKI_DIRECTORY = "/etc/kubernetes/pki"


def authority_files(pki: PKI) -> tuple[File, ...]:
    """The CAs and service-account keys as kubeadm wants them on a master."""
    pairs = (("ca", pki.ca), ("etcd/ca", pki.etcd), ("front-proxy-ca", pki.proxy))
    files = [f for name, (crt, key) in pairs for f in (_file(f"{name}.crt", crt, 0o644), _file(f"{name}.key", key))]
    public, private = pki.sa
    return (*files, _file("sa.pub", public, 0o644), _file("sa.key", private))


def _file(name: str, text: str, mode: int = 0o600) -> File:
    return File(f"{PKI_DIRECTORY}/{name}", text.encode(), mode)


def parse_requests(output: str) -> dict[str, str]:
    """Requests by name out of the output of `GenerateCSRs`."""
    requests: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in output.splitlines():
        if line.startswith("== "):
            current = requests.setdefault(line[3:].strip(), [])
        elif current is not None:
            current.append(line)
    return {name: "\n".join(lines) + "\n" for name, lines in requests.items()}


def _missing(names: tuple[str, ...]) -> str:
    """A dozen names in every status, plan and log would hide the rest of the line."""
    if not names:
        return "all are missing"
    return f"missing: {', '.join(names[:2])}{f' and {len(names) - 2} more' if len(names) > 2 else ''}"


class Certificates:
    """Every master has the leaves that its Kubernetes version needs, before kubeadm runs on it."""

    name = "certificates"
    title = "issuing certificates"

    def plan(self, view: ClusterView) -> PhasePlan:
        """Masters that lack a certificate."""
        actions = []
        done = 0
        for host in view.masters:
            if host.row is None or not host.done("claim"):
                continue
            if not host.missing_certificates and view.pki is not None:
                done += 1
                continue
            needs = ""
            if view.pki is None:
                needs = "the certificate authorities"
            elif not rootfs_ready(view, host):
                needs = "its root file system"
            actions.append(
                Action(
                    self.name,
                    "issue certificates",
                    host.name,
                    _missing(host.missing_certificates),
                    needs,
                    aside="certificates",
                )
            )
        return PhasePlan(tuple(actions), done=done, total=len(view.masters))

    async def apply(self, context: Context, view: ClusterView, action: Action) -> None:
        """Request, sign, install."""
        host = view.hosts[action.host]
        pki = view.pki
        assert pki is not None
        config = render_csr(cluster_inputs(view), node_inputs(view, host)).encode()
        requests = GenerateCSRs(paths.rootfs(view.name), config, authority_files(pki))
        result = await context.gate.run(
            host.name, Job("certificate-requests", digest(config), requests, timeout=120), reason="CertificateFailed"
        )
        signed = await context.certs.sign(
            pki, node_identity(view, host), certificate_policy(view), parse_requests(result.output), context.clock.now()
        )
        install = InstallCertificates(signed, pki.ca[0])
        identity = digest(*(part for item in sorted(signed.items()) for part in item))
        await context.gate.run(host.name, Job("certificates", identity, install, timeout=60), reason="CertificateFailed")


def certificates_ready(view: ClusterView, host: HostView) -> bool:
    """True when the master has all its leaves."""
    return view.pki is not None and not host.missing_certificates
