"""How much an image may be: bounds for what an untrusted image can make us read, keep and write."""

from dataclasses import dataclass

MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes. The defaults are some ten times what the largest known cluster images need."""

    manifest: int = 4 * MIB
    """A manifest, an index or an image configuration."""
    layers: int = 256
    """Layers of one image."""
    download: int = 16 * GIB
    """All layers of one image as they travel."""
    unpacked: int = 32 * GIB
    """All layers of one image unpacked, and also all parts together."""
    ratio: int = 200
    """How many times larger a layer may become; only looked at above `ratio_free`."""
    ratio_free: int = 64 * MIB
    """Size up to which any ratio is fine (small text compresses well)."""
    entries: int = 100_000
    """Entries of all layers together."""
    path: int = 1_024
    """Length of a path and of a link's target."""
    name: int = 255
    """Length of one component of a path."""
    depth: int = 48
    """Components of a path."""
    template: int = 256 << 10
    """One `*.tmpl` file."""
    text: int = 4 * MIB
    """All templates, all small files and all registry links of one image, each kind together."""
    config_file: int = 128 << 10
    """`config.yml` at the image's root."""
    small_file: int = 64 << 10
    """The largest static file whose text is kept for Config objects."""
