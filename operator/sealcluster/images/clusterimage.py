"""What the labels, environment and files of an image mean: its type, version, scripts and commands; what is not supported."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from sealcluster.core import foreign_yaml
from sealcluster.core.images import ImageInfo
from sealcluster.images.errors import ImageCorrupt, UnsupportedImage
from sealcluster.images.manifest import ImageConfig

TYPES = ("rootfs", "patch", "application")
SCRIPTS = ("check", "init", "clean", "init-cri", "clean-cri", "init-registry", "clean-registry")
_LAYOUTS = ("v1beta1", "v1beta2")
_DISTRIBUTIONS = ("", "kubernetes", "kubeadm")
_VERSION = re.compile(r"v\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?", re.ASCII)
_ENV_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_WRAPPERS = ("/bin/sh", "-c")
_FLAVOURS = {
    "docker": (re.compile(r"cri-dockerd|/docker(\.sock|/|$)"), ("scripts/init-docker.sh", "scripts/init-cri-dockerd.sh")),
    "cri-o": (re.compile(r"/crio(\.sock|/|$)"), ("scripts/init-crio.sh",)),
}


def label(labels: Mapping[str, str], key: str) -> str:
    """Return one of sealos' own labels; both spellings of their prefix are in use."""
    return labels.get(f"sealos.io.{key}") or labels.get(f"apps.sealos.io/{key}") or ""


def describe(name: str, ref: str, digest: str, arch: str, config: ImageConfig) -> ImageInfo:
    """Return what is known without the image's files; UnsupportedImage says why it cannot be used."""
    labels = config.labels
    info = ImageInfo(
        ref=ref,
        name=name,
        digest=f"sha256:{digest}",
        arch=arch,
        type=label(labels, "type") or "application",
        version=labels.get("version", ""),
        labels=dict(labels),
        env=dict(_env(config.env)),
        commands=tuple(text for text in (*config.entrypoint, *config.cmd) if text not in _WRAPPERS),
        entrypoint=sum(text not in _WRAPPERS for text in config.entrypoint),
        scripts={key: labels[key] for key in SCRIPTS if labels.get(key)},
    )
    _check(info)
    return info


def _env(entries: Collection[str]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        key, equals, value = entry.partition("=")
        if not equals or not _ENV_NAME.fullmatch(key) or "\0" in value:
            raise ImageCorrupt(f"reading the image's environment: {key[:40]!a} is no variable")
        if key != "PATH":
            yield key, value


def _check(info: ImageInfo) -> None:
    def unsupported(problem: str, hint: str = "") -> UnsupportedImage:
        return UnsupportedImage(f"using image {info.ref}: {problem}", hint=hint)

    distribution = label(info.labels, "distribution")
    if info.type not in TYPES:
        raise unsupported(f"label sealos.io.type is {info.type[:40]!a}, known are {', '.join(TYPES)}")
    if distribution not in _DISTRIBUTIONS:
        raise unsupported(
            f"it installs {distribution[:40]}; only Kubernetes with kubeadm is supported", "use an image of the kubernetes distribution"
        )
    if info.type != "rootfs":
        return
    if label(info.labels, "version") not in _LAYOUTS:
        raise unsupported(f"label sealos.io.version is none of {', '.join(_LAYOUTS)}", "rebuild the image with sealos 4 or later")
    if not _VERSION.fullmatch(info.version):
        raise unsupported(f"label version must be a Kubernetes version such as v1.34.4, not {info.version[:40]!a}")
    for flavour, (pattern, _) in _FLAVOURS.items():
        told = [info.env.get(key, "") for key in ("SEALOS_SYS_CRI_ENDPOINT", "criData", "criDockerdData")]
        if any(pattern.search(text) for text in told):
            raise _wrong_flavour(info.ref, flavour)


def _wrong_flavour(ref: str, flavour: str) -> UnsupportedImage:
    return UnsupportedImage(f"using image {ref}: it is the {flavour} flavour", hint="use the containerd flavour of this image")


def complete(info: ImageInfo, files: Collection[str], config_text: str) -> ImageInfo:
    """Add what only the image's files tell: its own Config documents; refuse flavours that only the scripts give away."""
    if info.type == "rootfs":
        for flavour, (_, scripts) in _FLAVOURS.items():
            if any(script in files for script in scripts) and "scripts/init-containerd.sh" not in files:
                raise _wrong_flavour(info.ref, flavour)
    return replace(info, configs=tuple(_configs(config_text, info)))


def personal(info: ImageInfo, name: str, ref: str) -> ImageInfo:
    """Return the image under the name and reference that one cluster gave it, with the Config documents that match these."""
    configs = [document for document in info.configs if _match(document) in ("", name, ref)]
    return replace(info, name=name, ref=ref, configs=tuple(configs))


def _match(document: Mapping[str, object]) -> str:
    spec = document.get("spec")
    return str(spec.get("match") or "") if isinstance(spec, Mapping) else ""


def _configs(text: str, info: ImageInfo) -> Iterator[Mapping[str, object]]:
    """Return the Config documents of `config.yml`; of two with the same name the later one."""
    try:
        documents = [document for document in foreign_yaml.load(text) if document is not None]
    except foreign_yaml.UNREADABLE as error:
        raise ImageCorrupt(f"reading config.yml of image {info.ref}: it {foreign_yaml.complaint(error)}") from None
    chosen: dict[object, Mapping[str, object]] = {}
    for number, document in enumerate(documents):
        if not isinstance(document, dict) or document.get("kind") != "Config":
            continue
        spec, metadata = document.get("spec"), document.get("metadata")
        if not isinstance(spec, dict) or not isinstance(metadata, dict | None):
            raise ImageCorrupt(f"reading config.yml of image {info.ref}: a Config without spec")
        chosen[str((metadata or {}).get("name") or number)] = _plain(document, info.ref)
    return iter(chosen.values())


def _plain(document: Mapping[str, object], ref: str) -> dict[str, object]:
    """Keep the texts only: whatever else YAML can express has no meaning in a Config."""
    spec, metadata = document.get("spec"), document.get("metadata")
    kept: dict[str, object] = {}
    for key in ("path", "match", "strategy", "data") if isinstance(spec, dict) else ():
        value = spec.get(key) if isinstance(spec, dict) else None
        if not isinstance(value, str | None):
            raise ImageCorrupt(f"reading config.yml of image {ref}: {key} of a Config is no text")
        if value:
            kept[key] = value
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return {"kind": "Config", "metadata": {"name": str(name)} if name else {}, "spec": kept}
