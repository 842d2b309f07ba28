"""Tools that come with the test environment, whatever the machine has on its PATH."""

import os
import shutil
import sys
from pathlib import Path

from sealab.containers_apt import unpacked

SHELLCHECK = str(Path(sys.executable).with_name("shellcheck"))


def busybox() -> str | None:
    """The machine's own, else Debian's static one beside it; None where only root could fetch that."""
    if (found := shutil.which("busybox")) is not None:
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    return str(unpacked(["busybox-static"]) / "bin/busybox")
