"""The files of a host's root file system that differ from host to host: rendered templates and what Config objects change. Pure.

Every plan asks for them, for every host. What is rendered is a function of texts that hardly ever change, so it is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from sys import getsizeof

from sealcluster.core.digest import digest
from sealcluster.core.errors import TerminalError
from sealcluster.core.images import ImageInfo
from sealcluster.core.ops import File
from sealcluster.core.view import ClusterView, HostView
from sealcluster.phases.base import image_set
from sealcluster.phases.environment import application_env, host_env
from sealcluster.render.configs import ConfigChange, ConfigError, apply_config
from sealcluster.render.gotemplate import TemplateError, render
from sealcluster.render.gotemplate_budget import Budget
from sealcluster.render.remembered import Remembered

TEMPLATE_SUFFIX = ".tmpl"
OTHERS = 0o077
"""What is taken off the mode of a file that holds a secret: only root may read it."""
IMAGE, SPEC, SECRET = "image", "spec", "Secret"
"""Where the text of a change stands; besides, in a ConfigMap."""
MOST_MERGED = 1 << 20
"""Characters of YAML that the changes of one image may read to merge: a thousand of them must not take longer than a large one."""

Texts = dict[str, tuple[str, int]]
"""Text and mode by path."""


@dataclass(frozen=True, slots=True)
class _Inputs:
    """All that an image's files are made of, besides the environment. Equal inputs give equal files."""

    image: str
    templates: tuple[tuple[str, str], ...] = field(repr=False)
    modes: tuple[tuple[str, int], ...]
    changes: tuple[tuple[ConfigChange, str], ...] = field(repr=False)
    originals: tuple[tuple[str, str], ...] = field(repr=False)
    opaque: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Refusal:
    """An error as values: one that is raised again and again would grow."""

    message: str
    reason: str
    hint: str


_remembered: Remembered[tuple[File, ...] | _Refusal] = Remembered(16 << 20)


def rootfs_files(view: ClusterView, host: HostView) -> tuple[File, ...]:
    """Rendered files of rootfs and patches (later images win), paths relative to the root file system."""
    return _made(view, image_set(view.images_for(host)), host_env(view, host))


def application_files(view: ClusterView, host: HostView, image: ImageInfo) -> tuple[File, ...]:
    """Rendered files of an application image, relative to its working directory."""
    return _made(view, (image,), application_env(view, host, image))


def _made(view: ClusterView, images: Sequence[ImageInfo], env: Mapping[str, str]) -> tuple[File, ...]:
    inputs = tuple(_inputs(view, image) for image in images)
    password = view.registry_password

    def make() -> tuple[File, ...] | _Refusal:
        texts: Texts = {}
        try:
            for one in inputs:
                texts.update(_render(one, env))
        except TerminalError as error:
            return _Refusal(error.message, error.reason, error.hint)
        return _files(texts, password)

    def size(made: tuple[File, ...] | _Refusal) -> int:
        if isinstance(made, _Refusal):
            made = ()
        kept = [*env.items(), *(pair for one in inputs for pair in (*one.templates, *one.originals))]
        kept += [("", change.data) for one in inputs for change, _ in one.changes]
        return sum(getsizeof(key) + getsizeof(text) for key, text in kept) + sum(len(file.content) for file in made)

    made = _remembered.get((inputs, tuple(env.items()), password), make, size)
    if isinstance(made, _Refusal):
        raise TerminalError(made.message, reason=made.reason, step="render", hint=made.hint)
    return made


def _inputs(view: ClusterView, image: ImageInfo) -> _Inputs:
    changes = tuple(_changes(view, image))
    changed = {change.path for change, _ in changes}
    return _Inputs(
        image=image.name,
        templates=tuple(image.templates.items()),
        modes=tuple(image.modes.items()),
        changes=changes,
        originals=tuple((path, text) for path, text in image.small_files.items() if path in changed) if changed else (),
        opaque=frozenset(path for path in image.opaque if path in changed) if changed else frozenset(),
    )


def _render(inputs: _Inputs, env: Mapping[str, str]) -> Texts:
    data: dict[str, object] = {**env, "Env": dict(env), "Values": dict(env)}
    out: Texts = {}
    originals, templates, modes = dict(inputs.originals), dict(inputs.templates), dict(inputs.modes)
    secret: set[str] = set()
    merged = 0
    for change, place in inputs.changes:
        if place == SECRET:
            secret.add(change.path)
        old = templates[change.path] if change.path in templates else originals.get(change.path, "")
        merged += len(old) + len(change.data) if change.strategy == "merge" else 0
        new = _apply(inputs, change, old, place, merged)
        if change.path in templates:
            templates[change.path] = new
        else:
            originals[change.path] = new
            out[change.path] = (new, modes.get(change.path, 0o644))
    budget = Budget()
    for path, text in templates.items():
        target = path.removesuffix(TEMPLATE_SUFFIX)
        try:
            rendered = render(text, data, name=f"{inputs.image}:{path}", budget=budget)
        except TemplateError as error:
            raise TerminalError(
                f"rendering {path} of image {inputs.image}: {error}",
                reason="TemplateFailed",
                step="render",
                hint="fix the template in the image, or replace the file by an entry in spec.configs",
            ) from error
        if path in secret:
            secret.add(target)
        out[target] = (rendered, modes.get(path, modes.get(target, 0o644)))
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


def _apply(inputs: _Inputs, change: ConfigChange, old: str, place: str, merged: int) -> str:
    try:
        if change.strategy != "override" and change.path in inputs.opaque:
            raise ConfigError(f"{change.strategy} needs a text of at most 64 KiB in the image; only override replaces what is larger")
        if merged > MOST_MERGED:
            raise ConfigError(f"the changes of this image merge more than {MOST_MERGED >> 20} MiB of text; override the largest files")
        return apply_config(old, change)
    except ConfigError as error:
        own = place == IMAGE
        raise TerminalError(
            f"changing {change.path} of image {inputs.image} as {'its config.yml' if own else 'spec.configs'} says: {error}",
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
