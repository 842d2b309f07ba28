"""``python -m sealcluster.testing.run --seed N --runs M``: random worlds, one per seed; prints the seed of every bad one."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter

from sealcluster.testing import randomworld


def main(arguments: list[str] | None = None) -> int:
    """Run worlds; the exit code is 1 when one of them was bad."""
    parser = argparse.ArgumentParser(prog="sealcluster.testing.run", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first world")
    parser.add_argument("--runs", type=int, default=1, help="how many worlds, one per seed")
    parser.add_argument("--trace", action="store_true", help="print what happened in bad worlds (and in the only one)")
    options = parser.parse_args(arguments)
    if not options.trace:
        logging.disable(logging.CRITICAL)
    bad: list[int] = []
    totals: Counter[str] = Counter()
    began = time.monotonic()
    for seed in range(options.seed, options.seed + options.runs):
        outcome, counts = randomworld.live(seed)
        totals.update(counts)
        if options.trace and (outcome.problems or options.runs == 1):
            sys.stdout.write("\n".join(outcome.trace) + "\n")
        if outcome.problems:
            bad.append(seed)
            sys.stdout.write(f"BAD {outcome}\n")
            sys.stdout.flush()
    faults = ", ".join(f"{name} {count}" for name, count in sorted(totals.items()))
    sys.stdout.write(f"{options.runs} worlds in {time.monotonic() - began:.0f} s; faults: {faults}\n")
    sys.stdout.write(f"bad seeds: {' '.join(map(str, bad))}\n" if bad else "no bad seed\n")
    return 1 if bad else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of strings depends on it, and with it the story of a seed.
        os.execve(sys.executable, [sys.executable, "-m", "sealcluster.testing.run", *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"})
    sys.exit(main())
