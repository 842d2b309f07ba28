"""What the operator reports. Written by one writer; read by people and tools, never by the engine.

Bounded: with 2,000 hosts the whole object stays under 1 MiB, so texts per host are short and lists are capped.
Unlike the spec, unknown fields are ignored when reading, so that an older command line can read a newer status.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from sealcluster.api.base import ApiModel
from sealcluster.api.hosts import Role
from sealcluster.api.scalars import unique_by

MAX_PLAN_STEPS = 50
"""Steps of the plan that status shows; the full plan is printed by `sealcluster plan`."""

MAX_HOST_ROWS = 4000
"""Twice what spec.hosts may hold: all machines may be replaced by others at once."""

MAX_CLUSTERFILE = 262144
"""Characters."""

MAX_VERSION, MAX_ARCH, MAX_RETRY = 64, 16, 128
"""Characters of what others say: images, machines, Nodes, annotations. `engine.status` cuts what is longer."""

Time = Annotated[str, StringConstraints(max_length=40), Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 time in UTC with seconds, such as 2026-01-31T12:00:00Z."""

Name = Annotated[str, StringConstraints(max_length=253)]
Short = Annotated[str, StringConstraints(max_length=256)]
Count = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})]


class StatusModel(ApiModel):
    """Base of everything in status."""

    model_config = ConfigDict(extra="ignore")


class ConditionStatus(StrEnum):
    """Truth of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(StatusModel):
    """One observation, in the form that all Kubernetes tools read."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=316)]
    """Name of the condition."""

    status: ConditionStatus
    """True, False or Unknown."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern="^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")]
    """Stable word for why; the catalogue of reasons says what to do about each."""

    message: Annotated[str, StringConstraints(max_length=32768)]
    """Details for a person."""

    last_transition_time: Time
    """When status changed last."""

    observed_generation: Count | None = None
    """Generation of the spec that this condition is about."""


class HostState(StrEnum):
    """How far a host is; for display."""

    PENDING = "Pending"
    CHECKING = "Checking"
    PREPARING = "Preparing"
    JOINING = "Joining"
    READY = "Ready"
    NOT_READY = "NotReady"
    LEAVING = "Leaving"
    UNREACHABLE = "Unreachable"
    FAILED = "Failed"
    EXCLUDED = "Excluded"


class HostStatus(StatusModel):
    """One machine as it was seen last."""

    name: Name
    """Name of the host in spec.hosts, or the name it had there before it was removed."""

    address: Annotated[str, StringConstraints(max_length=64)] | None = None
    """Address at which it was reached; absent in a large cluster when it is the one in spec."""

    roles: Annotated[tuple[Role, ...], Field(max_length=2)] | None = None
    """Roles that it has, which may not be those that spec wants yet; absent in a large cluster when they are."""

    state: HostState
    """How far it is."""

    reason: Annotated[str, StringConstraints(max_length=128)] | None = None
    """Reason from the catalogue when something is wrong with this host."""

    message: Short | None = None
    """What it is doing or what is wrong with it, in one line."""

    node_ready: bool | None = None
    """Whether its Node is Ready; absent while it has none, or in a large cluster when state says it."""

    version: Annotated[str, StringConstraints(max_length=MAX_VERSION)] | None = None
    """Version of its kubelet; absent in a large cluster when it is status.version."""

    machine_id: Annotated[str, StringConstraints(max_length=64)] | None = None
    """Content of its /etc/machine-id, by which it is known when its address changes."""

    host_key_fingerprint: Annotated[str, StringConstraints(max_length=96)] | None = None
    """SHA256 fingerprint of its SSH host key."""

    arch: Annotated[str, StringConstraints(max_length=MAX_ARCH)] | None = None
    """Architecture in the words of OCI images: amd64 or arm64."""


class NodeCounts(StatusModel):
    """How many nodes there are and how many there shall be."""

    masters: Annotated[str, StringConstraints(max_length=16)] = "0/0"
    """Ready masters of wanted ones, as it is printed."""

    workers: Annotated[str, StringConstraints(max_length=16)] = "0/0"
    """Ready workers of wanted ones, as it is printed."""

    ready: Count = 0
    """Ready nodes."""

    desired: Count = 0
    """Hosts in spec."""


class PhaseStart(StatusModel):
    """A phase that is under way."""

    phase: Annotated[str, StringConstraints(max_length=64)]
    """Name of the phase."""

    since: Time
    """When its first step began."""


class Progress(StatusModel):
    """How far the present change is; for display."""

    phase: Annotated[str, StringConstraints(max_length=64)]
    """Earliest phase that is not finished."""

    done: Count
    """Steps of this phase that are finished."""

    total: Count
    """Steps of this phase."""

    message: Short
    """The same for people, such as: joining masters 2/3."""

    under_way: Annotated[tuple[PhaseStart, ...], Field(max_length=64, json_schema_extra={"x-kubernetes-list-type": "atomic"})] | None = None
    """Phases of which something was begun and something is left to do: several at a time, since phases do not wait for each other."""


class PlanStep(StatusModel):
    """One step that is going to be taken."""

    host: Name | None = None
    """Host that it changes; absent for a step that concerns the cluster."""

    phase: Annotated[str, StringConstraints(max_length=64)]
    """Phase that it belongs to."""

    what: Short
    """What will be done, and why."""


class PlanStatus(StatusModel):
    """What the operator is about to do."""

    digest: Annotated[str, StringConstraints(max_length=80)]
    """Digest of the whole plan."""

    total: Count
    """Steps of the whole plan."""

    steps: Annotated[tuple[PlanStep, ...], Field(max_length=MAX_PLAN_STEPS)] = ()
    """The first steps."""


class Failure(StatusModel):
    """The last thing that went wrong, complete enough to act on."""

    host: Name | None = None
    """Host on which it happened; absent when it concerns the cluster."""

    phase: Annotated[str, StringConstraints(max_length=64)]
    """Phase in which it happened."""

    step: Short
    """What was being done."""

    exit_code: int | None = Field(default=None, json_schema_extra={"format": "int32"})
    """Exit code of the command, where it was one."""

    reason: Annotated[str, StringConstraints(max_length=128)]
    """Reason from the catalogue."""

    message: Annotated[str, StringConstraints(max_length=2048)]
    """What went wrong."""

    hint: Annotated[str, StringConstraints(max_length=1024)] | None = None
    """What to do about it."""

    output: Annotated[str, StringConstraints(max_length=8192)] | None = None
    """Last lines of output, without secrets."""

    evidence: Name | None = None
    """Secret with more of it (`evidence.json`): longer output, the log of the unit concerned, and earlier failures of other steps."""

    time: Time
    """When it happened."""


class CertificateExpiry(StatusModel):
    """The certificate that expires first."""

    soonest_expiry: Time
    """When it expires."""

    host: Name
    """Host that it is on."""

    name: Short
    """Which certificate it is."""


class SealClusterStatus(StatusModel):
    """What the operator saw."""

    observed_generation: Annotated[int, Field(json_schema_extra={"format": "int64"})] = -1
    """Generation of the spec that conditions are about; -1 before the operator has seen the object."""

    conditions: Annotated[tuple[Condition, ...], Field(max_length=64), *unique_by("type", "type")] = ()
    """Observations; Ready, Reconciling and Stalled follow the kstatus contract."""

    phase: Annotated[str, StringConstraints(max_length=64)] | None = None
    """One word for the printed column, derived from the conditions; nothing may depend on it."""

    progress: Progress | None = None
    """How far the present change is."""

    initialized: bool | None = None
    """True once kubeadm init succeeded; for display, the state record decides."""

    version: Annotated[str, StringConstraints(max_length=MAX_VERSION)] | None = None
    """Version of Kubernetes in the cluster."""

    endpoint: Short | None = None
    """URL of the control plane, as the kubeconfig has it."""

    nodes: NodeCounts | None = None
    """Counts of nodes."""

    hosts: Annotated[tuple[HostStatus, ...], Field(max_length=MAX_HOST_ROWS, json_schema_extra={"x-kubernetes-list-type": "atomic"})] = ()
    """Every host in spec and every one that is leaving."""

    plan: PlanStatus | None = None
    """What is going to be done."""

    last_failure: Failure | None = None
    """The last thing that went wrong; kept until the cluster is Ready again."""

    certificates: CertificateExpiry | None = None
    """The certificate that expires first."""

    clusterfile: Annotated[str, StringConstraints(max_length=MAX_CLUSTERFILE)] | None = None
    """The cluster in sealos' own format, resolved, without secrets; one that is too large for status is left out, and a comment says so."""

    last_handled_retry_at: Annotated[str, StringConstraints(max_length=MAX_RETRY)] | None = None
    """Value of the annotation sealcluster.io/retry that was handled last; of more than 128 characters the first ones and a digest of all."""
