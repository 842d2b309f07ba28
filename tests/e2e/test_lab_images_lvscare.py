"""The stand-in for lvscare balances with real IPVS: on a virtual machine, whose kernel has it."""

import io
import json
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from labkit.machines import Machines
from sealab import containers
from sealab.gobuild import binary
from sealab.machines import Machine, MachineSpec
from sealab.oci import Blobs
from sealab.oci_layer import Entry, layer

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

VIRTUAL = "10.103.97.2:6443"
ROOT = "/root/lvscare"


@pytest.fixture
def image(tmp_path: Path) -> bytes:
    """The container image's files as a tar, with the asking program beside them."""
    blobs = Blobs(tmp_path / "blobs")
    (lvscare,) = containers.lvscare(blobs)
    manifest = json.loads(blobs.path(lvscare.image.digest).read_bytes())
    packed = layer(blobs, [Entry("hello", source=binary("hello"), mode=0o755)], "zstd")
    return b"".join(blobs.path(digest).read_bytes() for digest in (manifest["layers"][0]["digest"], packed.blob.digest))


def test_it_balances_and_follows(machines: Machines, image: bytes, tmp_path: Path) -> None:
    lab = machines(2, MachineSpec("v1", kind="vm", memory_mib=1024, disk_gib=2))
    virtual, servers = lab.machines["v1"], [lab.machines["m1"], lab.machines["m2"]]
    virtual.exec(f"mkdir -p {ROOT}")
    _unpack(virtual, image, tmp_path)
    for server in servers:
        server.exec("cat >/usr/local/bin/hello && chmod +x /usr/local/bin/hello", input=binary("hello").read_bytes())
        _start(server)
    virtual.exec("modprobe -a ip_vs ip_vs_rr")
    virtual.exec(f"mkdir -p {ROOT}/proc {ROOT}/dev && mount -t proc proc {ROOT}/proc && mount --bind /dev {ROOT}/dev")
    real = " ".join(f"--rs {server.address}:8080" for server in servers)
    care = f"care --vs {VIRTUAL} --health-path / --health-schem http --interval 1 --timeout 2 {real}"
    virtual.exec(
        f"systemd-run --unit=care --setenv=LVSCARE_NODE_IP={virtual.address} --setenv=PATH=/usr/sbin:/usr/bin chroot {ROOT} /usr/bin/lvscare {care}"
    )

    _until(lambda: _answers(virtual) == {"m1", "m2"})
    assert virtual.address.encode() in virtual.exec("ip route show 10.103.97.2/32").stdout
    servers[0].exec("systemctl stop hello")
    _until(lambda: _answers(virtual) == {"m2"})
    _start(servers[0])
    _until(lambda: _answers(virtual) == {"m1", "m2"})
    virtual.exec("systemctl stop care")
    assert b"10.103.97.2" not in virtual.exec(f"chroot {ROOT} /usr/sbin/ipvsadm -L -n").stdout


def _unpack(machine: Machine, image: bytes, scratch: Path) -> None:
    """The layers are zstd: unpacked here, sent as plain tar."""
    import zstandard

    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        rest = image
        while rest:
            unpacker = zstandard.ZstdDecompressor().decompressobj()
            with tarfile.open(fileobj=io.BytesIO(unpacker.decompress(rest))) as part:
                for member in part.getmembers():
                    tar.addfile(member, part.extractfile(member) if member.isfile() else None)
            rest = unpacker.unused_data
    machine.exec(f"tar -xf - -C {ROOT}", input=plain.getvalue(), timeout=300)


def _start(server: Machine) -> None:
    server.exec("systemctl reset-failed hello 2>/dev/null; systemd-run --unit=hello /usr/local/bin/hello")


def _answers(machine: Machine) -> set[str]:
    """Who answers six requests through the virtual address; empty when one fails."""
    asked = machine.exec(f"for i in 1 2 3 4 5 6; do {ROOT}/hello get http://{VIRTUAL}/ || exit 1; done", check=False, timeout=60)
    return set() if asked.returncode else {line.split()[2] for line in asked.stdout.decode().splitlines()}


def _until(look: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "the balancer did not follow in time"
        time.sleep(0.5)
