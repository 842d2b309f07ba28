"""A registry with the lab's cluster images on the address of a lab's bridge; it goes when the lab goes.

registry = serve(lab, address, ["kubernetes:v1.34.4", "lab-cni"])   ->   image refs are `10.66.0.1:5080/kubernetes:v1.34.4`
"""

import contextlib
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sealab import paths
from sealab.clusterimage import ClusterImage, build
from sealab.containers_apt import unpacked
from sealab.errors import LabError
from sealab.machines_command import MARK
from sealab.oci import Blobs, Descriptor, Image
from sealab.oci_registry import write_registry

PORT = 5080
"""Not one of the ports that real images' check scripts want free."""

_DEADLINE = 15.0

_CONFIG = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {root}}}
  cache: {{blobdescriptor: inmemory}}
  delete: {{enabled: true}}
http: {{addr: "{address}:{port}"}}
"""


@dataclass(frozen=True)
class Registry:
    """A running registry of cluster images, without TLS and without a password."""

    address: str
    """`host:port`, the first part of its images' references."""
    process: subprocess.Popen[bytes]
    root: Path

    def ref(self, image: str) -> str:
        """Reference of one of its images, e.g. `ref("kubernetes:v1.34.4")`."""
        return f"{self.address}/{image}"

    def add(self, image: ClusterImage) -> str:
        """Adds a cluster image to the running registry; returns its reference."""
        _write(image, self.root)
        return self.ref(image.ref)

    def stop(self) -> None:
        """Ends the server; files go too."""
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.root.parent, ignore_errors=True)


def serve(lab: str, host: str, images: Iterable[str], port: int = PORT) -> Registry:
    """Starts the registry of a lab at `host` (the bridge's address, or any of this machine's own) with these images in it.

    The process carries the lab's mark and its files lie in the lab's folder: taking the lab down ends both.
    """
    home = paths.DATA / lab / f"registry-{port}"
    root = home / "data"
    root.mkdir(parents=True, exist_ok=True)
    for image in images:
        name, _, version = image.partition(":")
        _write(build(name, version), root)
    config = home / "config.yml"
    config.write_text(_CONFIG.format(root=root, address=host, port=port))
    program = unpacked(("docker-registry",)) / "usr/bin/docker-registry"
    with (home / "registry.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "serve", config],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, MARK: lab},
            start_new_session=True,  # Ctrl-C in a terminal is for the command, not for what it leaves running
        )
    registry = Registry(f"{host}:{port}", process, root)
    try:
        _wait(registry, home / "registry.log")
    except BaseException:
        registry.stop()
        raise
    return registry


def _write(image: ClusterImage, root: Path) -> None:
    """Adds the image's blobs (as links) and its tag to a registry's tree."""
    blobs = Blobs(image.layout / "blobs" / "sha256")
    manifest = blobs.read_json(image.digest)
    described = [Descriptor(item["mediaType"], item["digest"], item["size"]) for item in (manifest["config"], *manifest["layers"])]
    size = blobs.path(image.digest).stat().st_size
    packed = Image(Descriptor(manifest["mediaType"], image.digest, size), tuple(described))
    repository, _, tag = image.ref.partition(":")
    write_registry(blobs, [(repository, tag, packed)], root)


def _wait(registry: Registry, log: Path) -> None:
    deadline = time.monotonic() + _DEADLINE
    while time.monotonic() < deadline:
        if registry.process.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"http://{registry.address}/v2/", timeout=2):
            return
        time.sleep(0.05)
    tail = " | ".join(log.read_text(errors="replace").splitlines()[-3:])
    raise LabError(f"starting the lab's registry on {registry.address}: no answer; {tail or 'it said nothing'}")
