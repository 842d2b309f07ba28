"""Where things are on a host."""

from __future__ import annotations

from dataclasses import dataclass

from sealcluster.ssh.command import PATH


@dataclass(frozen=True, slots=True)
class Layout:
    """`prefix` goes before every absolute path: tests run the scripts below a directory. `path` is the scripts' PATH."""

    prefix: str = ""
    path: str = PATH
