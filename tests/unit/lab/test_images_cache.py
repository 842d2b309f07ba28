"""The cache of built images does not grow for ever."""

import os
from pathlib import Path

import pytest

from sealab import clusterimage
from sealab.clusterimage_recipes import Recipe
from sealab.oci import Blobs, Layer, Settings
from sealab.oci_layer import Entry, layer


@pytest.fixture
def inputs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What the image `small` is made of; changing it makes another image."""
    made_of = ["one"]

    def layers(blobs: Blobs, _scratch: Path) -> list[Layer]:
        return [layer(blobs, [Entry("content", content=made_of[0].encode())], "none")]

    recipe = Recipe("small", "v1", sources=(), inputs=lambda: list(made_of), layers=layers, settings=Settings)
    monkeypatch.setattr(clusterimage, "RECIPES", (recipe,))
    monkeypatch.setattr(clusterimage, "CACHE", tmp_path)
    monkeypatch.setattr(clusterimage, "_tool_versions", lambda: ["1"])
    return made_of


def test_a_built_image_is_found_again(inputs: list[str]) -> None:
    first = clusterimage.build("small")
    stamp = first.archive.stat().st_mtime_ns
    again = clusterimage.build("small", "v1")
    assert again == first
    assert again.archive.stat().st_mtime_ns == stamp


def test_the_two_newest_builds_stay(inputs: list[str]) -> None:
    built = []
    for age, content in enumerate(["one", "two", "three"]):
        inputs[:] = [content]
        built.append(clusterimage.build("small"))
        record = built[-1].layout.parent / "image.json"
        os.utime(record, ns=(age, age)) if age < 2 else None
    assert [image.layout.exists() for image in built] == [False, True, True]
    assert len({image.digest for image in built}) == 3
