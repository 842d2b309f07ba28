"""Where things lie on a host. The image's scripts and sealos' own tools expect these places."""

DATA_ROOT = "/var/lib/sealos"


def cluster_dir(cluster: str) -> str:
    """Everything of one cluster below sealos' data root."""
    return f"{DATA_ROOT}/data/{cluster}"


def rootfs(cluster: str) -> str:
    """The unpacked cluster image; scripts run in its `scripts/`."""
    return f"{cluster_dir(cluster)}/rootfs"


def registry_tree(cluster: str) -> str:
    """The distribution tree that the registry serves."""
    return f"{rootfs(cluster)}/registry"


def application(cluster: str, image: str) -> str:
    """Working directory of an application image's commands."""
    return f"{cluster_dir(cluster)}/applications/{image}/workdir"
