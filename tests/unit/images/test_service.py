"""From a reference to parts, over a registry and from archives."""

import asyncio
import gzip
import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sealcluster.core.errors import SealError, TransientError
from sealcluster.core.images import ImageInfo
from sealcluster.core.ports import PullAuth
from sealcluster.images.errors import ArchMismatch, ImageNotFound, InvalidReference, RegistryUnavailable, UnsupportedImage
from sealcluster.images.service import ImageService
from sealcluster.images.settings import ImageSettings
from unit.images.builders import ROOTFS_FILES, Image, docker_archive, files, oci_archive, registry_files, rootfs, sha
from unit.images.registry_server import Registry

AUTH = PullAuth()
TAGGED = "sha256:" + sha(b'{"schemaVersion":2}')


async def content(service: ImageService, info: ImageInfo) -> dict[str, bytes]:
    """All files of all parts."""
    found: dict[str, bytes] = {}
    for part in info.parts:
        path = await service.open_part(part.digest)
        assert path.stat().st_size == part.size
        assert sha(path.read_bytes()) == part.digest
        with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as tar:
            for member in tar:
                assert (member.uid, member.gid, member.mtime, member.uname) == (0, 0, 0, "root")
                if member.isreg():
                    file = tar.extractfile(member)
                    assert file is not None
                    assert member.mode == 0o755
                    found[member.name] = file.read()
    return found


async def test_a_rootfs_from_a_registry_becomes_parts_templates_and_a_registry_tree(registry: Registry, service: ImageService) -> None:
    ref = registry.add([rootfs(), rootfs(arch="arm64")])
    said: list[str] = []
    info = await service.resolve("kubernetes", ref, "amd64", AUTH, said.append)
    assert (info.name, info.ref, info.type, info.version, info.arch) == ("kubernetes", ref, "rootfs", "v1.34.4", "amd64")
    assert [part.name for part in info.parts] == ["bin", "cri", "etc", "scripts", "statics", "files"]
    static = {name: data for name, data in ROOTFS_FILES.items() if not name.startswith("registry/") and not name.endswith(".tmpl")}
    assert await content(service, info) == {name: data.encode() if isinstance(data, str) else data for name, data in static.items()}
    assert info.templates == {"etc/config.toml.tmpl": 'root = "{{ .criData }}"\n'}
    assert info.small_files == {
        "Kubefile": "FROM scratch\n",
        "etc/crictl.yaml": "timeout: 10\n",
        "statics/audit-policy.yml": "kind: Policy\n",
    }
    assert {blob.digest for blob in info.registry.blobs} == {sha(b"layer one"), sha(b"config"), sha(b'{"schemaVersion":2}')}
    assert ("docker/registry/v2/repositories/pause/_manifests/tags/3.10/current/link", TAGGED) in info.registry.links
    assert (await service.open_part(sha(b"layer one"))).read_bytes() == b"layer one"
    assert said and said[0].startswith("kubernetes: ")


async def test_a_second_resolve_asks_for_the_manifest_only(registry: Registry, service: ImageService) -> None:
    ref = registry.add([rootfs()])
    first = await service.resolve("kubernetes", ref, "amd64", AUTH)
    registry.requests.clear()
    assert await service.resolve("again", ref, "amd64", AUTH) == replace(first, name="again")
    assert registry.requests == {"manifest": 2}


async def test_another_process_takes_the_image_from_the_store(registry: Registry, service: ImageService, settings: ImageSettings) -> None:
    ref = registry.add([rootfs()])
    first = await service.resolve("kubernetes", ref, "amd64", AUTH)
    other = ImageService(settings)
    registry.requests.clear()
    assert await other.resolve("kubernetes", ref, "amd64", AUTH) == first
    assert not registry.requests["blob"]
    await other.close()


async def test_many_at_once_pull_once(registry: Registry, service: ImageService, settings: ImageSettings) -> None:
    ref = registry.add([rootfs()])
    other = ImageService(settings)
    found = await asyncio.gather(*(images.resolve("kubernetes", ref, "amd64", AUTH) for images in [service, other] * 4))
    assert len({info.digest for info in found}) == 1
    assert registry.requests["blob"] <= 4  # configuration and layer, by each of the two at most
    await other.close()


async def test_parts_depend_on_content_alone(registry: Registry, service: ImageService) -> None:
    """Other modes, times, layering and compression give the same parts; one changed file changes one part."""
    plain = await service.resolve("a", registry.add([rootfs()], "a"), "amd64", AUTH)
    names = sorted(ROOTFS_FILES)
    halves = [files({name: ROOTFS_FILES[name] for name in chosen}) for chosen in (names[1::2], names[::2])]
    layered = await service.resolve("b", registry.add([Image(halves, compression="zstd")], "b"), "amd64", AUTH)
    changed = await service.resolve(
        "c", registry.add([Image([files({**ROOTFS_FILES, "bin/kubeadm": b"new"})], compression="")], "c"), "amd64", AUTH
    )
    assert (layered.parts, layered.registry) == (plain.parts, plain.registry)
    assert [part.name for part, old in zip(changed.parts, plain.parts, strict=True) if part != old] == ["bin"]


@pytest.mark.parametrize("make", [oci_archive, docker_archive])
@pytest.mark.parametrize("compression", ["gzip", "zstd", ""])
async def test_archives_give_the_same_parts_as_a_registry(
    make: Callable[[Path, Image], Path], compression: str, registry: Registry, service: ImageService, tmp_path: Path
) -> None:
    wanted = await service.resolve("kubernetes", registry.add([rootfs()]), "amd64", AUTH)
    path = make(tmp_path / "image.tar", rootfs(compression=compression))
    kind = "oci-archive" if make is oci_archive else "docker-archive"
    info = await service.resolve("kubernetes", f"{kind}:{path}", "amd64", AUTH)
    assert (info.parts, info.registry, info.templates) == (wanted.parts, wanted.registry, wanted.templates)
    packed = tmp_path / "image.tar.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    again = await service.resolve("kubernetes", f"{kind}:{packed}", "amd64", AUTH)
    assert (again.digest, again.parts) == (info.digest, info.parts)


async def test_an_archive_of_several_images_wants_a_name_or_an_architecture(service: ImageService, tmp_path: Path) -> None:
    path = oci_archive(tmp_path / "two.tar", rootfs(), rootfs(labels={"x": "y"}), names=["kubernetes:v1", "helm:v3"])
    info = await service.resolve("helm", f"oci-archive:{path}:helm:v3", "amd64", AUTH)
    assert info.type == "application"
    with pytest.raises(ImageNotFound, match="no image named nope"):
        await service.resolve("nope", f"oci-archive:{path}:nope", "amd64", AUTH)
    single = docker_archive(tmp_path / "one.tar", rootfs())
    with pytest.raises(ImageNotFound):
        await service.resolve("nope", f"docker-archive:{single}:nope", "amd64", AUTH)


async def test_the_wrong_architecture_names_what_there_is(registry: Registry, service: ImageService, tmp_path: Path) -> None:
    index = registry.add([rootfs(arch="arm64"), rootfs(arch="s390x")], "index")
    with pytest.raises(ArchMismatch, match=r"none for linux/amd64, there is linux/arm64, linux/s390x") as caught:
        await service.resolve("kubernetes", index, "amd64", AUTH)
    assert caught.value.reason == "ArchMismatch"
    single = registry.add([rootfs(arch="arm64")], "single", as_index=False)
    with pytest.raises(ArchMismatch, match="linux/arm64 only"):
        await service.resolve("kubernetes", single, "amd64", AUTH)
    await service.resolve("kubernetes", single, "arm64", AUTH)
    with pytest.raises(ArchMismatch, match="linux/arm64 only"):  # also when it is in the store by now
        await service.resolve("kubernetes", single, "amd64", AUTH)
    path = oci_archive(tmp_path / "image.tar", rootfs(arch="arm64"))
    with pytest.raises(ArchMismatch):
        await service.resolve("kubernetes", f"oci-archive:{path}", "amd64", AUTH)


async def test_archives_only_below_the_configured_directory(settings: ImageSettings, tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    outside = oci_archive(tmp_path / "outside.tar", rootfs())
    oci_archive(allowed / "inside.tar", rootfs())
    (allowed / "link.tar").symlink_to(outside)
    (allowed / "good.tar").symlink_to("inside.tar")
    service = ImageService(replace(settings, archive_directory=allowed))
    for good in ("inside.tar", str(allowed / "inside.tar"), "good.tar"):
        assert (await service.resolve("k", f"oci-archive:{good}", "amd64", AUTH)).version == "v1.34.4"
    for bad in ("../outside.tar", str(outside), "link.tar", "/etc/passwd"):
        with pytest.raises(InvalidReference, match="leads out of the directory"):
            await service.resolve("k", f"oci-archive:{bad}", "amd64", AUTH)
    with pytest.raises(ImageNotFound):
        await service.resolve("k", "oci-archive:missing.tar", "amd64", AUTH)
    await service.close()
    none = ImageService(replace(settings, allow_archives=False))
    with pytest.raises(InvalidReference, match="not allowed"):
        await none.resolve("k", "oci-archive:inside.tar", "amd64", AUTH)
    await none.close()


async def test_lost_or_damaged_content_is_pulled_again(registry: Registry, service: ImageService, settings: ImageSettings) -> None:
    info = await service.resolve("kubernetes", registry.add([rootfs()]), "amd64", AUTH)
    part = info.parts[0]
    blob = settings.store / "blobs" / part.digest
    blob.write_bytes(b"\0" * part.size)
    path = await service.open_part(part.digest)
    assert sha(path.read_bytes()) == part.digest
    with pytest.raises(TransientError):
        await service.open_part("0" * 64)


async def test_an_unsupported_image_is_refused_before_its_layers_are_pulled(registry: Registry, service: ImageService) -> None:
    labels = {"sealos.io.type": "rootfs", "sealos.io.version": "v1beta1", "sealos.io.distribution": "k3s", "version": "v1.30.0"}
    with pytest.raises(UnsupportedImage, match="k3s"):
        await service.resolve("k3s", registry.add([rootfs(labels=labels)]), "amd64", AUTH)
    assert registry.requests["blob"] == 1  # the configuration


async def test_failures_do_not_leave_scratch_files(registry: Registry, service: ImageService, settings: ImageSettings) -> None:
    bad = rootfs(diff_ids=["sha256:" + "0" * 64])
    with pytest.raises(SealError):
        await service.resolve("kubernetes", registry.add([bad]), "amd64", AUTH)
    assert not list((settings.store / "scratch").iterdir())
    assert not list((settings.store / "images").iterdir())


async def test_a_silent_registry_does_not_stop_who_pulled_before(
    registry: Registry, service: ImageService, settings: ImageSettings
) -> None:
    registry.auth = "basic"
    ref, auth = registry.add([rootfs()]), PullAuth({registry.address: registry.user})
    first = await service.resolve("kubernetes", ref, "amd64", auth)
    registry.faults.fail_status = [503] * 20
    assert await service.resolve("kubernetes", ref, "amd64", auth) == first
    for other, arch in ((PullAuth({registry.address: ("user", "guess")}), "amd64"), (AUTH, "amd64"), (auth, "arm64")):
        with pytest.raises(RegistryUnavailable):
            await service.resolve("kubernetes", ref, arch, other)
    assert (settings.store / "salt").stat().st_mode & 0o777 == 0o600
    assert settings.store.stat().st_mode & 0o777 == 0o700


async def test_an_archive_that_changed_is_read_again(service: ImageService, tmp_path: Path) -> None:
    path = oci_archive(tmp_path / "image.tar", rootfs())
    first = await service.resolve("k", f"oci-archive:{path}", "amd64", AUTH)
    assert await service.resolve("k", f"oci-archive:{path}", "amd64", AUTH) == first
    oci_archive(path, rootfs(cmd=["echo new"]))
    assert (await service.resolve("k", f"oci-archive:{path}", "amd64", AUTH)).commands == ("echo new",)


async def test_merged_registry_trees_and_hidden_targets(registry: Registry, service: ImageService) -> None:
    """A static file beside its template is left out: the rendered one takes its place on the host."""
    image = rootfs(
        layers=[files({**ROOTFS_FILES, "etc/config.toml": "static", **registry_files(b"other", b"{}", repository="a/b", tag="v2")})]
    )
    info = await service.resolve("kubernetes", registry.add([image]), "amd64", AUTH)
    assert "etc/config.toml" not in await content(service, info)
    assert "etc/config.toml" not in info.small_files
    assert any("repositories/a/b/_manifests/tags/v2/current/link" in path for path, _ in info.registry.links)
