"""The seed's last step: the result as a Clusterfile, in sealos' own format. Pure; it becomes `status.clusterfile`."""

from __future__ import annotations

from sealcluster.core.view import ClusterView
from sealcluster.phases.kubeadm_inputs import cluster_inputs, node_inputs
from sealcluster.render.clusterfile import ClusterfileConfig, ClusterfileHost, ClusterfileImage, ClusterfileInputs, render_clusterfile
from sealcluster.render.kubeadm import init_documents, join_template


def clusterfile(view: ClusterView, *, ready: bool) -> str | None:
    """The text; None while the images are unknown or the cluster does not exist."""
    if not view.initialized or not view.images or not view.masters:
        return None
    refs = {str(i.name): str(i.ref) for i in view.spec.images}
    types = {i.name: i.type for i in view.any_images}
    inputs = cluster_inputs(view)
    common = view.spec.ssh
    return render_clusterfile(
        ClusterfileInputs(
            name=view.name,
            images=tuple(ClusterfileImage(name, ref, types.get(name, "")) for name, ref in refs.items()),
            hosts=tuple(
                ClusterfileHost(
                    address=h.node_ip,
                    roles=h.roles,
                    port=(h.spec.port if h.spec else None) or common.port,
                    user=str(h.spec.ssh.user) if h.spec and h.spec.ssh and h.spec.ssh.user else "",
                    arch=h.facts.arch if h.facts else "",
                    env=dict(h.spec.env) if h.spec else {},
                )
                for h in view.wanted
            ),
            user=str(common.user),
            port=common.port,
            env=dict(view.spec.env),
            configs=tuple(
                ClusterfileConfig(str(c.path), c.data, refs.get(str(c.match), "") if c.match else "", str(c.strategy))
                for c in view.spec.configs
                if c.data is not None
            ),
            documents=(*init_documents(inputs, node_inputs(view, view.masters[0])), join_template(inputs)),
            ready=ready,
        )
    )
