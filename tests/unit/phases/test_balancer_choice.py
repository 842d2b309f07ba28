"""Which balancer a worker gets, and what is said when it cannot have the one that was asked for."""

import pytest

from sealcluster.core.errors import TerminalError
from sealcluster.core.images import ImageInfo
from sealcluster.phases.balancer_choice import balancer_image
from unit.core.views import spec, view


def world(labels=None, **endpoint):
    image = ImageInfo("registry.example/x:v1", "kubernetes", "sha256:1", "amd64", "rootfs", version="v1.34.4", labels=labels or {})
    return view(spec(1, 1, endpoint=endpoint), images={"amd64": (image,)})


def chosen(here):
    return balancer_image(here, here.hosts["w1"])


def test_the_image_of_lvscare_is_what_a_cluster_image_names():
    assert chosen(world({"image": "lvscare:v4"}, loadBalancer="lvscare")) == "lvscare:v4"


def test_the_image_of_the_spec_wins():
    assert chosen(world(loadBalancer="lvscare", loadBalancerImage="mine/lvscare:v5")) == "mine/lvscare:v5"


def test_lvscare_that_no_image_brings_is_told_with_the_field_that_asks_for_it():
    with pytest.raises(TerminalError, match=r"spec\.endpoint\.loadBalancer is lvscare") as caught:
        chosen(world(loadBalancer="lvscare"))
    assert "spec.endpoint.loadBalancerImage" in caught.value.hint
