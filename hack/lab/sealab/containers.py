"""The container images inside the cluster images: kubeadm's own, made from our builds, and a few more.

Each is one layer on nothing where the program is static. Names and tags are the ones that kubeadm asks for, without
the registry's host: the tag says what kubeadm expects, the program inside is the version that the lab builds.
"""

import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sealab.containers_apt import installed, versions, with_libraries
from sealab.errors import LabError
from sealab.gobuild import binaries, binary
from sealab.oci import Blobs, Image, Settings, image
from sealab.oci_layer import Entry, layer, tree
from sealab.paths import SOURCE

COMPRESSION = "zstd"
"""Of container images' layers. Measured, seconds of CPU for containerd to pull kubeadm's images: zstd 3.0 and 137 MB on the
wire, uncompressed 2.9 and 490 MB, gzip 4.9."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_PROXY_PACKAGES = ("iptables", "nftables", "conntrack", "ipset", "kmod")
_BALANCER_PACKAGES = ("ipvsadm", "kmod")
_PROXY_PROGRAMS = ("xtables-nft-multi", "xtables-legacy-multi", "nft", "conntrack", "ipset")
_PROXY_LINKS = ("iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore")


@dataclass(frozen=True)
class Container:
    """One image of a registry: `repository:tag`."""

    repository: str
    tag: str
    image: Image

    @property
    def name(self) -> str:
        """`repository:tag`, without the registry's host."""
        return f"{self.repository}:{self.tag}"


def kubernetes(blobs: Blobs, version: str) -> list[Container]:
    """All images that this version's kubeadm wants, under exactly the names it wants."""
    kubeadm = binary("kubeadm", version)
    shown = subprocess.run(
        [kubeadm, "config", "images", "list", "--kubernetes-version", version], check=True, capture_output=True, text=True
    ).stdout
    found = []
    for line in shown.split():
        repository, tag = line.split("/", 1)[1].rsplit(":", 1)
        make = _MAKERS.get(repository)
        if make is None:
            raise LabError(f"building kubeadm's images: {version} wants {repository}, for which the lab has no recipe")
        found.append(Container(repository, tag, make(blobs, version)))
    return found


def haproxy(blobs: Blobs) -> list[Container]:
    """Debian's haproxy, under its version and its series (`2.6`), for workers' load balancer."""
    root = installed(["haproxy"])
    version = versions(("haproxy",))["haproxy"].split("-")[0]
    settings = Settings(env={"PATH": _PATH}, cmd=("haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"))
    packed = _image(blobs, with_libraries(root, ["usr/sbin/haproxy"]), settings)
    return [Container("haproxy", tag, packed) for tag in (version, version.rsplit(".", 1)[0])]


def lvscare(blobs: Blobs) -> list[Container]:
    """A stand-in for lvscare: its arguments, real IPVS through Debian's ipvsadm."""
    root = installed(_BALANCER_PACKAGES)
    programs = list(with_libraries(root, ["sbin/ipvsadm", "bin/kmod"]))
    entries = [*programs, Entry("usr/sbin/modprobe", link="../bin/kmod"), Entry("usr/bin/lvscare", source=binary("lvscare"), mode=0o755)]
    settings = Settings(env={"PATH": _PATH}, entrypoint=("/usr/bin/lvscare",))
    return [Container("sealos/lvscare", "v1", _image(blobs, entries, settings))]


def lab_cni(blobs: Blobs) -> list[Container]:
    """The lab's pod network: agent and CNI plugins."""
    built = binaries(["lab-cni", "bridge", "loopback", "host-local", "portmap"])
    agent = built.pop("lab-cni")
    entries = [Entry("lab-cni", source=agent, mode=0o755)]
    entries += [Entry(f"plugins/{name}", source=path, mode=0o755) for name, path in built.items()]
    return [Container("lab-cni", "v1", _image(blobs, entries, Settings(entrypoint=("/lab-cni",))))]


def hello(blobs: Blobs) -> list[Container]:
    """A web server that says which pod it is."""
    entries = [Entry("hello", source=binary("hello"), mode=0o755)]
    return [Container("hello", "v1", _image(blobs, entries, Settings(entrypoint=("/hello",))))]


def pause_version(version: str) -> str:
    """`pause:X` as kubeadm of this Kubernetes version names it."""
    shown = subprocess.run(
        [binary("kubeadm", version), "config", "images", "list", "--kubernetes-version", version],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return next(name.split("/", 1)[1] for name in shown.split() if "/pause:" in name)


def _component(name: str) -> Callable[[Blobs, str], Image]:
    def make(blobs: Blobs, version: str) -> Image:
        program = Entry(f"usr/local/bin/{name}", source=binary(name, version), mode=0o755)
        return _image(blobs, [program], Settings(env={"PATH": _PATH}, entrypoint=(f"/usr/local/bin/{name}",)))

    return make


def _kube_proxy(blobs: Blobs, version: str) -> Image:
    root = installed(_PROXY_PACKAGES)
    base = layer(blobs, _proxy_base(root), COMPRESSION)
    program = layer(blobs, [Entry("usr/local/bin/kube-proxy", source=binary("kube-proxy", version), mode=0o755)], COMPRESSION)
    return image(blobs, [base, program], Settings(env={"PATH": _PATH}))


def _proxy_base(root: Path) -> Iterator[Entry]:
    plugins = "usr/lib/x86_64-linux-gnu/xtables"
    loaded = [f"{plugins}/{path.name}" for path in sorted((root / plugins).glob("*.so"))]
    yield from with_libraries(root, [*(f"usr/sbin/{name}" for name in _PROXY_PROGRAMS), "bin/kmod", *loaded])
    yield from tree(root / plugins, plugins)
    yield from (Entry(f"usr/sbin/{name}", link="xtables-nft-multi") for name in _PROXY_LINKS)
    yield Entry("usr/sbin/modprobe", link="../bin/kmod")
    yield Entry("run", mode=0o755)  # iptables keeps its lock there


def _etcd(blobs: Blobs, _version: str) -> Image:
    built = binaries(["etcd", "etcdctl", "etcdutl"])
    entries = [Entry(f"usr/local/bin/{name}", source=path, mode=0o755) for name, path in built.items()]
    return _image(blobs, entries, Settings(env={"PATH": _PATH}))


def _coredns(blobs: Blobs, _version: str) -> Image:
    return _image(blobs, [Entry("coredns", source=binary("coredns"), mode=0o755)], Settings(entrypoint=("/coredns",)))


def _pause(blobs: Blobs, _version: str) -> Image:
    source = SOURCE / "images" / "pause" / "pause.c"
    target = blobs.root / ".pause"
    command = ["gcc", "-static", "-Os", "-s", "-Wl,--build-id=none", "-o", target, source.name]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=source.parent)
    if done.returncode != 0:
        raise LabError(f"building pause: gcc: {done.stderr.strip()}")
    program = target.read_bytes()
    target.unlink()
    return _image(blobs, [Entry("pause", content=program, mode=0o755)], Settings(entrypoint=("/pause",), user="65535:65535"))


def _image(blobs: Blobs, entries: Iterable[Entry], settings: Settings) -> Image:
    return image(blobs, [layer(blobs, entries, COMPRESSION)], settings)


_MAKERS: dict[str, Callable[[Blobs, str], Image]] = {
    "kube-apiserver": _component("kube-apiserver"),
    "kube-controller-manager": _component("kube-controller-manager"),
    "kube-scheduler": _component("kube-scheduler"),
    "kube-proxy": _kube_proxy,
    "etcd": _etcd,
    "coredns/coredns": _coredns,
    "pause": _pause,
}
