"""Which Secrets and ConfigMaps a spec refers to."""

from collections.abc import Iterator

from sealcluster.api.spec import SealClusterSpec
from sealcluster.api.ssh import SSHOverride, SSHSettings


def referred(spec: SealClusterSpec) -> tuple[tuple[str, str], ...]:
    """(kind, name) of each, once, in the order of the spec; all lie in the namespace of the SealCluster."""
    return tuple(dict.fromkeys(_all(spec)))


def _all(spec: SealClusterSpec) -> Iterator[tuple[str, str]]:
    for reference in spec.pull_secret_refs:
        yield "Secret", str(reference.name)
    for name in _of_ssh(spec.ssh):
        yield "Secret", name
    for host in spec.hosts:
        if host.ssh is not None:
            for name in _of_ssh(host.ssh):
                yield "Secret", name
    for config in spec.configs:
        source = config.data_from
        if source is not None and source.secret_key_ref is not None:
            yield "Secret", str(source.secret_key_ref.name)
        if source is not None and source.config_map_key_ref is not None:
            yield "ConfigMap", str(source.config_map_key_ref.name)


def _of_ssh(settings: SSHSettings | SSHOverride) -> Iterator[str]:
    if settings.credentials_secret_ref is not None:
        yield str(settings.credentials_secret_ref.name)
    if settings.host_keys is not None and settings.host_keys.known_hosts_secret_ref is not None:
        yield str(settings.host_keys.known_hosts_secret_ref.name)
    if settings.bastion is not None and settings.bastion.credentials_secret_ref is not None:
        yield str(settings.bastion.credentials_secret_ref.name)
