"""The files of a host's root file system that differ from host to host: rendered templates and what Config objects change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sealcluster.core.digest import digest
from sealcluster.core.errors import TerminalError
from sealcluster.core.images import ImageInfo
from sealcluster.core.ops import File
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import image_set
from sealcluster.phases.environment import application_env, host_env
from sealcluster.render.configs import ConfigChange, ConfigError, apply_config
from sealcluster.render.gotemplate import TemplateError, render

TEMPLATE_SUFFIX = ".tmpl"
OTHERS = 0o077
"""What is taken off the mode of a file that holds a secret: only root may read it."""
IMAGE, SPEC, SECRET = "image", "spec", "Secret"
"""Where the text of a change stands; besides, in a ConfigMap."""


def rootfs_files(view: ClusterView, host: HostView) -> tuple[File, ...]:
    """Rendered files of rootfs and patches (later images win), paths relative to the root file system."""
    env = host_env(view, host)
    texts: dict[str, tuple[str, int]] = {}
    for image in image_set(view.images_for(host)):
        texts.update(_render(view, image, env))
    return _files(texts, view.registry_password)


def application_files(view: ClusterView, host: HostView, image: ImageInfo) -> tuple[File, ...]:
    """Rendered files of an application image, relative to its working directory."""
    return _files(_render(view, image, application_env(view, host, image)), view.registry_password)


def _render(view: ClusterView, image: ImageInfo, env: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    data: dict[str, object] = {**env, "Env": dict(env), "Values": dict(env)}
    out: dict[str, tuple[str, int]] = {}
    originals = dict(image.small_files)
    templates = dict(image.templates)
    secret: set[str] = set()
    for change, place in _changes(view, image):
        if place == SECRET:
            secret.add(change.path)
        if change.path in templates:
            templates[change.path] = _apply(image, change, templates[change.path], place)
        else:
            originals[change.path] = _apply(image, change, originals.get(change.path, ""), place)
            out[change.path] = (originals[change.path], image.modes.get(change.path, 0o644))
    for path, text in templates.items():
        target = path.removesuffix(TEMPLATE_SUFFIX)
        try:
            rendered = render(text, data, name=f"{image.name}:{path}")
        except TemplateError as error:
            raise TerminalError(
                f"rendering {path} of image {image.name}: {error}",
                reason="TemplateFailed",
                step="render",
                hint="fix the template in the image, or replace the file by an entry in spec.configs",
            ) from error
        if path in secret:
            secret.add(target)
        out[target] = (rendered, image.modes.get(path, image.modes.get(target, 0o644)))
    return {path: (text, mode & ~OTHERS if path in secret else mode) for path, (text, mode) in out.items()}


def _changes(view: ClusterView, image: ImageInfo) -> Iterable[tuple[ConfigChange, str]]:
    """Changes in order, and where their texts stand."""
    for document in image.configs:
        try:
            yield ConfigChange.from_document(document), IMAGE
        except ConfigError as error:
            raise TerminalError(
                f"reading config.yml of image {image.name}: {error}", reason="TemplateFailed", step="render", hint="fix the image"
            ) from error
    for config in view.spec.configs:
        if config.match is None or config.match == image.name:
            place = config.data_from.place if config.data_from is not None else None
            text = config.data if place is None else view.config_texts.get(place)
            if text is not None:
                yield ConfigChange(path=config.path, data=text, strategy=str(config.strategy)), place[0] if place is not None else SPEC


def _apply(image: ImageInfo, change: ConfigChange, old: str, place: str) -> str:
    try:
        if change.strategy != "override" and change.path in image.opaque:
            raise ConfigError(f"{change.strategy} needs a text of at most 64 KiB in the image; only override replaces what is larger")
        return apply_config(old, change)
    except ConfigError as error:
        own = place == IMAGE
        raise TerminalError(
            f"changing {change.path} of image {image.name} as {'its config.yml' if own else 'spec.configs'} says: {error}",
            reason="TemplateFailed" if own else "InvalidSpec",
            step="render",
            hint="fix the image" if own else "fix spec.configs",
        ) from error


def _files(texts: Mapping[str, tuple[str, int]], password: str) -> tuple[File, ...]:
    """A file in which the registry's password stands is as secret as one that comes from a Secret."""
    return tuple(
        File(path, text.encode(), mode & ~OTHERS if password and password in text else mode) for path, (text, mode) in sorted(texts.items())
    )


def files_digest(files: Iterable[File]) -> str:
    """Digest of paths, modes and contents."""
    return digest(*(part for f in files for part in (f.path, f"{f.mode:o}", f.content)))
