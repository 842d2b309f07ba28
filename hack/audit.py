"""Asks the advisory database about every pinned dependency (`make audit`). It gates nothing: what it answers changes from outside.

Exit code 0: nothing known, or only what `hack/audit.toml` explains. 1: a vulnerability that nobody has judged. 2: some packages could not
be asked about, so the answer is not complete.
"""

import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXCEPTIONS = ROOT / "hack" / "audit.toml"
PINNED = ROOT / "requirements-dev.txt"
COMMAND = (str(Path(sys.executable).parent / "pip-audit"), "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json")


@dataclass(frozen=True)
class Exemption:
    """A known vulnerability that does not concern us, and why."""

    id: str
    package: str
    reason: str


def exemptions(path: Path = EXCEPTIONS) -> dict[str, Exemption]:
    """By the advisory's name. ValueError for one without a reason."""
    found = {}
    for row in tomllib.loads(path.read_text()).get("ignore", []):
        exemption = Exemption(**row)
        if len(exemption.reason.split()) < 4:
            raise ValueError(f"{path.name}: {exemption.id} needs a reason: why does it not concern us?")
        found[exemption.id] = exemption
    return found


def judge(report: dict, known: dict[str, Exemption]) -> tuple[list[str], list[str], list[str]]:
    """(vulnerabilities to look at, packages that could not be asked about, exemptions that nothing needs any more)."""
    bad, skipped, used = [], [], set()
    for package in report["dependencies"]:
        if "skip_reason" in package:
            skipped.append(f"{package['name']}: {package['skip_reason']}")
        for found in package.get("vulns", []):
            names = {found["id"], *found.get("aliases", [])}
            matching = {name for name in names & known.keys() if known[name].package == package["name"]}
            used |= matching
            if not matching:
                fixed = ", ".join(found.get("fix_versions", [])) or "nothing yet"
                bad.append(f"{package['name']} {package['version']}: {found['id']}, fixed in {fixed}")
    return bad, skipped, sorted(known.keys() - used)


def main(pinned: Path) -> int:
    known = exemptions()
    done = subprocess.run([*COMMAND, "--requirement", str(pinned)], capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        print(f"asking failed: {done.stderr.strip()[-500:]}")
        return 2
    report = json.loads(done.stdout)
    bad, skipped, unused = judge(report, known)
    for line in bad:
        print(f"vulnerable: {line}")
    for line in skipped:
        print(f"not asked: {line}")
    for name in unused:
        print(f"no longer needed in {EXCEPTIONS.name}: {name}")
    total = len(report["dependencies"])
    print(
        f"{total - len(skipped)} of {total} packages asked about, {len(bad)} vulnerabilities to look at, {len(known) - len(unused)} explained"
    )
    return 1 if bad else 2 if skipped else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else PINNED))
