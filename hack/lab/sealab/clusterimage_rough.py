"""The rootfs image `rough`: treats an installer as the real runtime images do.

Everything in one compressed layer, tarballs inside, every label and variable of the format, every way of writing a
template, a check that refuses busy ports, an init that runs once, an image service in front of containerd without which
no image name but the registry's own resolves, commands that fail when the env asks for it.
"""

from pathlib import Path

from sealab import clusterimage_kubernetes as kubernetes
from sealab.containers_apt import unpacked
from sealab.gobuild import binary, build_key, recipe_of
from sealab.oci import Blobs, Layer, Settings
from sealab.oci_layer import Entry, layer, tree
from sealab.oci_registry import write_registry
from sealab.paths import SOURCE

_CRI_PROGRAMS = ("usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/bin/ctr", "usr/sbin/runc")


def inputs(version: str) -> list[str]:
    """What decides the image besides its sources."""
    return [*kubernetes.inputs(version), build_key(recipe_of(["crishim"]))]


def layers(blobs: Blobs, scratch: Path, version: str) -> list[Layer]:
    """One layer."""
    registry = scratch / "registry"
    write_registry(blobs, kubernetes.registry_content(blobs, version), registry)
    entries = [
        *tree(SOURCE / "images" / "rough", keep_modes=False),
        *tree(registry, "registry", keep_modes=False),
        *kubernetes.node_programs(version),
        *_cri(blobs),
        Entry("opt", mode=0o755),
    ]
    return [layer(blobs, entries, "gzip")]


def settings(version: str) -> Settings:
    """Every label and variable that the format knows."""
    labels = {
        "sealos.io.type": "rootfs",
        "sealos.io.version": "v1beta2",
        "apps.sealos.io/distribution": "kubernetes",
        "version": version,
        "image": "$registryDomain:${registryPort}/sealos/lvscare:v1",
        "vip": "$defaultVIP",
        "check": "check.sh $registryData",
        "init-cri": "init-cri.sh $registryDomain $registryPort",
        "clean-cri": "clean-cri.sh $criData",
        "init": "init.sh",
        "clean": "clean.sh",
        "init-registry": "init-registry.sh $registryData $registryConfig",
        "clean-registry": "clean-registry.sh $registryData $registryConfig",
        "auth": "auth.sh",
    }
    env = {
        **kubernetes.environment(version),
        "SEALOS_SYS_CRI_ENDPOINT": "/var/run/containerd/containerd.sock",
        "SEALOS_SYS_IMAGE_ENDPOINT": "/var/run/image-cri-shim.sock",
        "cgroupDriver": "systemd",
        "criState": "",
        "roughFail": "",
    }
    commands = ("/bin/sh", "-c", "bash scripts/guest.sh first $(roughFail)", "bash scripts/guest.sh second ${roughFail}")
    return Settings(labels=labels, env=env, cmd=commands)


def _cri(blobs: Blobs) -> list[Entry]:
    """Tarballs as real images have them, made by the same packer as layers: reproducible."""
    runtime = unpacked(kubernetes.RUNTIME)
    programs = [Entry(f"usr/bin/{Path(name).name}", source=runtime / name, mode=0o755) for name in _CRI_PROGRAMS]
    libraries = [Entry(f"lib/{Path(entry.path).name}", source=entry.source) for entry in kubernetes.libraries()]
    return [
        Entry("cri/cri-containerd.tar.gz", source=blobs.path(layer(blobs, programs, "gzip").blob.digest)),
        Entry("cri/libseccomp.tar.gz", source=blobs.path(layer(blobs, libraries, "gzip").blob.digest)),
        Entry("cri/registry", source=runtime / "usr/bin/docker-registry", mode=0o755),
        Entry("cri/image-cri-shim", source=binary("crishim"), mode=0o755),
    ]
