"""What of the spec reaches kubeadm's configuration."""

import yaml

from sealcluster.core.images import ImageInfo
from sealcluster.phases.kubeadm_inputs import cluster_inputs, node_inputs
from sealcluster.render.kubeadm import render_init, render_join
from sealcluster.render.kubeadm_inputs import Discovery
from unit.core.views import spec, view


def world(**more):
    image = ImageInfo("registry.example/x:v1", "kubernetes", "sha256:1", "amd64", "rootfs", version="v1.34.4")
    return view(spec(2, **more), images={"amd64": (image,)})


def by_kind(text):
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def test_api_servers_listen_on_the_port_of_the_endpoint():
    """Everything else reaches them there: joins, balancers, the kubeconfig."""
    here = world(endpoint={"port": 7443})
    inputs = cluster_inputs(here)
    init = by_kind(render_init(inputs, node_inputs(here, here.hosts["m1"])))
    assert init["InitConfiguration"]["localAPIEndpoint"]["bindPort"] == 7443
    assert init["ClusterConfiguration"]["controlPlaneEndpoint"] == "apiserver.cluster.local:7443"
    discovery = Discovery("10.0.0.1:7443", ("sha256:0",), "abcdef.0123456789abcdef")
    join = by_kind(render_join(inputs, node_inputs(here, here.hosts["m2"]), discovery, master=True))
    assert join["JoinConfiguration"]["controlPlane"]["localAPIEndpoint"]["bindPort"] == 7443
