"""Checks of images and configs that look at more than one field."""

from collections.abc import Iterator

from sealcluster.api.field_errors import FieldError
from sealcluster.api.spec import SealClusterSpec
from sealcluster.api.validation_env import env_errors, secret_errors


def image_errors(spec: SealClusterSpec) -> Iterator[FieldError]:
    """Everything that is wrong with images, configs and the common environment."""
    for index, image in enumerate(spec.images):
        if repository_name(image.ref) == "k3s":
            yield FieldError(f"spec.images[{index}].ref", "k3s images are not supported: use a kubernetes image")
        yield from env_errors(image.env, f"spec.images[{index}].env")
    yield from env_errors(spec.env, "spec.env")
    names = {image.name for image in spec.images}
    for index, config in enumerate(spec.configs):
        path = f"spec.configs[{index}]"
        if config.match is not None and config.match not in names:
            yield FieldError(
                f"{path}.match", f"no image in spec.images has the name {config.match}: want one of {', '.join(sorted(names))}"
            )
        if config.data is not None:
            yield from secret_errors(config.data, f"{path}.data")


def repository_name(ref: str) -> str:
    """Last part of the repository of an image reference, without tag and digest; empty for archives."""
    if ref.startswith(("oci-archive:", "docker-archive:")):
        return ""
    return ref.partition("@")[0].rpartition("/")[2].partition(":")[0]
