"""What the shell offers for the name of a cluster."""

from __future__ import annotations

import os
from pathlib import Path

from sealcluster.cli.records import known


def clusters(incomplete: str) -> list[str]:
    """Names in the state directory; a `--state` that is being typed is not seen, $SEALCLUSTER_STATE is."""
    root = Path(os.environ.get("SEALCLUSTER_STATE", "~/.sealcluster")).expanduser()
    return [name for name in known(root) if name.startswith(incomplete)]
