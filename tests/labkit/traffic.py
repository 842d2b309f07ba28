"""A client that never stops: writes and reads through the API servers, and asks an application through its Service from inside.

It tolerates what any client must: one failed try, after which it asks again (the next API server, or the Service once more).
"""

import base64
import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PAUSE = 0.4
"""Seconds between two writes."""


@dataclass
class ApiClient:
    """Writes a counter into a ConfigMap and reads it back, through whichever of `addresses()` answers."""

    kubeconfig: Path
    addresses: Callable[[], list[str]]
    folder: Path
    writes: int = 0
    retries: int = 0
    failures: list[str] = field(default_factory=list)
    longest: float = 0.0
    """Seconds of the slowest write, retry included."""

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._context = self._credentials()
        self._count = 0

    def _credentials(self) -> ssl.SSLContext:
        content = yaml.safe_load(self.kubeconfig.read_text())
        user, cluster = content["users"][0]["user"], content["clusters"][0]["cluster"]
        files = {}
        for name, text in (
            ("ca", cluster["certificate-authority-data"]),
            ("crt", user["client-certificate-data"]),
            ("key", user["client-key-data"]),
        ):
            files[name] = self.folder / f"traffic.{name}"
            files[name].write_bytes(base64.b64decode(text))
        context = ssl.create_default_context(cafile=str(files["ca"]))
        context.check_hostname = False  # every master is asked by its address
        context.load_cert_chain(files["crt"], files["key"])
        return context

    def __enter__(self) -> "ApiClient":
        self._ask(self.addresses()[0], "POST", "", {"metadata": {"name": "traffic"}, "data": {"count": "0"}})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def _run(self) -> None:
        while not self._stop.wait(PAUSE):
            self._write()

    def _write(self) -> None:
        began = time.monotonic()
        self._count += 1
        said = []
        targets = self.addresses()
        for attempt in range(2):
            address = targets[(self._count + attempt) % len(targets)]
            try:
                self._ask(address, "PATCH", "/traffic", {"data": {"count": str(self._count)}})
                seen = self._ask(address, "GET", "/traffic")
                if int(seen["data"]["count"]) != self._count:
                    self.failures.append(f"{address}: wrote {self._count}, read {seen['data']['count']}")
                self.writes += 1
                self.retries += attempt
                self.longest = max(self.longest, time.monotonic() - began)
                return
            except (OSError, http.client.HTTPException, AssertionError) as error:
                said.append(f"{address}: {error!r}")
                time.sleep(0.5)
        self.failures.append(f"write {self._count} at {time.time():.1f}: {'; then '.join(said)}")

    def _ask(self, address: str, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPSConnection(address, 6443, context=self._context, timeout=10)
        try:
            kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
            connection.request(
                method, f"/api/v1/namespaces/default/configmaps{path}", json.dumps(body) if body else None, {"Content-Type": kind}
            )
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status < 300, f"{answer.status} {content[:200]!r}"
            return json.loads(content)
        finally:
            connection.close()


class ServiceClient:
    """Asks a URL from inside one machine, over and over."""

    LOG = "/tmp/traffic.log"

    def __init__(self, machine: Any, url: str) -> None:
        self.machine, self.url = machine, url

    def __enter__(self) -> "ServiceClient":
        loop = (
            f"while [ -e {self.LOG} ]; do curl -s -m 3 -o /dev/null {self.url} && echo ok || "
            f"{{ sleep 0.5; curl -s -m 3 -o /dev/null {self.url} && echo retry || echo lost; }} >>{self.LOG}.lost; "
            f"echo . >>{self.LOG}; sleep 0.3; done"
        )
        self.machine.exec(f": >{self.LOG}; : >{self.LOG}.lost; setsid sh -c '{loop}' >/dev/null 2>&1 </dev/null &")
        return self

    def __exit__(self, *_: object) -> None:
        self.asked = self.machine.exec(f"wc -l <{self.LOG}").stdout.decode().strip()
        words = self.machine.exec(f"cat {self.LOG}.lost").stdout.decode().split()
        self.retries, self.lost = words.count("retry"), words.count("lost")
        self.machine.exec(f"rm -f {self.LOG} {self.LOG}.lost")
