"""Cluster images of a SealCluster and the files of theirs that a user changes."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from sealcluster.api.base import ApiModel, Rule
from sealcluster.api.references import KeyRef
from sealcluster.api.scalars import DNS_LABEL_PATTERN, Env

ImageName = Annotated[str, StringConstraints(pattern=DNS_LABEL_PATTERN, max_length=63)]
"""Name of an entry in spec.images."""

IMAGE_REF_PATTERN = (
    r"^((oci|docker)-archive:[^\s:,]+(:[^\s,]+)?"
    r"|[a-zA-Z0-9]([-a-zA-Z0-9._]*[a-zA-Z0-9])?(:[0-9]+)?(/[a-zA-Z0-9]([-a-zA-Z0-9._]*[a-zA-Z0-9])?)*"
    r"(:[a-zA-Z0-9_][-a-zA-Z0-9._]{0,127})?(@sha256:[a-f0-9]{64})?)$"
)


class ClusterImage(ApiModel):
    """One cluster image: the root file system with Kubernetes, a patch of it, or an application."""

    name: ImageName
    """Name of the image in this cluster; configs and status refer to it."""

    ref: Annotated[str, StringConstraints(pattern=IMAGE_REF_PATTERN, min_length=1, max_length=1024)]
    """registry/repository:tag, registry/repository@sha256:…, oci-archive:FILE or docker-archive:FILE. The operator reads
    files only below its own image directory."""

    env: Env = Field(default={})
    """Environment of this image's templates and commands; wins over the image's own, is overruled by spec.env and the host's."""

    args: Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=8192)], ...], Field(max_length=64)] | None = None
    """Replaces the CMD of the image; absent keeps it, an empty list runs nothing."""


class ConfigStrategy(StrEnum):
    """How the data of a config meets the file of the image."""

    MERGE = "merge"
    OVERRIDE = "override"
    INSERT = "insert"
    APPEND = "append"


class ConfigSource(ApiModel):
    """Where the data of a config come from, if not from the SealCluster itself."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.secretKeyRef) != has(self.configMapKeyRef)",
            holds=lambda source: (source.secret_key_ref is None) != (source.config_map_key_ref is None),
            message="needs exactly one of secretKeyRef and configMapKeyRef",
        ),
    )

    secret_key_ref: KeyRef | None = None
    """Key of a Secret; the rendered file is readable by root only."""

    config_map_key_ref: KeyRef | None = None
    """Key of a ConfigMap."""

    @property
    def place(self) -> tuple[str, str, str]:
        """Kind, name and key of what is referred to."""
        kind, reference = ("Secret", self.secret_key_ref) if self.secret_key_ref is not None else ("ConfigMap", self.config_map_key_ref)
        assert reference is not None  # the rule above
        return kind, str(reference.name), str(reference.key)


class ConfigFile(ApiModel):
    """A change to one file of the images before it is sent to the hosts."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.data) != has(self.dataFrom)",
            holds=lambda config: (config.data is None) != (config.data_from is None),
            message="needs exactly one of data and dataFrom",
        ),
    )

    path: Annotated[
        str, StringConstraints(pattern=r"^[-a-zA-Z0-9_+@][-a-zA-Z0-9_.+@]*(/[-a-zA-Z0-9_+@][-a-zA-Z0-9_.+@]*)*$", max_length=512)
    ]
    """Path of the file, relative to the root of the image, without leading dots in any part."""

    match: ImageName | None = None
    """Name of the one image that is changed; absent: every image."""

    strategy: ConfigStrategy = ConfigStrategy.OVERRIDE
    """merge: deep-merge YAML maps; override: replace the file; insert: put before it; append: put after it."""

    data: Annotated[str, StringConstraints(max_length=65536)] | None = None
    """The text itself; never a secret, use dataFrom for those."""

    data_from: ConfigSource | None = None
    """Where the text is kept."""
