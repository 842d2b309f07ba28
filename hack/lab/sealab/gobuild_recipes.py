"""What the lab builds with Go: which commands of which pinned module, and what is stamped into them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_STAMP_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
_BUILD_DATE = "2026-01-01T00:00:00Z"
"""A fixed date: the same sources give the same bytes."""


@dataclass(frozen=True)
class Recipe:
    """One Go module of `hack/lab/go` and the commands that are built in it."""

    module: str
    """Folder below hack/lab/go."""
    version: str
    """Version of what the module pins; the lab asks for it by this name."""
    commands: Mapping[str, str]
    """Binary name -> import path of its main package."""
    stamps: Mapping[str, str] = field(default_factory=dict)
    """Linker -X values."""

    @property
    def ldflags(self) -> str:
        """Linker flags; compile flags stay as they are so that Go's build cache is shared."""
        return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in sorted(self.stamps.items()))])


def _kubernetes(version: str) -> Recipe:
    """The seven commands of one Kubernetes version, stamped the way release builds are."""
    major, minor, _ = version.removeprefix("v").split(".")
    values = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitCommit": "built-from-the-go-module",
        "gitTreeState": "clean",
        "buildDate": _BUILD_DATE,
    }
    names = (
        "kubeadm",
        "kubelet",
        "kubectl",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kube-proxy",
    )
    return Recipe(
        module=f"kubernetes-{major}.{minor}",
        version=version,
        commands={name: f"k8s.io/kubernetes/cmd/{name}" for name in names},
        stamps={f"{package}.{key}": value for package in _STAMP_PACKAGES for key, value in values.items()},
    )


RECIPES: tuple[Recipe, ...] = (
    _kubernetes("v1.34.4"),
    _kubernetes("v1.33.13"),
    Recipe(
        module="etcd",
        version="v3.6.5",
        commands={
            "etcd": "go.etcd.io/etcd/server/v3",
            "etcdctl": "go.etcd.io/etcd/etcdctl/v3",
            "etcdutl": "go.etcd.io/etcd/etcdutl/v3",
        },
    ),
    Recipe(module="coredns", version="v1.14.3", commands={"coredns": "github.com/coredns/coredns"}),
    Recipe(
        module="cni",
        version="v1.9.1",
        commands={
            "lab-cni": "sealcluster.io/hack/lab/cni/agent",
            "bridge": "github.com/containernetworking/plugins/plugins/main/bridge",
            "loopback": "github.com/containernetworking/plugins/plugins/main/loopback",
            "host-local": "github.com/containernetworking/plugins/plugins/ipam/host-local",
            "portmap": "github.com/containernetworking/plugins/plugins/meta/portmap",
        },
    ),
    Recipe(
        module="tools",
        version="v1",
        commands={
            "crictl": "sealcluster.io/hack/lab/tools/crictl",
            "hello": "sealcluster.io/hack/lab/tools/hello",
            "render": "sealcluster.io/hack/lab/tools/render",
            "crishim": "sealcluster.io/hack/lab/tools/crishim",
            "lvscare": "sealcluster.io/hack/lab/tools/lvscare",
        },
    ),
    Recipe(module="helm", version="v3.22.0", commands={"helm": "helm.sh/helm/v3/cmd/helm"}),
    Recipe(
        module="argocd",
        version="v3.2.11",
        commands={"argocd": "github.com/argoproj/argo-cd/v3/cmd"},
        stamps={"github.com/argoproj/argo-cd/v3/common.version": "3.2.11"},
    ),
)
"""The first recipe that has a command is the default for it."""
