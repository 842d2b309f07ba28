"""The balancer's files are the same bytes as when they are written out for each worker alone: a release must not rewrite them."""

import pytest

from sealcluster.phases.load_balancer import _files
from sealcluster.render.staticpod import haproxy_files, lvscare_files

MASTERS = ("10.0.0.1:6443", "10.0.0.12:6443")


@pytest.mark.parametrize("node", ["10.0.0.1", "10.0.7.9", "192.168.100.200", "1.1.1.1"])
def test_lvscare(node):
    alone = lvscare_files(image="r/lvscare:v1", vip="10.103.97.2", port=6443, masters=MASTERS, node_ip=node)
    assert _files("lvscare", "r/lvscare:v1", "10.103.97.2", 6443, MASTERS, node) == alone


def test_haproxy():
    assert _files("haproxy", "r/haproxy:v1", "10.103.97.2", 6443, MASTERS, "") == haproxy_files(
        image="r/haproxy:v1", port=6443, masters=MASTERS
    )
