"""What the images' clean scripts are told: the values that their init scripts were told, and no secret."""

from sealcluster.core.images import ImageInfo
from sealcluster.phases.claim import clean_env
from unit.core.views import spec, view

OWN = {"criData": "/var/lib/containerd", "registryData": "/var/lib/registry", "registryPassword": "passw0rd"}


def world(**more):
    image = ImageInfo("registry.example/x:v1", "kubernetes", "sha256:1", "amd64", "rootfs", version="v1.34.4", env=OWN)
    here = view(spec(1, 1, **more), images={"amd64": (image,)}, registry_password="3c5a0f")
    return clean_env(here, here.hosts["w1"])


def test_without_a_word_of_the_user_it_is_what_the_image_says():
    assert world() == {
        "criData": "/var/lib/containerd",
        "registryData": "/var/lib/registry",
        "registryDomain": "sealos.hub",
        "registryPort": "5000",
    }


def test_a_folder_that_the_user_chose_is_the_one_that_is_cleaned():
    assert world(env={"criData": "/data/containerd"})["criData"] == "/data/containerd"


def test_the_host_s_own_word_counts_most():
    document = {"name": "w1", "address": "10.0.1.1", "roles": ["node"], "env": {"criData": "/disk/1"}}
    hosts = [{"name": "m1", "address": "10.0.0.1", "roles": ["master"]}, document]
    assert world(env={"criData": "/data/containerd"}, hosts=hosts)["criData"] == "/disk/1"


def test_what_only_the_user_knows_is_not_kept():
    assert world(env={"TOKEN": "swordfish"}) == world()
