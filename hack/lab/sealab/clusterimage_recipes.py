"""Which cluster images the lab has, and what each is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sealab import clusterimage_application as application
from sealab import clusterimage_kubernetes as kubernetes
from sealab import clusterimage_rough as rough
from sealab.oci import Blobs, Layer, Settings


@dataclass(frozen=True)
class Recipe:
    """How one cluster image is made."""

    name: str
    version: str
    sources: Sequence[str]
    """Folders below hack/lab/images whose files go into it."""
    inputs: Callable[[], list[str]]
    """Names of everything else that goes into it (build keys, package versions), found without building."""
    layers: Callable[[Blobs, Path], list[Layer]]
    """Packs the layers; the path is a scratch folder on the blobs' file system."""
    settings: Callable[[], Settings]


def _kubernetes(version: str) -> Recipe:
    return Recipe(
        name="kubernetes",
        version=version,
        sources=("kubernetes", "pause"),
        inputs=lambda: kubernetes.inputs(version),
        layers=lambda blobs, scratch: kubernetes.layers(blobs, scratch, version),
        settings=lambda: kubernetes.settings(version),
    )


RECIPES: tuple[Recipe, ...] = (
    _kubernetes("v1.34.4"),
    _kubernetes("v1.33.13"),
    Recipe(
        name="rough",
        version="v1.34.4",
        sources=("rough", "pause"),
        inputs=lambda: rough.inputs("v1.34.4"),
        layers=lambda blobs, scratch: rough.layers(blobs, scratch, "v1.34.4"),
        settings=lambda: rough.settings("v1.34.4"),
    ),
    Recipe(
        name="lab-cni",
        version="v1",
        sources=("lab-cni",),
        inputs=application.lab_cni_inputs,
        layers=application.lab_cni_layers,
        settings=application.lab_cni_settings,
    ),
    Recipe(
        name="hello",
        version="v1",
        sources=("hello",),
        inputs=application.hello_inputs,
        layers=application.hello_layers,
        settings=application.hello_settings,
    ),
)
