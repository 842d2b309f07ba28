"""`python -m sealab`: one command line; every `cli_*.py` module beside this file adds its own sub-commands."""

import argparse
import importlib
import pkgutil
import sys

import sealab
from sealab.errors import LabError


def main(argv: list[str] | None = None) -> int:
    """Run one lab command; a LabError becomes one clear line and exit code 1."""
    parser = argparse.ArgumentParser(prog="sealab", description=sealab.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for module in pkgutil.iter_modules(sealab.__path__):
        if module.name.startswith("cli_"):
            importlib.import_module(f"sealab.{module.name}").register(commands)
    options = parser.parse_args(argv)
    try:
        return int(options.run(options) or 0)
    except LabError as error:
        print(f"sealab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
