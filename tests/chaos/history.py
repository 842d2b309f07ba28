"""What was seen all the time while a cluster was disturbed, and what of it may not be."""

import json
import subprocess
import threading
import time
from typing import Any

from labkit.contract import check_status
from sealab.errors import LabError


class Watcher:
    """Reads the object over and over; `wrong` lists every version that broke the contract."""

    def __init__(self, plane: Any, name: str = "ha") -> None:
        self._plane, self._name = plane, name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.wrong: list[str] = []
        self.seen: set[str] = set()

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            try:
                found = self._plane.kubectl("get", "sealcluster", self._name, "-o", "json", "--ignore-not-found").stdout
            except LabError as error:
                self.wrong.append(f"{time.time():.0f} the management plane: {error}")
                continue
            if not found.strip():
                continue
            body = json.loads(found)
            self.seen.add(body["metadata"]["resourceVersion"])
            try:
                check_status(body)
            except AssertionError as error:
                self.wrong.append(f"{body['metadata']['resourceVersion']}: {error}")


class Register:
    """Writes numbers that only grow into the cluster; a number that was confirmed may never be gone again."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self._number = 0
        self.confirmed = 0
        self.refused = 0

    def write(self) -> bool:
        """One write, whichever API server the kubeconfig leads to; False when it was not confirmed."""
        self._number += 1
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "register"}, "data": {"number": str(self._number)}}
        try:
            self._cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(body), timeout=20)
        except (AssertionError, subprocess.SubprocessError):
            self.refused += 1
            return False
        self.confirmed = self._number
        return True
