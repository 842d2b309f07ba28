"""`sealab images` builds cluster images and says where they are; `sealab registry` serves them on a lab's bridge."""

import argparse

from sealab.clusterimage import build, known
from sealab.machines import Lab
from sealab.registry import PORT, serve

_DEFAULT = ["kubernetes", "lab-cni", "hello"]


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the sub-commands."""
    names = f"NAME[:VERSION]; default: {' '.join(_DEFAULT)}; there are {', '.join(known())}"
    images = commands.add_parser("images", help="build cluster images", description="Builds cluster images, or finds them in the cache.")
    images.add_argument("names", nargs="*", metavar="IMAGE", help=names)
    images.set_defaults(run=_images)

    registry = commands.add_parser(
        "registry",
        help="serve cluster images on a lab's bridge",
        description="Starts a registry on the lab's bridge; it runs until the lab is taken down.",
    )
    registry.add_argument("names", nargs="*", metavar="IMAGE", help=names)
    registry.add_argument("--name", default="lab", help="the lab")
    registry.add_argument("--port", type=int, default=PORT)
    registry.set_defaults(run=_registry)


def _images(options: argparse.Namespace) -> int:
    for wanted in options.names or _DEFAULT:
        name, _, version = wanted.partition(":")
        built = build(name, version)
        print(f"{built.ref}  {built.digest}\n  layout  {built.layout}\n  archive {built.archive}")
    return 0


def _registry(options: argparse.Namespace) -> int:
    lab = Lab.load(options.name)
    wanted = [tuple(name.partition(":")[::2]) for name in options.names or _DEFAULT]
    images = [build(name, version) for name, version in wanted]
    registry = serve(lab.name, lab.bridge_address, [image.ref for image in images], options.port)
    for image in images:
        print(registry.ref(image.ref))
    return 0
