"""Asks an advisory service about every pinned dependency (`make audit`). It gates nothing: what it answers changes from outside.

Exit code 0: nothing known, or only what hack/audit.toml explains. 1: a vulnerability that nobody has judged, or whose exception has expired.
2: some packages could not be asked about, so the answer is not complete. 3: no service answered, so nothing was audited.
"""

import argparse
import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import audit_database

ROOT = Path(__file__).resolve().parent.parent
EXCEPTIONS = ROOT / "hack" / "audit.toml"
PINNED = ROOT / "requirements-dev.txt"
COMMAND = (str(Path(sys.executable).parent / "pip-audit"), "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json")
VULNERABLE, INCOMPLETE, UNANSWERED = 1, 2, 3


@dataclass(frozen=True)
class Exemption:
    """A known vulnerability that does not concern us, why, and the last day on which that is taken for granted."""

    id: str
    package: str
    reason: str
    until: date


def exemptions(path: Path = EXCEPTIONS) -> dict[str, Exemption]:
    """By the advisory's name. ValueError for one without a reason or without an end."""
    found = {}
    for row in tomllib.loads(path.read_text()).get("ignore", []):
        if not isinstance(row.get("until"), date):
            raise ValueError(f"{path.name}: {row.get('id')} needs a date `until`: when is it judged again?")
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


def main(arguments: list[str] | None = None, *, exceptions: Path = EXCEPTIONS, today: date | None = None) -> int:
    """Exit code. `today`: the day by which exceptions expire."""
    options = _options(arguments)
    day = today or datetime.now(UTC).date()
    known = exemptions(exceptions)
    expired = {name for name, one in known.items() if one.until < day}
    report, why = ask(options)
    if report is None:
        print(f"NOTHING WAS AUDITED: no advisory service answered: {why}")
        print("name another one with --osv-url, or a file of advisories with --database (see --help)")
        return UNANSWERED
    bad, skipped, unused = judge(report, {name: one for name, one in known.items() if name not in expired})
    for line in bad:
        print(f"vulnerable: {line}")
    for name in sorted(expired):
        print(f"expired on {known[name].until}, judge it again: {name} of {known[name].package}: {known[name].reason}")
    for line in skipped:
        print(f"not asked: {line}")
    for name in unused:
        print(f"no longer needed in {exceptions.name}: {name}")
    total = len(report["dependencies"])
    explained = len(known) - len(expired) - len(unused)
    print(f"{total - len(skipped)} of {total} packages asked about, {len(bad)} vulnerabilities to look at, {explained} explained")
    if total == len(skipped):
        print("NOTHING WAS AUDITED: the service knows none of the packages")
        return UNANSWERED
    return VULNERABLE if bad else INCOMPLETE if skipped else 0


def ask(options: argparse.Namespace) -> tuple[dict | None, str]:
    """The report about every pinned package; None with the reason when nobody answered."""
    if options.database is not None:
        try:
            return audit_database.report(options.database, options.pinned), ""
        except (OSError, ValueError) as error:
            return None, str(error)
    service = ["--vulnerability-service", "osv", "--osv-url", options.osv_url] if options.osv_url else []
    done = subprocess.run([*COMMAND, *service, "--requirement", str(options.pinned)], capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout), ""
    except json.JSONDecodeError:
        said = done.stderr.strip().splitlines()
        return None, said[-1] if said else f"pip-audit ended with exit code {done.returncode} and said nothing"


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "pinned", nargs="?", type=Path, default=PINNED, help="requirements file with the pins (default: requirements-dev.txt)"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--osv-url", help="query URL of another advisory service that speaks the OSV protocol, such as a mirror: https://HOST/v1/query"
    )
    where.add_argument(
        "--database",
        type=Path,
        help="ask nobody: a file of advisories in the OSV format, one, a list of them, or a zip archive as OSV exports it",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
