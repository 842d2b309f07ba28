"""Write the CustomResourceDefinition into crds/, or with --check say whether the file there is up to date."""

import argparse
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "operator"))

from sealcluster.api.crd import crd  # noqa: E402 - the package is found through the line above

TARGET = ROOT / "crds" / "sealclusters.sealcluster.io.yaml"
HEADER = "# Generated from operator/sealcluster/api by hack/gen_crds.py; do not edit.\n"


class _Dumper(yaml.SafeDumper):
    """Writes every mention of a shared part in full: YAML anchors in a CRD confuse its readers."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def render() -> str:
    """Text of the generated file."""
    return HEADER + yaml.dump(crd(), Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 if the file is not up to date")
    options = parser.parse_args()
    text = render()
    if options.check:
        if not TARGET.exists() or TARGET.read_text() != text:
            print(f"{TARGET.relative_to(ROOT)} is not up to date: run python hack/gen_crds.py", file=sys.stderr)
            return 1
        return 0
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text)
    subprocess.run([sys.executable, str(ROOT / "hack" / "gen_chart.py")], check=True)  # the chart holds it as a template
    return 0


if __name__ == "__main__":
    sys.exit(main())
