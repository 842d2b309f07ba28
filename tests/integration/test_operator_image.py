"""The operator's image: the same bytes every time, small, and good for a pod without rights on a read-only root."""

import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from labkit.chart import IMAGE, render
from labkit.crds import install
from labkit.plane import fresh_plane
from sealab.errors import LabError
from sealab.plane import Plane
from sealab.plane_pki import PlanePki
from sealab.plane_ports import free_ports
from sealimage import base, wheels
from sealimage.build import Built, build, check_libraries

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="chroot and mount namespaces need root")
MOST_BYTES = 50_000_000
"""What a node downloads. Say so in the docs before raising it."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our wheel, built once: somebody may be editing the work tree."""
    return wheels.build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def image(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("image"), wheel)


@pytest.fixture(scope="module")
def root(image: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's files as a container runtime lays them out."""
    folder = tmp_path_factory.mktemp("root")
    folder.chmod(0o755)
    for layer in manifest(image)["layers"]:
        with tarfile.open(blob(image, layer["digest"])) as archive:
            archive.extractall(folder, filter="fully_trusted")
    return folder


def blob(image: Built, digest: str) -> Path:
    return image.layout / "blobs" / "sha256" / digest.removeprefix("sha256:")


def manifest(image: Built) -> dict[str, Any]:
    return dict(json.loads(blob(image, image.digest).read_bytes()))


def config(image: Built) -> dict[str, Any]:
    return dict(json.loads(blob(image, manifest(image)["config"]["digest"]).read_bytes()))


def inside(root: Path, *command: str, env: Mapping[str, str], mounts: Mapping[str, Path] | None = None) -> list[str]:
    """A command as the chart's pod runs it: read-only root, its two volumes, the image's user, no capabilities, processes of its own."""
    steps = [
        f"mount --bind {root} {root}",
        f"mount -t tmpfs -o mode=1777,size=32m tmpfs {root}/tmp",
        f"mount -t tmpfs -o mode=0770,uid={base.USER},gid={base.USER} tmpfs {root}/var/lib/sealcluster",
        *(f"mount --bind -o ro {source} {root}{target}" for target, source in (mounts or {}).items()),
        f"mount -o remount,bind,ro {root}",
        'exec "$@"',
    ]
    enter = ["unshare", "--pid", "--fork", "--kill-child", f"--root={root}", "--mount-proc=/proc"]
    enter += [
        f"--setuid={base.USER}",
        f"--setgid={base.USER}",
        "--",
        "/usr/bin/python3.11",
        "-c",
        _EXEC,
        json.dumps([dict(env), list(command)]),
    ]
    return ["unshare", "--mount", "sh", "-ec", "\n".join(steps), "sh", *enter]


_EXEC = "import json, os, sys; env, command = json.loads(sys.argv[1]); os.execve(command[0], command, env)"
"""There is no shell in the image, and the environment must be the image's alone."""


def variables(image: Built) -> dict[str, str]:
    return dict(variable.split("=", 1) for variable in config(image)["config"]["Env"])


def test_the_same_inputs_give_the_same_bytes(image: Built, wheel: Path, tmp_path: Path) -> None:
    again = build(tmp_path, wheel)
    assert [layer["digest"] for layer in manifest(again)["layers"]] == [layer["digest"] for layer in manifest(image)["layers"]]
    assert again.digest == image.digest
    assert again.archive.read_bytes() == image.archive.read_bytes()


def test_the_same_sources_give_the_same_wheel(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    shutil.copytree(wheels.ROOT / "operator", here / "operator", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(wheels.ROOT / name, here)
    shutil.copytree(here, there, copy_function=shutil.copyfile)  # other times, other modes
    first = wheels.build(tmp_path / "one", here).read_bytes()
    assert wheels.build(tmp_path / "two", there).read_bytes() == first
    with (there / "operator/sealcluster/__main__.py").open("a") as file:
        file.write("# more\n")
    assert wheels.build(tmp_path / "three", there).read_bytes() != first


def test_it_is_small_and_says_what_it_is(image: Built) -> None:
    settings = config(image)["config"]
    assert settings["User"] == f"{base.USER}:{base.USER}"
    assert settings["Entrypoint"] == ["/usr/bin/python3.11", "-m", "sealcluster.controller"]
    assert settings["Labels"]["org.opencontainers.image.version"] == image.ref.split(":")[1]
    assert image.packed < MOST_BYTES
    (described,) = json.loads((image.layout / "index.json").read_text())["manifests"]
    assert described["annotations"]["org.opencontainers.image.ref.name"] == image.ref.split(":")[1], (
        "the tag alone: ctr adds its --base-name"
    )
    assert {layer["mediaType"] for layer in manifest(image)["layers"]} == {"application/vnd.oci.image.layer.v1.tar+gzip"}
    with tarfile.open(image.archive) as archive:
        assert {"oci-layout", "index.json", f"blobs/sha256/{image.digest.removeprefix('sha256:')}"} <= set(archive.getnames())


def test_our_own_code_is_a_small_layer_of_its_own(image: Built) -> None:
    *below, ours = manifest(image)["layers"]
    assert ours["size"] < 3_000_000 < min(layer["size"] for layer in below)
    with tarfile.open(blob(image, ours["digest"])) as archive:
        assert {name.removeprefix(f"{wheels.SITE}/").split("/")[0].split("-")[0] for name in archive.getnames() if wheels.SITE in name} - {
            "usr"
        } == {"sealcluster"}


def test_nothing_in_it_is_anybodys_but_roots_or_tells_of_the_machine_it_was_built_on(image: Built, root: Path) -> None:
    for layer in manifest(image)["layers"]:
        with tarfile.open(blob(image, layer["digest"])) as archive:
            for member in archive:
                assert (member.uid, member.gid, member.mtime) == (0, 0, 0), member.name
                assert not member.mode & 0o6000, member.name
                assert not member.mode & 0o002 or member.issym() or member.name == "tmp", member.name
    assert not list(root.rglob("direct_url.json"))
    place = str(wheels.ROOT).encode()
    assert not [path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and place in path.read_bytes()]


def test_there_is_no_shell_and_no_package_manager(root: Path) -> None:
    programs = {path.name for folder in ("usr/bin", "usr/sbin", "usr/local/bin") for path in (root / folder).iterdir()}
    assert programs == {"python3", "python3.11", "sealcluster", "kubectl-seal"}


def test_a_library_that_is_missing_fails_the_build(root: Path) -> None:
    check_libraries(root)
    library = root / "usr/lib/x86_64-linux-gnu/libffi.so.8"
    hidden = library.rename(library.with_name("elsewhere"))
    try:
        with pytest.raises(LabError, match=r"libffi\.so\.8: cannot open shared object file"):
            check_libraries(root)
    finally:
        hidden.rename(library)


def test_a_wheel_cannot_write_beside_its_folder(tmp_path: Path) -> None:
    evil = tmp_path / "evil-1-py3-none-any.whl"
    with zipfile.ZipFile(evil, "w") as archive:
        archive.writestr("../../../../../../etc/passwd", "")
    with pytest.raises(LabError, match="leaves its folder"):
        wheels.unpack([evil], tmp_path / "root")


def test_scanners_find_what_is_in_it(root: Path) -> None:
    status = root / "var/lib/dpkg/status.d"
    assert {path.name for path in status.iterdir()} == set(base.PACKAGES)
    assert "Version: " in (status / "libssl3").read_text()
    assert "ID=debian" in (root / "etc/os-release").read_text()
    locked = {line.split("==")[0] for line in wheels.LOCK.read_text().splitlines() if not line.startswith("#")}
    found = {path.name.split("-")[0].lower() for path in (root / wheels.SITE).glob("*.dist-info")}
    assert found == locked | {"sealcluster"}


def test_the_lock_is_what_the_developers_use() -> None:
    pins = dict(line.split("==") for line in (wheels.ROOT / "requirements-dev.txt").read_text().splitlines() if not line.startswith("#"))
    plain = {name.lower().replace("-", "_"): version for name, version in pins.items()}
    for line in wheels.LOCK.read_text().splitlines():
        if not line.startswith("#"):
            name, version = line.split(" ")[0].split("==")
            assert plain[name] == version, f"{name}: run make image-lock"


def test_every_module_can_be_imported_on_a_read_only_root_by_nobody(image: Built, root: Path) -> None:
    script = (
        "import importlib, os, pkgutil, ssl, sealcluster\n"
        "names = [m.name for m in pkgutil.walk_packages(sealcluster.__path__, 'sealcluster.') if not m.name.endswith('__main__')]\n"
        "names = [n for n in names if not n.startswith('sealcluster.testing')]\n"
        "[importlib.import_module(n) for n in names]\n"
        "print(len(names), os.getuid(), os.getgid(), len(ssl.create_default_context().get_ca_certs()))\n"
        "open('/var/lib/sealcluster/x', 'w').close(); open('/tmp/x', 'w').close()\n"
        "status = dict(line.split(':', 1) for line in open('/proc/self/status') if ':' in line)\n"
        "print(int(status['CapEff'], 16))\n"
        "open('/usr/x', 'w')\n"
    )
    done = subprocess.run(
        inside(root, "/usr/bin/python3.11", "-c", script, env=variables(image)), capture_output=True, text=True, timeout=300, check=False
    )
    first, capabilities = done.stdout.splitlines()
    modules, user, group, authorities = map(int, first.split())
    assert modules > 150
    assert (user, group, int(capabilities)) == (base.USER, base.USER, 0)
    assert authorities > 100
    assert "Read-only file system: '/usr/x'" in done.stderr


def test_the_command_line_is_in_it(image: Built, root: Path) -> None:
    done = subprocess.run(
        inside(root, "/usr/local/bin/sealcluster", "--help", env=variables(image)), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "apply" in done.stdout


# --- as the chart runs it ----------------------------------------------------------------------------------------
@pytest.fixture
def plane() -> Iterator[Plane]:
    with fresh_plane() as running:
        install(running)
        yield running


def environment(image: Built, plane: Plane, port: int) -> dict[str, str]:
    """The chart's variables over the image's, and those that kubelet adds."""
    (deployment,) = [m for m in render("--set", IMAGE) if m["kind"] == "Deployment"]
    (operator,) = deployment["spec"]["template"]["spec"]["containers"]
    server = urlsplit(plane.server)
    return {
        **variables(image),
        **{variable["name"]: variable.get("value", "operator-0") for variable in operator["env"]},
        "KUBERNETES_SERVICE_HOST": str(server.hostname),
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "SEALCLUSTER_LISTEN_ADDRESS": "127.0.0.1",
        "SEALCLUSTER_LISTEN_PORT": str(port),
    }


def grant(plane: Plane) -> str:
    """Install the chart's ServiceAccount and roles; the account's token."""
    kinds = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding"}
    plane.kubectl("create", "namespace", "sealcluster-system")
    mine = [m for m in render("--set", IMAGE) if m["kind"] in kinds]
    plane.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(mine))
    return plane.kubectl("create", "token", "sealcluster", "--namespace", "sealcluster-system").stdout.strip()


def answer(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return int(response.status), response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_it_watches_and_answers_its_probes(image: Built, root: Path, plane: Plane, tmp_path: Path) -> None:
    account = tmp_path / "account"
    account.mkdir(mode=0o755)
    (account / "token").write_text(grant(plane))
    (account / "ca.crt").write_bytes(PlanePki(plane.folder / "pki").ca.read_bytes())
    (account / "namespace").write_text("sealcluster-system")
    place = "/var/run/secrets/kubernetes.io/serviceaccount"
    (root / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
    (port,) = free_ports(1, tmp_path)
    command = inside(root, *config(image)["config"]["Entrypoint"], env=environment(image, plane, port), mounts={place: account})
    log = tmp_path / "log"
    with running(command, log) as process:
        deadline = time.monotonic() + 120
        while answer(port, "/readyz") != (200, "ok"):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        assert answer(port, "/healthz") == (200, "ok")
        assert "sealcluster_objects 0.0" in answer(port, "/metrics")[1]
        assert [json.loads(line)["message"] for line in log.read_text().splitlines()][-1] == "watching all namespaces"
