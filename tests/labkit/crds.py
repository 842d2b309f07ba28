"""A management plane that knows SealClusters."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from labkit.manifests import ROOT
from labkit.plane import fresh_plane
from sealab.plane import Plane

CRDS = ROOT / "crds"
COLLECTION = "/apis/sealcluster.io/v1alpha1/namespaces/default/sealclusters"


@pytest.fixture(scope="module")
def seal_plane() -> Iterator[Plane]:
    """One plane with the CRD for all tests of a module."""
    with fresh_plane() as plane:
        install(plane)
        yield plane


def install(plane: Plane) -> None:
    """Install the CRD and wait until its resource is served."""
    plane.install(CRDS, COLLECTION)


def send(plane: Plane, method: str, path: str, body: object = None, **options: Any) -> tuple[int, dict[str, Any]]:
    """One request to the API server with strict field validation; status and the decoded answer."""
    separator = "&" if "?" in path else "?"
    status, answer = plane.request(method, f"{path}{separator}fieldValidation=Strict", body, **options)
    return status, json.loads(answer)
