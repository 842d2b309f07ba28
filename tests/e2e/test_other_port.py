"""The control plane on another port than Kubernetes' own: the API servers, the workers' balancers and every kubeconfig agree on it."""

import pytest

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


def test_a_cluster_whose_api_servers_listen_on_port_7443(managed):
    here = managed(3)
    here.apply(here.site.document(["m1", "m2"], ["m3"], endpoint={"port": 7443}))
    here.ready(seconds=600)
    cluster = here.cluster()
    assert ":7443" in cluster.kubeconfig.read_text()
    assert cluster.ready_nodes() == {"m1", "m2", "m3"}
    listening = here.site.lab.machines["m3"].exec("ss -Hltn").stdout.decode()
    assert "127.0.0.1:7443" in listening, "the worker's balancer is not there"
    assert ":6443 " not in here.site.lab.machines["m1"].exec("ss -Hltn").stdout.decode()
    kubelet = here.site.lab.machines["m3"].exec("cat /etc/kubernetes/kubelet.conf").stdout.decode()
    assert "https://apiserver.cluster.local:7443" in kubelet
