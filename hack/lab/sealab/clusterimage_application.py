"""The application images: `lab-cni`, the pod network, and `hello`, something to run."""

from pathlib import Path

from sealab import containers
from sealab.gobuild import build_key, recipe_of
from sealab.oci import Blobs, Layer, Settings
from sealab.oci_layer import layer, tree
from sealab.oci_registry import write_registry
from sealab.paths import SOURCE


def lab_cni_inputs() -> list[str]:
    """What decides the image besides its sources."""
    return [build_key(recipe_of(["lab-cni"]))]


def lab_cni_layers(blobs: Blobs, scratch: Path) -> list[Layer]:
    """Manifests and the registry tree with the agent's image."""
    return _layers(blobs, scratch, "lab-cni", containers.lab_cni(blobs))


def lab_cni_settings() -> Settings:
    """Applied once, on a master."""
    return _settings("kubectl apply -f manifests/lab-cni.yaml", labels={"sealcluster.io/network": "true"})


def hello_inputs() -> list[str]:
    """What decides the image besides its sources."""
    return [build_key(recipe_of(["hello"]))]


def hello_layers(blobs: Blobs, scratch: Path) -> list[Layer]:
    """Manifests and the registry tree with the web server's image."""
    return _layers(blobs, scratch, "hello", containers.hello(blobs))


def hello_settings() -> Settings:
    """Applied once, on a master; `helloReplicas` is for the cluster's env to change."""
    return _settings("kubectl apply -f manifests/hello.yaml", {"helloReplicas": "2"})


def _settings(command: str, env: dict[str, str] | None = None, labels: dict[str, str] | None = None) -> Settings:
    kind = {"sealos.io.type": "application", "sealos.io.version": "v1beta1"}
    return Settings(labels={**kind, **(labels or {})}, env=env or {}, cmd=(command,))


def _layers(blobs: Blobs, scratch: Path, name: str, images: list[containers.Container]) -> list[Layer]:
    registry = scratch / "registry"
    write_registry(blobs, [(item.repository, item.tag, item.image) for item in images], registry)
    entries = [*tree(SOURCE / "images" / name, keep_modes=False), *tree(registry, "registry", keep_modes=False)]
    return [layer(blobs, entries, "none")]
