"""Which values of an op are secret, so that they can be masked in what the host prints."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sealcluster.core import ops

_SECRET_NAME = re.compile(r"passw|secret|token|credential|apikey|api_key|private", re.IGNORECASE)
_CONFIG_LINE = re.compile(rb"(?im)^[\s-]*(?:token|certificateKey|password|tlsBootstrapToken)\s*:\s*[\"']?([^\s\"'#]+)")


def secret_values(env: Mapping[str, str]) -> list[str]:
    """Values of the environment variables that are secret by their names."""
    return [value for name, value in env.items() if _SECRET_NAME.search(name)]


def secrets_of(op: ops.Op) -> list[str]:
    """Secret values, whatever the op."""
    found: list[str] = []
    env = getattr(op, "env", None)
    if isinstance(env, Mapping):
        found += secret_values(env)
    match op:
        case ops.FetchParts():
            found.append(op.password)
        case ops.PrepareRegistry():
            found.append(op.htpasswd.partition(":")[2])
        case ops.GenerateCSRs() | ops.KubeadmInit() | ops.KubeadmJoin():
            found += [value.decode(errors="replace") for value in _CONFIG_LINE.findall(op.config)]
        case _:
            pass
    return found
