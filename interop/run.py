"""Compares Carafe with real Flask, Quart, Starlette and itsdangerous, in both directions.

    python3 interop/run.py --peer PROGRAM [--store-peer PROGRAM] [--examples FOLDER]
        [--sessions N] [--seed S] [--only SUITE …] [--jobs N]

PROGRAM is the built `carafe-interop-peer` or `carafe-interop-store-peer`; FOLDER contains the built
examples; `tutorials/` contains the Flask originals. N random sessions pass through every suite, in
each of its directions. Exits with 0 if nothing differs, otherwise with 1 and the smallest failing
case.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from random import SystemRandom

import environments

if __name__ == "__main__":
    environments.enter()
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(environments.TARGET / "hypothesis"))

import driver
import duplicates
import twins
from login import comparison as login
from stored import comparison

TUTORIALS = "tutorials"
FLASK_SESSION = "flask-session"
FLASK_LOGIN = "flask-login"
DUPLICATES = "duplicates"
PROBLEMS_SHOWN = 5
SUITES = [*driver.SUITES, TUTORIALS, FLASK_SESSION, FLASK_LOGIN, DUPLICATES]


def main() -> int:
    arguments = parse(sys.argv[1:])
    environments.python(environments.OLDEST)
    seed = arguments.seed if arguments.seed is not None else SystemRandom().getrandbits(32)
    print(f"seed {seed}, {arguments.sessions} sessions a suite and direction", flush=True)
    failures = 0
    started = time.monotonic()
    suites = [name for name in arguments.only if name in driver.SUITES]
    for result in driver.run([arguments.peer], suites, arguments.sessions, seed, arguments.jobs):
        failures += summarize(result)
    if arguments.examples and TUTORIALS in arguments.only:
        failures += sum(summarize_finding(TUTORIALS, finding) for finding in twins.run(arguments.examples, seed))
    if arguments.store_peer and FLASK_SESSION in arguments.only:
        failures += sum(summarize_finding(FLASK_SESSION, finding) for finding in comparison.run(arguments.store_peer, seed))
    if arguments.store_peer and FLASK_LOGIN in arguments.only:
        failures += sum(summarize_finding(FLASK_LOGIN, finding) for finding in login.run(arguments.store_peer))
    if arguments.store_peer and DUPLICATES in arguments.only:
        failures += sum(summarize_finding(DUPLICATES, finding) for finding in duplicates.run(arguments.store_peer, seed))
    print(f"{failures} failing, seed {seed}, {time.monotonic() - started:.0f} s")
    return 1 if failures else 0


def summarize(result: driver.Result) -> bool:
    """Print one line, and the reproduction of a failure."""
    counts = ", ".join(f"{count} {what}" for what, count in result.tally.items())
    verdict = "FAILED" if result.failure else "ok"
    print(f"{verdict:6} {result.suite:12} {result.cases:7} cases: {result.claim}" + (f" ({counts})" if counts else ""))
    if result.failure:
        print(f"  {result.failure}")
    sys.stdout.flush()
    return result.failure is not None


def summarize_finding(suite: str, finding: twins.Finding) -> bool:
    verdict = "FAILED" if finding.problems else "ok"
    print(f"{verdict:6} {suite:12} {finding.answers:7} answers: {finding.claim}")
    for problem in finding.problems[:PROBLEMS_SHOWN]:
        print(f"  {problem}")
    sys.stdout.flush()
    return bool(finding.problems)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peer", type=Path, required=True, help="the built carafe-interop-peer")
    parser.add_argument(
        "--store-peer",
        type=Path,
        help="the built carafe-interop-store-peer; without it flask-session, flask-login and duplicates are left out",
    )
    parser.add_argument("--examples", type=Path, help="the folder of the built examples; without it the tutorials are left out")
    parser.add_argument(
        "--sessions", type=int, default=100_000, help="random sessions a suite and direction (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, help="repeats a run (default: random)")
    parser.add_argument("--only", nargs="+", choices=SUITES, default=SUITES, metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (default: %(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
