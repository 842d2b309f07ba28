"""Cuts a merged tree into what travels: parts by top-level entry, template and small file texts, the registry's blobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sealcluster.core.images import Part, RegistryTree
from sealcluster.images.errors import TooLarge, UnsafeImage
from sealcluster.images.limits import Limits
from sealcluster.images.registry_tree import RegistryContent, read_registry
from sealcluster.images.store import ContentStore
from sealcluster.images.tar_writer import TarWriter
from sealcluster.images.tree import Directory, File, Node, Symlink, find, walk
from sealcluster.images.unpack import Layer

REGISTRY = "registry"
TEMPLATE_DIRECTORIES = ("etc", "scripts", "manifests")
TEMPLATE_SUFFIX = ".tmpl"
_TEXT_DIRECTORIES = ("etc", "manifests", "statics", "charts")
_EXECUTABLE = 0o755
_PLAIN = 0o644
TOP_FILES = "files"
"""Name of the part that holds the files at the image's root."""


@dataclass(frozen=True, slots=True)
class Content:
    """All that an image consists of, cut."""

    parts: tuple[Part, ...]
    templates: dict[str, str] = field(repr=False)
    modes: dict[str, int]
    small_files: dict[str, str] = field(repr=False)
    opaque: tuple[str, ...]
    """Paths of the other regular files outside `registry/`."""
    registry: RegistryTree
    config: str
    """The text of `config.yml` at the image's root, or nothing."""
    scripts: frozenset[str]
    """Names of the files below `scripts/` and `cri/`, templates without their suffix."""


class Cutter:
    """Cuts one image; `layers` are its uncompressed layers, which must stay until `cut` is done."""

    def __init__(self, root: Directory, layers: Sequence[Layer], store: ContentStore, limits: Limits, what: str) -> None:
        self._root = root
        self._layers = layers
        self._store = store
        self._limits = limits
        self._what = what
        self._files: list[BinaryIO] = []

    def cut(self, progress: Callable[[str], None]) -> Content:
        """Write parts and registry blobs into the store. Blocking: call it in a thread."""
        with ExitStack() as stack:
            opened: dict[Path, BinaryIO] = {}
            for layer in self._layers:
                if layer.path not in opened:
                    opened[layer.path] = stack.enter_context(layer.path.open("rb"))
            self._files = [opened[layer.path] for layer in self._layers]
            registry = self._registry()
            self._check_total(registry)
            templates = self._templates()
            texts = self._small_files()
            parts = tuple(self._parts(templates, progress))
            config = self._config()
            tree = self._store_registry(registry, progress)
        small = {path: text for path, text in texts.items() if path + TEMPLATE_SUFFIX not in templates}
        modes = {path: mode for path in (*templates, *small) if (mode := self._target_mode(path)) != _PLAIN}
        return Content(parts, templates, modes, small, self._opaque(small, templates), tree, config, self._script_names())

    def _at(self, file: File) -> tuple[BinaryIO, int]:
        return self._files[file.layer], file.offset

    def _read(self, file: File) -> bytes:
        source, offset = self._at(file)
        source.seek(offset)
        return source.read(file.size)

    def _registry(self) -> RegistryContent:
        directory = self._root.children.get(REGISTRY)
        if directory is None:
            return RegistryContent({}, ())
        if not isinstance(directory, Directory):
            raise UnsafeImage(f"reading {self._what}: registry is no directory")
        return read_registry(directory, self._read, self._limits, self._what)

    def _check_total(self, registry: RegistryContent) -> None:
        """Hard links make a small image large: count what the parts will hold before writing them."""
        total = sum(file.size for file in registry.blobs.values())
        for name, node in self._root.children.items():
            if name == REGISTRY:
                continue
            nodes = [node] if not isinstance(node, Directory) else [below for _, below in walk(node)]
            total += sum(file.size for file in {below for below in nodes if isinstance(below, File)})
        if total > self._limits.unpacked:
            raise TooLarge(f"cutting {self._what}: its files have {total} bytes, the limit is {self._limits.unpacked}")

    def _templates(self) -> dict[str, str]:
        templates: dict[str, str] = {}
        total = 0
        for path, node in self._below(TEMPLATE_DIRECTORIES):
            if not isinstance(node, File) or not path.endswith(TEMPLATE_SUFFIX) or path.endswith("/" + TEMPLATE_SUFFIX):
                continue
            total += node.size
            if node.size > self._limits.template or total > self._limits.text:
                raise TooLarge(f"reading {path} of {self._what}: a template of {node.size} bytes, or too many of them")
            text = self._text(node, self._limits.template)
            if text is None:
                raise UnsafeImage(f"reading {path} of {self._what}: a template that is not UTF-8 text")
            templates[path] = text
        return templates

    def _config(self) -> str:
        node = find(self._root, "config.yml")
        if node is None:
            return ""
        text = self._text(node, self._limits.config_file)
        if text is None:
            raise UnsafeImage(f"reading config.yml of {self._what}: no UTF-8 text of at most {self._limits.config_file} bytes")
        return text

    def _below(self, names: Sequence[str]) -> Iterator[tuple[str, Node]]:
        for name in names:
            node = self._root.children.get(name)
            if isinstance(node, Directory):
                yield from walk(node, f"{name}/")

    def _small_files(self) -> dict[str, str]:
        texts: dict[str, str] = {}
        total = 0
        top = [(name, node) for name, node in sorted(self._root.children.items()) if isinstance(node, File)]
        for path, node in [*top, *self._below(_TEXT_DIRECTORIES)]:
            text = None if path.endswith(TEMPLATE_SUFFIX) else self._text(node, self._limits.small_file)
            if text is not None and total + len(text) <= self._limits.text:
                total += len(text)
                texts[path] = text
        return texts

    def _opaque(self, texts: Mapping[str, str], templates: Mapping[str, str]) -> tuple[str, ...]:
        top = [(name, node) for name, node in sorted(self._root.children.items()) if name != REGISTRY]
        every = [*top, *self._below([name for name, node in top if isinstance(node, Directory)])]
        return tuple(path for path, node in every if isinstance(node, File) and path not in texts and path not in templates)

    def _text(self, node: Node, limit: int) -> str | None:
        if not isinstance(node, File) or node.size > limit:
            return None
        content = self._read(node)
        try:
            return None if b"\0" in content else content.decode()
        except UnicodeDecodeError:
            return None

    def _target_mode(self, path: str) -> int:
        node = find(self._root, path)
        executable = isinstance(node, File) and node.mode & 0o111
        return _EXECUTABLE if executable or path.startswith("scripts/") else _PLAIN

    def _script_names(self) -> frozenset[str]:
        return frozenset(path.removesuffix(TEMPLATE_SUFFIX) for path, node in self._below(("scripts", "cri")) if isinstance(node, File))

    def _parts(self, templates: dict[str, str], progress: Callable[[str], None]) -> Iterator[Part]:
        left_out = {*templates, *(path.removesuffix(TEMPLATE_SUFFIX) for path in templates)}
        top: list[tuple[str, Node]] = []
        for name, node in sorted(self._root.children.items()):
            if not isinstance(node, Directory):
                top.append((name, node))
            elif name != REGISTRY:
                progress(f"packing {name}")
                entries = [
                    (name, node),
                    *((path, below) for path, below in walk(node, f"{name}/") if isinstance(below, Directory) or path not in left_out),
                ]
                yield self._pack(name, entries)
        if top:
            yield self._pack(TOP_FILES, top)

    def _pack(self, name: str, entries: Sequence[tuple[str, Node]]) -> Part:
        """Write one part.

        Modes are 0755 throughout, as sealos leaves them with its `chmod -R 0755`: images rely on it, and set-user-id
        bits and files that everybody may write have no place below a directory whose scripts root runs.
        """
        written: dict[tuple[int, int, int], str] = {}
        with self._store.scratch() as scratch:
            with scratch.open("wb") as out:
                tar = TarWriter(out)
                for path, node in entries:
                    if isinstance(node, Directory):
                        tar.directory(path, _EXECUTABLE)
                    elif isinstance(node, Symlink):
                        tar.symlink(path, node.target)
                    elif node.size and (twin := written.get((node.layer, node.offset, node.size))):
                        tar.hardlink(path, twin)
                    else:
                        written[node.layer, node.offset, node.size] = path
                        source, offset = self._at(node)
                        tar.file(path, _EXECUTABLE, source, offset, node.size)
                digest = tar.close()
            self._store.adopt(scratch, digest, tar.size)
        return Part(digest, tar.size, name)

    def _store_registry(self, registry: RegistryContent, progress: Callable[[str], None]) -> RegistryTree:
        blobs: list[Part] = []
        done, total = 0, sum(file.size for file in registry.blobs.values())
        for digest, file in sorted(registry.blobs.items()):
            if not self._store.has(digest, file.size):
                source, offset = self._at(file)
                self._store.ingest(source, offset, file.size, digest, f"registry blob {digest[:12]} of {self._what}")
            done += file.size
            progress(f"unpacking container images {done * 100 // max(total, 1)} %")
            blobs.append(Part(digest, file.size))
        return RegistryTree(tuple(blobs), registry.links)
