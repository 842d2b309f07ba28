"""Brings Debian packages' files, without installing them on this machine: for container and cluster images."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from sealab.errors import LabError
from sealab.gobuild_toolchain import locked
from sealab.machines_requirements import install
from sealab.oci_layer import Entry
from sealab.paths import CACHE

_SUITE = "bookworm"

_TOOLS = {"mmdebstrap": "mmdebstrap", "zstd": "zstd", "gzip": "gzip", "gcc": "gcc", "dpkg-deb": "dpkg"}
"""Commands that building images needs, and the Debian package of each."""

_LOADER = "lib64/ld-linux-x86-64.so.2"

_USR_LINKS = ("bin", "lib", "lib64", "sbin")
"""Debian merged these folders into /usr; images keep the links."""


def require_tools() -> None:
    """Installs what building images needs on this machine; names it when that cannot be done."""
    missing = {package for tool, package in _TOOLS.items() if shutil.which(tool) is None}
    if missing:
        install(sorted({*missing, "libc6-dev"} if "gcc" in missing else missing), _say)


@cache
def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """The version of each package that apt would install: part of the key of what is made from it."""
    found = _policy(packages)
    if len(found) < len(packages):
        _say("updating the lists of Debian packages")
        subprocess.run(["apt-get", "-qq", "update"], check=True, capture_output=True)
        found = _policy(packages)
    if missing := set(packages) - set(found):
        raise LabError(f"looking up Debian packages: apt knows no {', '.join(sorted(missing))}; the lab needs Debian 12's")
    return found


def unpacked(packages: Sequence[str]) -> Path:
    """A folder with the files of exactly these packages, nothing they depend on."""
    return _cached("unpacked", packages, _unpack)


def installed(packages: Sequence[str]) -> Path:
    """A folder with the files of these packages and of all they depend on (nothing is run, nothing configured)."""
    return _cached("installed", packages, _extract)


def with_libraries(root: Path, programs: Iterable[str]) -> Iterator[Entry]:
    """Layer entries of some programs of an `installed` folder with the libraries they load, and no more."""
    wanted: set[Path] = {root / _LOADER}
    for program in programs:
        # the loader itself lists what a program would load, inside that root
        listed = subprocess.run(["chroot", root, f"/{_LOADER}", "--list", f"/{program}"], check=True, capture_output=True, text=True).stdout
        wanted |= {root / program, *(root / name.lstrip("/") for name in re.findall(r"(/\S+) \(0x", listed))}
    yield from (Entry(name, link=f"usr/{name}") for name in _USR_LINKS)
    for path in sorted(wanted):
        place = Path("usr") / path.relative_to(root) if path.relative_to(root).parts[0] != "usr" else path.relative_to(root)
        yield Entry(str(place), source=path.resolve(), mode=0o755)


def _policy(packages: Sequence[str]) -> dict[str, str]:
    shown = subprocess.run(
        ["apt-cache", "policy", *packages], check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}
    ).stdout
    return dict(re.findall(r"^(\S+):\n  Installed: .*\n  Candidate: ([^(\s]+)$", shown, re.MULTILINE))


def _cached(kind: str, packages: Sequence[str], make: object) -> Path:
    pinned = versions(tuple(sorted(packages)))
    key = hashlib.sha256(f"{kind} {_SUITE} {sorted(pinned.items())}".encode()).hexdigest()[:16]
    folder = CACHE / "debs" / f"{kind}-{packages[0]}-{key}"
    with locked(CACHE / "debs" / f"{folder.name}.lock"):
        if not folder.exists():
            require_tools()
            _say(f"fetching Debian's {', '.join(packages)}")
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
                Path(scratch).chmod(0o755)
                target = Path(scratch) / "root"
                assert callable(make)
                make(pinned, target)
                target.rename(folder)
    return folder


def _unpack(pinned: dict[str, str], target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as downloads:
        # apt downloads as its own user where it can
        shutil.chown(downloads, "_apt")
        names = [f"{name}={version}" for name, version in pinned.items()]
        _run(["apt-get", "-qq", "download", *names], cwd=Path(downloads))
        for deb in sorted(Path(downloads).glob("*.deb")):
            _run(["dpkg-deb", "-x", str(deb), str(target)])


def _extract(pinned: dict[str, str], target: Path) -> None:
    command = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={','.join(pinned)}", *_proxy_options(), _SUITE, str(target)]
    if mirror := os.environ.get("SEALAB_MIRROR"):
        command.append(mirror)
    _run(command)


def _proxy_options() -> list[str]:
    """A machine that reaches its packages through a proxy says so in apt's configuration, which mmdebstrap does not read."""
    shown = subprocess.run(["apt-config", "dump", "Acquire::http::Proxy"], check=True, capture_output=True, text=True).stdout
    return [f"--aptopt={line}" for line in shown.splitlines() if not line.endswith('"";')]


def _run(command: list[str], cwd: Path | None = None) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd)
    if done.returncode != 0:
        tail = " | ".join(done.stderr.strip().splitlines()[-3:])
        raise LabError(f"fetching Debian packages: {command[0]} exited {done.returncode}: {tail}")


def _say(text: str) -> None:
    print(f"sealab: {text}", file=sys.stderr, flush=True)
