"""Fixture that gives a test the lab's cluster images, built when they are not there yet.

pytest_plugins = ["labkit.images"]
"""

from typing import Protocol

import pytest

from sealab.clusterimage import ClusterImage, build


class ClusterImages(Protocol):
    """What the `cluster_image` fixture gives."""

    def __call__(self, name: str, version: str = "") -> ClusterImage:
        """The image `name:version`; without a version the lab's first of that name."""


@pytest.fixture(scope="session")
def cluster_image() -> ClusterImages:
    """Builds cluster images, or finds them in the lab's cache."""
    return build
