"""The rootfs image `kubernetes`: container runtime, registry, Kubernetes' programs, all of kubeadm's images, scripts.

One layer per kind of content, none of them compressed: on two cores unpacking costs more than the bytes do, and what is
large inside (the registry's blobs) is compressed already.
"""

from collections.abc import Iterator
from pathlib import Path

from sealab import containers
from sealab.containers_apt import unpacked, versions
from sealab.gobuild import binaries, binary, build_key, recipe_of
from sealab.oci import Blobs, Image, Layer, Settings
from sealab.oci_layer import Entry, layer, tree
from sealab.oci_registry import write_registry
from sealab.paths import SOURCE

RUNTIME = ("containerd", "runc", "docker-registry")
_LIBRARIES = ("libseccomp2", "libnetfilter-conntrack3", "libmnl0", "libnfnetlink0")
_CONNTRACK = ("conntrack",)
_PACKAGES = (*RUNTIME, *_LIBRARIES, *_CONNTRACK, "haproxy", "iptables", "nftables", "ipset", "kmod", "ipvsadm")

_CRI_PROGRAMS = ("usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/bin/ctr", "usr/sbin/runc")
_NODE_PROGRAMS = ("kubeadm", "kubelet", "kubectl")
_KUBERNETES = (*_NODE_PROGRAMS, "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")


def inputs(version: str) -> list[str]:
    """Build keys and package versions: what decides the image besides its sources."""
    built = [recipe_of(_KUBERNETES, version), *(recipe_of([name]) for name in ("etcd", "coredns", "crictl"))]
    return [version, *(build_key(recipe) for recipe in built), str(sorted(versions(tuple(sorted(_PACKAGES))).items()))]


def layers(blobs: Blobs, scratch: Path, version: str) -> list[Layer]:
    """The image's layers; the registry's tree is laid out in `scratch` first."""
    registry = scratch / "registry"
    write_registry(blobs, registry_content(blobs, version), registry)
    source = SOURCE / "images" / "kubernetes"
    return [
        layer(blobs, [*_cri(), Entry("opt", mode=0o755)], "none"),
        layer(blobs, node_programs(version), "none"),
        layer(blobs, tree(source, keep_modes=False), "none"),
        layer(blobs, tree(registry, "registry", keep_modes=False), "none"),
    ]


def settings(version: str) -> Settings:
    """Labels and environment as the standard containerd runtime images have them."""
    return Settings(labels=labels(version), env=environment(version))


def labels(version: str) -> dict[str, str]:
    """What an installer reads: type, version and the scripts to call."""
    return {
        "sealos.io.type": "rootfs",
        "sealos.io.version": "v1beta1",
        "sealos.io.distribution": "kubernetes",
        "version": version,
        "image": "sealos.hub:5000/sealos/lvscare:v1",
        "vip": "$defaultVIP",
        "check": "check.sh $registryData",
        "init": "init-cri.sh $registryDomain $registryPort && bash init.sh",
        "clean": "clean.sh && bash clean-cri.sh $criData",
        "init-registry": "init-registry.sh $registryData $registryConfig",
        "clean-registry": "clean-registry.sh $registryData $registryConfig",
    }


def environment(version: str) -> dict[str, str]:
    """Defaults that a cluster's own environment overrides."""
    return {
        "criData": "/var/lib/containerd",
        "registryData": "/var/lib/registry",
        "registryConfig": "/etc/registry",
        "registryDomain": "sealos.hub",
        "registryPort": "5000",
        "registryUsername": "admin",
        "registryPassword": "passw0rd",
        "disableApparmor": "false",
        "SEALOS_SYS_CRI_ENDPOINT": "/run/containerd/containerd.sock",
        "SEALOS_SYS_IMAGE_ENDPOINT": "/run/containerd/containerd.sock",
        "defaultVIP": "10.103.97.2",
        "sandboxImage": containers.pause_version(version),
        # the lab's machines share one kernel; SEALAB=0 in a cluster's env makes this an image for real machines
        "SEALAB": "1",
    }


def registry_content(blobs: Blobs, version: str) -> list[tuple[str, str, Image]]:
    """Everything that the image's registry holds, as (repository, tag, image)."""
    binaries(_KUBERNETES, version)  # one `go build` for all of them
    images = [*containers.kubernetes(blobs, version), *containers.haproxy(blobs), *containers.lvscare(blobs)]
    return [(item.repository, item.tag, item.image) for item in images]


def node_programs(version: str) -> Iterator[Entry]:
    """`bin/`: what goes to every node's /usr/bin."""
    built = {**binaries(_NODE_PROGRAMS, version), "crictl": binary("crictl")}
    yield from (Entry(f"bin/{name}", source=path, mode=0o755) for name, path in built.items())
    yield Entry("bin/conntrack", source=unpacked(_CONNTRACK) / "usr/sbin/conntrack", mode=0o755)


def libraries() -> Iterator[Entry]:
    """`cri/lib/`: what Debian's runtime and conntrack load and another system may lack."""
    for path in sorted((unpacked(_LIBRARIES) / "usr/lib/x86_64-linux-gnu").glob("*.so.*")):
        if not path.is_symlink():
            # the name that the loader looks for has the major version only
            name, _, rest = path.name.partition(".so.")
            yield Entry(f"cri/lib/{name}.so.{rest.split('.')[0]}", source=path)


def _cri() -> Iterator[Entry]:
    runtime = unpacked(RUNTIME)
    for program in _CRI_PROGRAMS:
        yield Entry(f"cri/bin/{Path(program).name}", source=runtime / program, mode=0o755)
    yield Entry("cri/registry", source=runtime / "usr/bin/docker-registry", mode=0o755)
    yield from libraries()
