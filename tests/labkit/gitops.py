"""The real Argo CD in a test: its processes, and every version of an object that the API server ever had."""

import json
import threading
from collections.abc import Callable, Iterator

import pytest

from labkit.gitops_verdicts import Object, Version
from sealab.argocd import ArgoCD
from sealab.plane import Plane


class History:
    """Follows a collection (a path of the API) from its creation on; use it as a context manager."""

    def __init__(self, plane: Plane, collection: str) -> None:
        self._plane, self._collection = plane, collection
        self._versions: list[Version] = []
        self._failure: Exception | None = None
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "History":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join(30)

    def of(self, name: str) -> list[Version]:
        """All versions so far of the object of this name, oldest first."""
        if self._failure is not None:
            raise AssertionError(f"watching {self._collection}") from self._failure
        return [version for version in list(self._versions) if version.name == name]

    def _run(self) -> None:
        try:
            order = self._list()
            while not self._ends.is_set():
                order = self._watch(order)
        except Exception as error:  # noqa: BLE001 - raised again where the history is read
            self._failure = error

    def _list(self) -> str:
        status, body = self._plane.request("GET", self._collection)
        assert status == 200, body[:300]
        found = json.loads(body)
        for item in found["items"]:
            self._note(item)
        return str(found["metadata"]["resourceVersion"])

    def _watch(self, order: str) -> str:
        """One watch of a second, so that the end is noticed; returns where the next one goes on."""
        connection = self._plane.connect()
        try:
            bookmarks = "allowWatchBookmarks=true&timeoutSeconds=1"
            connection.request("GET", f"{self._collection}?watch=true&{bookmarks}&resourceVersion={order}")
            for line in connection.getresponse():
                event = json.loads(line)
                assert event["type"] != "ERROR", event["object"]
                order = event["object"]["metadata"]["resourceVersion"]
                if event["type"] == "DELETED":
                    self._note(event["object"], gone=True)
                elif event["type"] != "BOOKMARK":
                    self._note(event["object"])
            return order
        finally:
            connection.close()

    def _note(self, obj: Object, *, gone: bool = False) -> None:
        metadata = obj["metadata"]
        self._versions.append(Version(int(metadata["resourceVersion"]), metadata["name"], None if gone else obj))


@pytest.fixture
def argocd() -> Iterator[Callable[[Plane], ArgoCD]]:
    """`argocd(plane)`: Argo CD's kinds and settings in that plane, and nothing running yet; its processes are gone at the end."""
    made: list[ArgoCD] = []

    def install(plane: Plane) -> ArgoCD:
        made.append(ArgoCD.install(plane))
        return made[-1]

    yield install
    for one in made:
        one.stop()
