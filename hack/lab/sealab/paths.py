"""Where the lab keeps things: a cache that survives, and run-time state that `lab-down` removes."""

import os
from pathlib import Path

CACHE = Path(os.environ.get("SEALAB_CACHE", "/var/cache/sealab"))
"""Built binaries, root file systems and cluster images, each in a folder keyed by what it was made from."""

RUN = Path(os.environ.get("SEALAB_RUN", "/run/sealab"))
"""State of running labs and planes (small files)."""

DATA = Path(os.environ.get("SEALAB_DATA", "/var/lib/sealab"))
"""Machines' disks."""

SOURCE = Path(__file__).resolve().parent.parent
"""hack/lab of the checkout: Go modules, rootfs files, image sources."""
