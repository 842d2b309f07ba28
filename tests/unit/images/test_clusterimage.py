"""What labels, environment and files of an image mean."""

from dataclasses import replace

import pytest

from sealcluster.core.images import ImageInfo
from sealcluster.images.clusterimage import complete, describe, personal
from sealcluster.images.errors import ImageCorrupt, UnsupportedImage
from sealcluster.images.manifest import ImageConfig
from unit.images.builders import ROOTFS_ENV, ROOTFS_LABELS

DIGEST = "a" * 64


def described(labels: dict[str, str] | None = None, env: tuple[str, ...] = tuple(ROOTFS_ENV), **config: tuple[str, ...]) -> ImageInfo:
    given = ImageConfig("linux", "amd64", (), env, ROOTFS_LABELS if labels is None else labels, **config)
    return describe("kubernetes", "registry.example/kubernetes:v1", DIGEST, "amd64", given)


def test_a_rootfs() -> None:
    info = described()
    assert (info.type, info.version, info.digest) == ("rootfs", "v1.34.4", f"sha256:{DIGEST}")
    assert info.env == {"criData": "/var/lib/containerd", "registryData": "/var/lib/registry", "defaultVIP": "10.103.97.2"}
    assert info.scripts == {key: ROOTFS_LABELS[key] for key in ("check", "init", "clean", "init-registry", "clean-registry")}
    assert info.labels["vip"] == "$defaultVIP"


def test_the_other_spelling_of_labels_and_the_default_type() -> None:
    labels = {"apps.sealos.io/type": "patch", "apps.sealos.io/version": "v1beta1", "apps.sealos.io/distribution": "kubeadm"}
    assert described(labels).type == "patch"
    assert described({}).type == "application"


def test_commands_without_their_shell() -> None:
    info = described({}, entrypoint=("/bin/sh", "-c", "cp opt/helm /usr/bin"), cmd=("/bin/sh", "-c", "helm install a", "helm install b"))
    assert info.commands == ("cp opt/helm /usr/bin", "helm install a", "helm install b")


@pytest.mark.parametrize(
    ("labels", "env", "problem"),
    [
        ({**ROOTFS_LABELS, "sealos.io.distribution": "k3s"}, (), "k3s"),
        ({"apps.sealos.io/distribution": "k3s"}, (), "k3s"),
        ({**ROOTFS_LABELS, "sealos.io.type": "strange"}, (), "strange"),
        ({**ROOTFS_LABELS, "sealos.io.version": ""}, (), "sealos.io.version"),
        ({**ROOTFS_LABELS, "sealos.io.version": "v9"}, (), "sealos.io.version"),
        ({**ROOTFS_LABELS, "version": ""}, (), "label version"),
        ({**ROOTFS_LABELS, "version": "latest"}, (), "label version"),
        (ROOTFS_LABELS, ("SEALOS_SYS_CRI_ENDPOINT=/var/run/cri-dockerd.sock",), "docker flavour"),
        (ROOTFS_LABELS, ("criData=/var/lib/docker", "criDockerdData=/var/lib/cri-dockerd"), "docker flavour"),
        (ROOTFS_LABELS, ("SEALOS_SYS_CRI_ENDPOINT=/var/run/crio/crio.sock",), "cri-o flavour"),
        (ROOTFS_LABELS, ("criData=/var/lib/crio",), "cri-o flavour"),
    ],
)
def test_what_is_not_supported(labels: dict[str, str], env: tuple[str, ...], problem: str) -> None:
    with pytest.raises(UnsupportedImage, match=problem) as caught:
        described(labels, env)
    assert caught.value.reason == "UnsupportedImage"


@pytest.mark.parametrize("flavour", ["docker", "crio", "cri-dockerd"])
def test_flavours_that_only_scripts_give_away(flavour: str) -> None:
    with pytest.raises(UnsupportedImage, match="flavour"):
        complete(described(env=()), {f"scripts/init-{flavour}.sh", "scripts/init.sh"}, "")
    assert complete(described(env=()), {f"scripts/init-{flavour}.sh", "scripts/init-containerd.sh"}, "")


@pytest.mark.parametrize("entry", ["no equals", "=x", "a b=c", "a\n=c", "A=\0"])
def test_strange_environments_are_refused(entry: str) -> None:
    with pytest.raises(ImageCorrupt):
        described(env=(entry,))


CONFIGS = """\
apiVersion: apps.sealos.io/v1beta1
kind: Config
metadata: {name: one}
spec: {path: etc/a, data: first, strategy: merge}
---
kind: Cluster
---
kind: Config
metadata: {name: one}
spec: {path: etc/a, data: second}
---
kind: Config
spec: {path: etc/b, match: other}
---
kind: Config
spec: {path: etc/c, match: mine, data: null}
"""


def test_config_documents_the_later_of_a_name_wins_and_only_matching_ones_stay() -> None:
    info = complete(described(), (), CONFIGS)
    assert len(info.configs) == 3
    mine = personal(info, "mine", "registry.example/x:y")
    assert [document["spec"] for document in mine.configs] == [{"path": "etc/a", "data": "second"}, {"path": "etc/c", "match": "mine"}]
    assert (mine.name, mine.ref) == ("mine", "registry.example/x:y")
    assert mine == replace(info, name="mine", ref="registry.example/x:y", configs=mine.configs)


@pytest.mark.parametrize(
    "text", ["kind: [", "kind: Config", "kind: Config\nspec: {path: [1]}", "kind: Config\nmetadata: 3\nspec: {}", "[" * 5_000]
)
def test_bad_config_files_are_refused(text: str) -> None:
    with pytest.raises(ImageCorrupt, match=r"config\.yml"):
        complete(described(), (), text)
