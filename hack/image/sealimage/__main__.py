"""`python -m sealimage build` writes the operator's image below build/; `lock` writes requirements.lock."""

import argparse
import sys
from pathlib import Path

from sealab.errors import LabError
from sealimage import wheels
from sealimage.build import build


def main() -> int:
    parser = argparse.ArgumentParser(prog="sealimage", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("build", help="build the image as an OCI layout and an oci-archive")
    make.add_argument("--output", type=Path, default=wheels.ROOT / "build")
    commands.add_parser("lock", help="pin the wheels that go into the image")
    options = parser.parse_args()
    try:
        if options.command == "lock":
            wheels.LOCK.write_text(wheels.lock())
        else:
            built = build(options.output)
            print(f"{built.ref} {built.digest}")
            print(f"{built.packed / 1e6:.1f} MB packed, {built.unpacked / 1e6:.1f} MB unpacked: {built.archive}")
    except LabError as error:
        print(f"sealimage: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
