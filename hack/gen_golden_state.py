"""Writes tests/golden/releases/<version>/: what clusters look like that this release made. Done once, when a release is cut.

A release that exists is not written anew (that would hide what the test is for) unless `--again` says so, before it is published.
"""

import argparse
import shutil
import sys
from pathlib import Path

from sealcluster.testing import clock, specs
from sealcluster.testing.releases import record

ROOT = Path(__file__).resolve().parent.parent / "tests" / "golden" / "releases"
SHAPES = {
    "one-machine": specs.spec(1),
    "highly-available": specs.spec(
        hosts=[
            *specs.hosts(3, 1),
            specs.host("w2", 5, "node", "registry", labels={"disk": "ssd"}, taints=[{"key": "k", "value": "v", "effect": "NoSchedule"}]),
        ],
        env={"SOME": "thing"},
        configs=[{"path": "etc/model.conf", "strategy": "append", "data": "line=1\n"}],
        certificates={"extraSANs": ["api.example.org"]},
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", help="major.minor of the release, such as 0.1")
    parser.add_argument("--again", action="store_true", help="replace files of a release that is not published yet")
    given = parser.parse_args()
    target = ROOT / given.version
    if target.exists() and not given.again:
        print(f"{target} exists: clusters of that release are what they are; --again replaces it before it is published")
        return 1
    shutil.rmtree(target, ignore_errors=True)
    for name, spec in SHAPES.items():
        clock.run(record(spec, target / name), limit=100_000)
        print(f"wrote {target / name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
