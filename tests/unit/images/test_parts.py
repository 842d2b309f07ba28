"""What an image is cut into, and what the hosts' tars make of it."""

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import sealcluster
from labkit.tools import busybox
from sealcluster.images.errors import ImageCorrupt, TooLarge, UnsafeImage
from sealcluster.images.limits import Limits
from sealcluster.images.parts import Content, Cutter
from sealcluster.images.store import ContentStore
from sealcluster.images.tar_writer import TarWriter
from sealcluster.images.unpack import Layer, unpack
from unit.images.builders import directory, entry, files, hardlink, oci_archive, registry_files, rootfs, sha, symlink, tar


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ContentStore]:
    opened = ContentStore(tmp_path / "store")
    yield opened
    opened.lease.close()


def cut(store: ContentStore, *layers: bytes, limits: Limits | None = None) -> Content:
    places = []
    for number, content in enumerate(layers):
        path = store.root / f"layer{number}"
        path.write_bytes(content)
        places.append(Layer(path, 0, len(content)))
    bounds = limits or Limits()
    return Cutter(unpack(places, bounds, "the image"), places, store, bounds, "the image").cut(lambda _: None)


def part(store: ContentStore, content: Content, name: str) -> bytes:
    (digest,) = [part.digest for part in content.parts if part.name == name]
    return store.path(digest).read_bytes()


def listing(data: bytes) -> list[tuple[str, str, int]]:
    with tarfile.open(fileobj=io.BytesIO(data)) as members:
        return [(member.name, member.linkname, member.mode) for member in members]


def test_modes_links_and_order(store: ContentStore) -> None:
    layer = tar(
        entry("bin/z", b"z", mode=0o4777),
        entry("bin/a", b"a", mode=0o600),
        hardlink("bin/b", "bin/a"),
        entry("bin/empty", b""),
        hardlink("bin/empty2", "bin/empty"),
        symlink("bin/l", "/bin/a"),
        directory("bin/dir", 0o1777),
        symlink("top", "bin/a"),
        entry("file", b"f"),
    )
    content = cut(store, layer)
    assert listing(part(store, content, "bin")) == [
        ("bin", "", 0o755),
        ("bin/a", "", 0o755),
        ("bin/b", "bin/a", 0o755),
        ("bin/dir", "", 0o755),
        ("bin/empty", "", 0o755),
        ("bin/empty2", "", 0o755),
        ("bin/l", "a", 0o777),
        ("bin/z", "", 0o755),
    ]
    assert listing(part(store, content, "files")) == [("file", "", 0o755), ("top", "bin/a", 0o777)]


def test_templates_are_taken_out_with_their_targets(store: ContentStore) -> None:
    layer = tar(
        entry("etc/a.conf.tmpl", b"{{ .x }}"),
        entry("etc/a.conf", b"old"),
        entry("etc/deep/b.tmpl", b"b"),
        entry("scripts/run.sh.tmpl", b"c"),
        entry("manifests/m.yaml.tmpl", b"d", mode=0o755),
        entry("opt/not.tmpl", b"e"),
        entry("etc/.tmpl", b"f"),
        symlink("etc/link.tmpl", "a.conf.tmpl"),
        entry("etc/plain", b"g"),
    )
    content = cut(store, layer)
    assert content.templates == {
        "etc/a.conf.tmpl": "{{ .x }}",
        "etc/deep/b.tmpl": "b",
        "manifests/m.yaml.tmpl": "d",
        "scripts/run.sh.tmpl": "c",
    }
    assert [name for name, _, _ in listing(part(store, content, "etc"))] == ["etc", "etc/.tmpl", "etc/deep", "etc/link.tmpl", "etc/plain"]
    assert content.modes == {"manifests/m.yaml.tmpl": 0o755, "scripts/run.sh.tmpl": 0o755}
    assert [name for name, _, _ in listing(part(store, content, "opt"))] == ["opt", "opt/not.tmpl"]


def test_small_files_are_texts_that_configs_may_change(store: ContentStore) -> None:
    layer = files(
        {
            "charts/a/values.yaml": "x: 1",
            "manifests/m.yaml": "y: 2",
            "etc/big": "x" * 70_000,
            "etc/binary": b"\xff\xfe",
            "etc/nul": b"a\0b",
            "bin/script": "no",
            "config.yml": "kind: Config\nspec: {path: etc/a}\n",
        }
    )
    content = cut(store, layer)
    assert set(content.small_files) == {"charts/a/values.yaml", "manifests/m.yaml", "config.yml"}
    assert content.opaque == ("bin/script", "etc/big", "etc/binary", "etc/nul")
    assert content.config == "kind: Config\nspec: {path: etc/a}\n"


@pytest.mark.parametrize(
    ("layer", "error"),
    [
        (files({"etc/a.tmpl": b"\xff"}), UnsafeImage),
        (files({"etc/a.tmpl": b"x" * 300_000}), TooLarge),
        (files({"config.yml": b"\xff"}), UnsafeImage),
        (files({"config.yml": b"x" * 200_000}), UnsafeImage),
        (tar(symlink("registry", "etc")), UnsafeImage),
        (files({"registry": b"x"}), UnsafeImage),
        (files({f"registry/docker/registry/v2/blobs/sha256/ab/{'ab' * 32}/data": b"other"}), ImageCorrupt),
        (files({f"registry/docker/registry/v2/blobs/sha256/00/{sha(b'x')}/data": b"x"}), ImageCorrupt),
        (files({"registry/docker/registry/v2/repositories/a/_manifests/tags/v1/current/link": b"../../etc"}), ImageCorrupt),
        (files({"registry/docker/registry/v2/repositories/a/_manifests/tags/v1/current/link": b"sha256:" + b"a" * 500}), TooLarge),
    ],
)
def test_what_is_refused(layer: bytes, error: type[ImageCorrupt], store: ContentStore) -> None:
    with pytest.raises(error):
        cut(store, layer)


def test_hard_links_do_not_make_a_small_image_large(store: ContentStore) -> None:
    copies = [hardlink(f"d{number}/copy", "big") for number in range(50)]
    layer = tar(entry("big", b"x" * 100_000), *copies)
    with pytest.raises(TooLarge, match="its files have 5100000 bytes"):
        cut(store, layer, limits=Limits(unpacked=2_000_000))
    assert not list(store.blobs.iterdir())


def test_registry_trees_leave_other_files_out(store: ContentStore) -> None:
    tree = registry_files(b"layer", b"manifest", repository="team/app", tag="v1.2")
    junk = {"registry/.DS_Store": b"x", "registry/docker/registry/v2/repositories/a/_uploads/1/data": b"x"}
    content = cut(store, files({**tree, **junk}))
    assert {blob.digest for blob in content.registry.blobs} == {sha(b"layer"), sha(b"manifest")}
    home = "docker/registry/v2/repositories/team/app"
    assert dict(content.registry.links) == {
        f"{home}/_layers/sha256/{sha(b'layer')}/link": f"sha256:{sha(b'layer')}",
        f"{home}/_manifests/revisions/sha256/{sha(b'manifest')}/link": f"sha256:{sha(b'manifest')}",
        f"{home}/_manifests/tags/v1.2/current/link": f"sha256:{sha(b'manifest')}",
        f"{home}/_manifests/tags/v1.2/index/sha256/{sha(b'manifest')}/link": f"sha256:{sha(b'manifest')}",
    }
    assert content.parts == ()


def test_the_bytes_of_a_part_never_change(store: ContentStore) -> None:
    """Hosts' journals hold this digest: another one makes every host fetch and unpack everything again."""
    layer = tar(entry("bin/kubeadm", b"\x7fELF"), hardlink("bin/k", "bin/kubeadm"), symlink("bin/l", "k"), entry("bin/" + "n" * 120, b"x"))
    assert [part.digest for part in cut(store, layer).parts] == ["10b1b672dae76282d9f696613a5b4099666cf5d3fadb98e4e50a804dce9f3b80"]


@pytest.mark.parametrize("program", [["tar"], ["busybox", "tar"]], ids=["tar", "busybox"])
def test_hosts_can_unpack_parts(program: list[str], store: ContentStore, tmp_path: Path) -> None:
    if program[0] == "busybox":
        found = busybox()
        if found is None:
            pytest.skip("busybox is not installed, and only root can fetch it")
        program = [found, *program[1:]]
    long = "d/" + "n" * 150
    layer = tar(
        entry(f"x/{long}", b"long"),
        symlink("x/link", "t" * 150),
        entry("x/a", b"A" * 700),
        hardlink("x/b", "x/a"),
        symlink("x/d/up", "../a"),
    )
    content = cut(store, layer)
    target = tmp_path / "target"
    target.mkdir()
    archive = store.path(content.parts[0].digest)
    subprocess.run([*program, "-x", "-o", "-p", "-f", str(archive), "-C", str(target)], check=True)
    assert (target / "x" / long).read_bytes() == b"long"
    assert (target / "x/link").readlink() == Path("t" * 150)
    assert (target / "x/d/up").read_bytes() == (target / "x/b").read_bytes() == b"A" * 700
    assert (target / "x/a").stat().st_nlink == 2
    assert (target / "x/a").stat().st_mode & 0o7777 == 0o755


def test_large_sizes_have_their_own_spelling() -> None:
    class Nowhere(io.RawIOBase):
        def write(self, data: object) -> int:
            self.first = getattr(self, "first", None) or bytes(data)  # type: ignore[call-overload]  # bytes-like
            return 0

    out = Nowhere()
    writer = TarWriter(out)  # type: ignore[arg-type]  # only write is used
    with pytest.raises(OSError, match="shorter"):
        writer.file("big", 0o755, io.BytesIO(b""), 0, 9 * 1024**3)
    assert tarfile.TarInfo.frombuf(out.first, "utf-8", "strict").size == 9 * 1024**3


_MEASURE = """
import asyncio, resource, sys
from pathlib import Path
from sealcluster.core.ports import PullAuth
from sealcluster.images.service import ImageService
from sealcluster.images.settings import ImageSettings

async def main():
    service = ImageService(ImageSettings(Path(sys.argv[1])))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await service.resolve("k", "oci-archive:" + sys.argv[2], "amd64", PullAuth())
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    await service.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("compression", ["gzip", *(pytest.param(other, marks=pytest.mark.thorough) for other in ("zstd", ""))])
def test_a_large_image_costs_little_memory(compression: str, tmp_path: Path) -> None:
    content = {
        "scripts/init-containerd.sh": b"x",
        "bin/big": os.urandom(16 << 20) + b"\0" * (16 << 20),
        **registry_files(os.urandom(16 << 20), b"{}"),
    }
    path = oci_archive(tmp_path / "image.tar", rootfs(layers=[files(content)], compression=compression))
    environment = {"PYTHONPATH": str(Path(sealcluster.__file__).parents[1])}
    command = [sys.executable, "-c", _MEASURE, str(tmp_path / "store"), str(path)]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)
    assert grown < 24 << 10, f"{grown} KiB for an image of 48 MiB"
