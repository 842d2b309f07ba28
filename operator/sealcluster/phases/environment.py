"""Which environment templates, scripts and commands see: image < this image's env in the spec < cluster < host < what we decide."""

from __future__ import annotations

from sealcluster.core.images import ImageInfo
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import image_set

OURS = "SEALOS_SYS_"
"""Keys with this prefix are set by the installer; a user's values for them are not taken."""

REGISTRY_USER = "admin"


def _image_env(view: ClusterView, image: ImageInfo) -> dict[str, str]:
    wanted = next((i for i in view.spec.images if i.name == image.name), None)
    return {**image.env, **(wanted.env if wanted else {})}


def _decided(view: ClusterView, host: HostView) -> dict[str, str]:
    env = {
        "SEALOS_SYS_KUBE_VERSION": view.version,
        "SEALOS_SYS_RUN_MODE": ",".join(host.roles),
        "registryDomain": str(view.spec.registry.domain),
        "registryPort": str(view.spec.registry.port),
        "registryUsername": REGISTRY_USER,
        "defaultVIP": str(view.spec.endpoint.vip),
    }
    if view.registry_password:
        env["registryPassword"] = view.registry_password
    return env


def _users(view: ClusterView, host: HostView) -> dict[str, str]:
    env = {**view.spec.env, **(host.spec.env if host.spec else {})}
    return {k: v for k, v in env.items() if not k.startswith(OURS)}


def host_env(view: ClusterView, host: HostView) -> dict[str, str]:
    """For the rootfs' templates and scripts on this host."""
    env: dict[str, str] = {}
    for image in image_set(view.images_for(host)):
        env.update(_image_env(view, image))
    return {**env, **_users(view, host), **_decided(view, host)}


def application_env(view: ClusterView, host: HostView, image: ImageInfo) -> dict[str, str]:
    """For an application image's templates and commands on the host that runs them."""
    return {**_image_env(view, image), **_users(view, host), **_decided(view, host)}
