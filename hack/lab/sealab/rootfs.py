"""The machines' root file system: built once with mmdebstrap, kept in the cache, shared read-only by all machines."""

import fcntl
import hashlib
import os
import platform
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from sealab import paths
from sealab.errors import LabError
from sealab.machines_command import MARK, run
from sealab.machines_requirements import Report

SUITE = "bookworm"
SOURCES = paths.SOURCE / "rootfs"


def rootfs_key() -> str:
    """A digest of everything the root file system is made from."""
    digest = hashlib.sha256(f"{SUITE} {platform.machine()}".encode())
    for file in sorted(SOURCES.rglob("*")):
        if file.is_file() and file.name != "vm-init.sh":  # which goes elsewhere
            digest.update(f"\0{file.relative_to(SOURCES)}\0{file.stat().st_mode & 0o111}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def ensure_rootfs(report: Report, lab: str | None = None) -> Path:
    """The shared root file system; the first call builds it (about half a minute), later ones find it.

    `lab` marks the build as that lab's, so that taking the lab down ends an orphaned build too.
    """
    home = paths.CACHE / "rootfs" / rootfs_key()
    ready = home / "rootfs"
    if ready.is_dir():
        return ready
    home.parent.mkdir(parents=True, exist_ok=True)
    with (home.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.is_dir():
            _build(home, ready, report, lab, lock.fileno())
    return ready


def _build(home: Path, ready: Path, report: Report, lab: str | None, lock: int) -> None:
    unfinished = home / "unfinished"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    home.mkdir(exist_ok=True)
    report(f"building the machines' root file system (Debian {SUITE}), once")
    began = time.monotonic()
    packages = ",".join((SOURCES / "packages.txt").read_text().split())
    # In a mount namespace of its own, so that what it mounts goes when it goes, even if it is killed.
    argv = ["unshare", "--mount", "mmdebstrap", "--variant=minbase", "--format=directory", f"--include={packages}"]
    argv += [f'--customize-hook={shlex.quote(str(SOURCES / "customize.sh"))} "$1"', SUITE, str(unfinished), *mirror_options()]
    log = home / "build.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env={**os.environ, **({MARK: lab} if lab else {})},
            pass_fds=[lock],  # an orphaned build keeps the lock until it has ended
        )
        try:
            _follow(process, log, report)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode:
        tail = " / ".join(line[:160] for line in log.read_text(errors="replace").strip().splitlines()[-3:])
        raise LabError(f"building the root file system: mmdebstrap failed: {tail} (whole log: {log})")
    unfinished.rename(ready)
    report(f"root file system ready after {time.monotonic() - began:.0f} s")


def _follow(process: subprocess.Popen[bytes], log: Path, report: Report) -> None:
    """Repeat mmdebstrap's own headings while it works."""
    told = 0
    while True:
        ended = process.poll() is not None
        headings = re.findall(r"^I: (.+)$", log.read_text(errors="replace"), re.MULTILINE)
        for heading in headings[told:]:
            report(f"  mmdebstrap: {heading}")
        told = len(headings)
        if ended:
            return
        time.sleep(0.5)


def mirror_options() -> list[str]:
    """The last arguments of mmdebstrap: another mirror (SEALAB_MIRROR), and the proxy that the host's apt uses."""
    settings = run("apt-config", "dump", "Acquire::http::Proxy", check=False).stdout.decode() if shutil.which("apt-config") else ""
    proxies = [f"--aptopt={line}" for line in settings.splitlines() if not line.endswith('"";')]
    mirror = os.environ.get("SEALAB_MIRROR")
    return [*([mirror] if mirror else []), *proxies]
