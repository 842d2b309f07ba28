"""Debian's redis-server, run from a folder: nothing is installed on this machine, so no service of it ever starts."""

from pathlib import Path

from sealab.containers_apt import installed

_LOADER = "lib64/ld-linux-x86-64.so.2"
_LIBRARIES = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")


def command(folder: Path, port: int) -> list[str]:
    """A server on loopback that keeps nothing; `folder` is its working directory."""
    root = installed(("redis-server",))
    search = ":".join(str(root / place) for place in _LIBRARIES)
    return [
        *(str(root / _LOADER), "--library-path", search, str(root / "usr/bin/redis-server")),
        *("--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)),
        *("--save", "", "--appendonly", "no"),
        *("--set-proc-title", "no"),  # a title is written over the environment, and with it over the mark of the lab's processes
    ]
