"""The lowest layer: Python, the libraries it loads and the system's certificate authorities, from Debian's packages."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sealab.containers_apt import unpacked, versions

PACKAGES = (
    "python3.11-minimal",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "base-files",
    "ca-certificates",
    "libbz2-1.0",
    "libc6",
    "libcrypt1",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "liblzma5",
    "libssl3",
    "libstdc++6",
    "libuuid1",
    "zlib1g",
)
"""Exactly these: no shell, no package manager, nothing that they merely recommend."""

USER = 65532
"""User and group that the operator runs as."""

_LEFT_OUT = (
    "usr/lib/x86_64-linux-gnu/gconv/*",  # character sets that are not UTF-8
    "usr/lib/x86_64-linux-gnu/perl-base/*",
    "usr/lib/python3.11/lib2to3/*",  # rewrites Python 2
    "usr/lib/python3.11/pydoc_data/*",  # help texts
    "usr/lib/python3.11/curses/*",
    "usr/lib/python3.11/sqlite3/*",
    "usr/lib/python3.11/dbm/*",
    "usr/lib/python3.11/lib-dynload/_curses*",  # what these load is not here
    "usr/lib/python3.11/lib-dynload/_dbm*",
    "usr/lib/python3.11/lib-dynload/_sqlite3*",
    "usr/lib/python3.11/lib-dynload/nis*",
    "usr/lib/python3.11/lib-dynload/readline*",
    "usr/lib/python3.11/lib-dynload/_test*",
    "usr/lib/python3.11/lib-dynload/xx*",
)
_WANTED = (
    "usr/bin/python3.11",
    "usr/lib/os-release",
    "usr/lib/python3.11/*",
    "usr/lib/x86_64-linux-gnu/*",
    "usr/lib64/*",
    "usr/share/doc/*/copyright",
)
_MERGED = ("bin", "lib", "lib64", "sbin")
"""Folders that Debian keeps in /usr; packages still name them the old way."""
_CONTROL = ("Package", "Source", "Version", "Architecture", "Maintainer", "Homepage")


def lay(root: Path) -> None:
    """Fill an empty folder."""
    source = unpacked(PACKAGES)
    for path, name in _files(source):
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            target.symlink_to(path.readlink())
        else:
            shutil.copyfile(path, target)
            target.chmod(0o755 if path.stat().st_mode & 0o111 else 0o644)
    for name in _MERGED:
        (root / "usr" / name).mkdir(exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    (root / "usr/bin/python3").symlink_to("python3.11")
    _certificates(source, root)
    _identity(root)
    for name, entry in packages():
        _write(root / "var/lib/dpkg/status.d" / name, entry)


def packages() -> Iterator[tuple[str, str]]:
    """(name, control entry) of every package, in the form in which scanners of images look for them."""
    for name, version in sorted(versions(tuple(sorted(PACKAGES))).items()):
        shown = subprocess.run(["apt-cache", "show", f"{name}={version}"], check=True, capture_output=True, text=True).stdout
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", shown.split("\n\n")[0], re.MULTILINE))
        lines = [f"{field}: {fields[field]}" for field in _CONTROL if field in fields]
        yield name, "\n".join([lines[0], "Status: install ok installed", *lines[1:]]) + "\n"


def _files(source: Path) -> Iterator[tuple[Path, str]]:
    """Files and links of the packages that belong into the image, with the names that they have there."""
    for path in sorted(source.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        name = path.relative_to(source)
        if name.parts[0] in _MERGED:
            name = Path("usr") / name
        if any(name.match(p) or _below(name, p) for p in _WANTED) and not any(name.match(p) or _below(name, p) for p in _LEFT_OUT):
            yield path, str(name)


def _below(name: Path, pattern: str) -> bool:
    folder = pattern.removesuffix("/*")
    return folder != pattern and "*" not in folder and str(name).startswith(f"{folder}/")


def _certificates(source: Path, root: Path) -> None:
    """The bundle that Debian's own tool would write, where OpenSSL looks for it."""
    authorities = sorted((source / "usr/share/ca-certificates").rglob("*.crt"))
    _write(root / "etc/ssl/certs/ca-certificates.crt", "".join(path.read_text().rstrip() + "\n" for path in authorities))
    (root / "usr/lib/ssl").mkdir(parents=True)
    (root / "usr/lib/ssl/cert.pem").symlink_to("/etc/ssl/certs/ca-certificates.crt")


def _identity(root: Path) -> None:
    _write(
        root / "etc/passwd",
        f"root:x:0:0:root:/:/usr/sbin/nologin\nsealcluster:x:{USER}:{USER}:sealcluster:/var/lib/sealcluster:/usr/sbin/nologin\n",
    )
    _write(root / "etc/group", f"root:x:0:\nsealcluster:x:{USER}:\n")
    _write(root / "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    (root / "etc/os-release").symlink_to("../usr/lib/os-release")
    for folder in ("tmp", "var/lib/sealcluster", "proc", "sys", "dev", "run"):
        (root / folder).mkdir(parents=True, exist_ok=True)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
