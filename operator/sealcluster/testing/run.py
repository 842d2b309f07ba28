"""``python -m sealcluster.testing.run --seed N --runs M``: random worlds, one per seed; prints the seed of every bad one.

With ``--crash create|scale|delete`` instead: that story with a crash at every effect, before, during and after it.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from sealcluster.testing import randomworld, scenarios, specs
from sealcluster.testing.crashes import Story, sweep


def main(arguments: list[str] | None = None) -> int:
    """Run worlds; the exit code is 1 when one of them was bad."""
    parser = argparse.ArgumentParser(prog="sealcluster.testing.run", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first world")
    parser.add_argument("--runs", type=int, default=1, help="how many worlds, one per seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the worlds")
    parser.add_argument("--trace", action="store_true", help="print what happened in bad worlds (and in the only one)")
    parser.add_argument("--crash", choices=("create", "scale", "delete"), help="crash at every effect of this story")
    parser.add_argument("--masters", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="crash at every n-th effect only")
    options = parser.parse_args(arguments)
    if not options.trace:
        logging.disable(logging.CRITICAL)
    if options.crash:
        return _crashes(story(options.crash, options.masters, options.workers, options.seed), options.every)
    return _worlds(options)


def story(kind: str, masters: int, workers: int, seed: int) -> Story:
    """A story by its name; `scale` adds two masters and a worker to one that has `masters` and `workers`."""
    spec = specs.spec(masters, workers)
    if kind == "create":
        return lambda effect, side: scenarios.create(spec, seed, effect, side)
    if kind == "delete":
        return lambda effect, side: scenarios.delete(spec, seed, effect, side)
    rows = [*specs.hosts(masters, workers), *(specs.host(f"n{i}", 100 + i, "master") for i in (1, 2)), specs.host("x1", 200, "node")]
    return lambda effect, side: scenarios.edit(spec, specs.spec(hosts=rows), seed, effect, side)


def _crashes(tell: Story, every: int) -> int:
    runs = bad = 0
    began = time.monotonic()
    for crashed in sweep(tell, every):
        runs += 1
        if crashed.problems:
            bad += 1
            sys.stdout.write(f"BAD {crashed}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{runs} crashes in {time.monotonic() - began:.0f} s, {bad} of them with another end\n")
    return 1 if bad else 0


def _worlds(options: argparse.Namespace) -> int:
    bad: list[int] = []
    totals: Counter[str] = Counter()
    began = time.monotonic()
    for told, counts in _lives(options):
        totals.update(counts)
        if options.trace and (told.problems or options.runs == 1):
            sys.stdout.write("\n".join(told.trace) + "\n")
        if told.problems:
            bad.append(told.seed)
            sys.stdout.write(f"BAD {told}\n")
            sys.stdout.flush()
    faults = ", ".join(f"{name} {count}" for name, count in sorted(totals.items()))
    sys.stdout.write(f"{options.runs} worlds in {time.monotonic() - began:.0f} s; faults: {faults}\n")
    sys.stdout.write(f"bad seeds: {' '.join(map(str, bad))}\n" if bad else "no bad seed\n")
    return 1 if bad else 0


def _lives(options: argparse.Namespace) -> Iterator[tuple[scenarios.Outcome, Counter[str]]]:
    """Each world's end, in the order of seeds: a world knows nothing of the others, so processes may share them."""
    seeds = range(options.seed, options.seed + options.runs)
    if options.jobs == 1:
        yield from map(randomworld.live, seeds)
        return
    with ProcessPoolExecutor(options.jobs, initializer=logging.disable, initargs=(logging.CRITICAL,)) as pool:
        yield from pool.map(randomworld.live, seeds, chunksize=4)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of strings depends on it, and with it the story of a seed.
        os.execve(sys.executable, [sys.executable, "-m", "sealcluster.testing.run", *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"})
    sys.exit(main())
