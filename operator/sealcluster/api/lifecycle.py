"""How long things live, how fast they change and what happens at the end."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, Strict, StringConstraints

from sealcluster.api.base import ApiModel, Immutable, ScalarRule
from sealcluster.api.scalars import MAX_HOSTS, Duration, Flag


class DeletionPolicy(StrEnum):
    """What deleting the SealCluster means for the machines."""

    RETAIN = "Retain"
    RESET = "Reset"


class Certificates(ApiModel):
    """Certificates of the control plane."""

    validity: Duration = "10y"
    """Life of leaf certificates that are issued from now on."""

    ca_validity: Annotated[Duration, Immutable("certificate authorities are made once")] = "100y"
    """Life of the certificate authorities."""

    extra_sans: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^(\*\.)?[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?$", max_length=253)], ...],
        Field(max_length=64),
    ] = ()
    """Names and IPv4 addresses that the API servers' certificates carry in addition."""


class Drain(ApiModel):
    """How a node is emptied before it leaves."""

    timeout: Duration = "5m"
    """How long evictions may be refused before the removal is reported as blocked."""

    delete_empty_dir_data: Flag = True
    """Evict pods although their emptyDir volumes are lost with them."""

    force: Flag = False
    """Evict also pods that no controller brings back."""


_UNAVAILABLE_MESSAGE = "must be a number from 1 to 2000 or a percentage from 1% to 100%"


def _some_unavailable(value: int | str) -> int | str:
    fine = 1 <= value <= MAX_HOSTS if isinstance(value, int) else re.fullmatch("(100|[1-9][0-9]?)%", value) is not None
    if not fine:
        raise ValueError(_UNAVAILABLE_MESSAGE)
    return value


class Rollout(ApiModel):
    """How many workers change at a time; masters always change one by one."""

    max_unavailable: Annotated[
        Annotated[int, Strict()] | str,
        AfterValidator(_some_unavailable),
        Field(json_schema_extra={"x-kubernetes-int-or-string": True}),
        ScalarRule(
            f"type(self) == int ? self >= 1 && self <= {MAX_HOSTS} : self.matches('^(100|[1-9][0-9]?)%$')",
            _UNAVAILABLE_MESSAGE,
        ),
    ] = 1
    """Workers that may be drained or restarted at the same time: a number or a percentage, at least one."""

    drain: Drain = Drain()
    """How nodes are emptied."""
