"""The lab's cluster images, as installers and registries see them."""

import json
import shutil
import subprocess
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from labkit.images import ClusterImages
from sealab import clusterimage
from sealab.clusterimage_unpack import config, render, unpack
from sealab.gobuild import binary
from sealab.machines_layout import Layout
from sealab.registry import Registry, serve

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def unpacked(cluster_image: ClusterImages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("image") / "kubernetes"
    unpack(cluster_image("kubernetes", "v1.34.4"), target)
    return target


def test_it_has_the_rootfs_format(cluster_image: ClusterImages, unpacked: Path) -> None:
    read = config(cluster_image("kubernetes", "v1.34.4"))
    assert {path.name for path in unpacked.iterdir()} == {"bin", "cri", "etc", "opt", "registry", "scripts", "statics"}
    assert {"kubeadm", "kubelet", "kubectl", "crictl", "conntrack"} == {path.name for path in (unpacked / "bin").iterdir()}
    assert read["labels"]["sealos.io.type"] == "rootfs"
    assert read["labels"]["version"] == "v1.34.4"
    assert read["env"]["sandboxImage"].startswith("pause:3.")
    assert (unpacked / "scripts" / "init.sh").stat().st_mode & 0o777 == 0o755


def test_its_registry_holds_all_that_kubeadm_wants(unpacked: Path) -> None:
    shown = subprocess.run(
        [binary("kubeadm", "v1.34.4"), "config", "images", "list", "--kubernetes-version", "v1.34.4"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert len(shown) == 7
    root = unpacked / "registry/docker/registry/v2"
    for name in [*shown, "any/haproxy:2.6", "any/sealos/lvscare:v1"]:
        repository, _, tag = name.partition("/")[2].partition(":")
        digest = (root / "repositories" / repository / "_manifests/tags" / tag / "current/link").read_text()
        manifest = json.loads((root / "blobs/sha256" / digest[7:9] / digest[7:] / "data").read_bytes())
        for blob in (manifest["config"], *manifest["layers"]):
            data = root / "blobs/sha256" / blob["digest"][7:9] / blob["digest"][7:] / "data"
            assert data.stat().st_size == blob["size"]


@pytest.mark.parametrize(("switch", "restricted"), [("1", True), ("0", None)])
def test_its_templates_render_for_the_lab_and_for_real_machines(
    cluster_image: ClusterImages, unpacked: Path, tmp_path: Path, switch: str, restricted: bool | None
) -> None:
    shutil.copytree(unpacked / "etc", tmp_path / "etc")
    env = {
        **config(cluster_image("kubernetes", "v1.34.4"))["env"],
        "SEALAB": switch,
        "registryPassword": "s3cret",
        "criSnapshotter": "native",
    }
    render(tmp_path, env)
    plugin = tomllib.loads((tmp_path / "etc/config.toml").read_text())["plugins"]["io.containerd.grpc.v1.cri"]
    assert plugin.get("restrict_oom_score_adj") is restricted
    assert plugin["containerd"]["snapshotter"] == "native"
    assert plugin["sandbox_image"] == f"sealos.hub:5000/{env['sandboxImage']}"
    assert plugin["registry"]["configs"]["sealos.hub:5000"]["auth"] == {"username": "admin", "password": "s3cret"}
    assert ('Environment="SEALAB=1"' in (tmp_path / "etc/10-kubeadm.conf").read_text()) is (switch == "1")
    assert yaml.safe_load((tmp_path / "etc/registry_config.yml").read_text())["http"]["addr"] == ":5000"
    assert tomllib.loads((tmp_path / "etc/hosts.toml").read_text())["host"].keys() == {"http://sealos.hub:5000"}
    assert not [path for path in (tmp_path / "etc").iterdir() if "<no value>" in path.read_text()]


def test_built_twice_it_has_the_same_digest(
    cluster_image: ClusterImages, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("hello", "lab-cni", "kubernetes")
    first = {name: cluster_image(name).digest for name in names}
    monkeypatch.setattr(clusterimage, "CACHE", tmp_path_factory.mktemp("second-cache"))
    assert {name: clusterimage.build(name).digest for name in names} == first


@pytest.fixture
def registry() -> Iterator[Registry]:
    lab = "images-test"
    running = serve(lab, "127.0.0.1", ["hello"], port=5087)
    try:
        yield running
    finally:
        running.stop()
        Layout(lab).data.rmdir()


def test_the_labs_registry_serves_cluster_images(registry: Registry, cluster_image: ClusterImages) -> None:
    ref = registry.add(cluster_image("lab-cni"))
    assert ref == "127.0.0.1:5087/lab-cni:v1"
    for name in ("hello", "lab-cni"):
        request = urllib.request.Request(
            f"http://{registry.address}/v2/{name}/manifests/v1", headers={"Accept": "application/vnd.oci.image.manifest.v1+json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.headers["Docker-Content-Digest"] == cluster_image(name).digest
            manifest = json.load(answer)
        blob = manifest["layers"][0]
        with urllib.request.urlopen(f"http://{registry.address}/v2/{name}/blobs/{blob['digest']}", timeout=10) as answer:
            assert len(answer.read()) == blob["size"]
