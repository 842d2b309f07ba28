"""`sealab images`: builds cluster images and says where they are."""

import argparse

from sealab.clusterimage import build, known


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the sub-command."""
    parser = commands.add_parser("images", help="build cluster images", description=f"Builds of: {', '.join(known())}")
    parser.add_argument("names", nargs="*", metavar="NAME[:VERSION]", help="default: kubernetes lab-cni hello")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    for wanted in options.names or ["kubernetes", "lab-cni", "hello"]:
        name, _, version = wanted.partition(":")
        built = build(name, version)
        print(f"{built.ref}  {built.digest}\n  layout  {built.layout}\n  archive {built.archive}")
    return 0
