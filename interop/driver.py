"""Runs suites in shards on all processors, and shrinks failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, seed, settings

import shrink
from backends import Flask, OldFlask, Quart, Starlette
from peer_process import Peer, PeerError, shown
from suites.border import Border
from suites.edit import Edits
from suites.keys import Keys
from suites.round_trip import RoundTrip
from suites.signers import Signers
from suites.suite import Suite
from suites.tamper import Forgery, Tamper, TamperEncrypted

old_flask = cache(OldFlask)
"""One worker per process."""

SUITES: dict[str, Callable[[Peer, Random], Suite[Any]]] = {
    "flask": lambda peer, chance: RoundTrip(peer, chance, Flask()),
    "oldest": lambda peer, chance: RoundTrip(peer, chance, old_flask()),
    "quart": lambda peer, chance: RoundTrip(peer, chance, Quart()),
    "starlette": lambda peer, chance: RoundTrip(peer, chance, Starlette()),
    "itsdangerous": Signers,
    "edit": Edits,
    "keys": Keys,
    "border": Border,
    "tamper": Tamper,
    "encrypted": TamperEncrypted,
    "forgery": Forgery,
}
SHARD = 5_000
FEWER = {"tamper": 100, "encrypted": 100, "forgery": 50}
"""The relative cost of one case of these suites; other suites have cost 1."""
EXAMPLES_PER_SHARD = 25
"""Number of Hypothesis' odd cases per shard."""


@dataclass(frozen=True)
class Shard:
    """A part of a suite that one process runs at a time. The seed determines the cases."""

    suite: str
    number: int
    cases: int
    seed: int

    def chance(self) -> Random:
        return Random(f"{self.seed} {self.suite} {self.number}")


@dataclass
class Result:
    """The result of a suite or of a shard."""

    suite: str
    name: str
    claim: str
    cases: int = 0
    tally: Counter[str] = field(default_factory=Counter)
    failure: str | None = None

    def add(self, other: Result) -> None:
        self.cases += other.cases
        self.tally += other.tally
        self.failure = self.failure or other.failure


def run(command: list[str | Path], names: list[str], sessions: int, seed: int, jobs: int) -> Iterator[Result]:
    """Yield the sum of all shards of each suite, as soon as it is complete."""
    work = [shards(name, sessions, seed) for name in names]
    with ProcessPoolExecutor(jobs, initializer=_remember, initargs=(command,)) as pool:
        results = pool.map(_run_shard, chain.from_iterable(work))
        for parts in work:
            total = next(results)
            for _ in parts[1:]:
                total.add(next(results))
            yield total


def shards(name: str, sessions: int, seed: int) -> list[Shard]:
    sizes = [min(SHARD, sessions - start) for start in range(0, sessions, SHARD)]
    return [Shard(name, number, max(1, size // FEWER.get(name, 1)), seed) for number, size in enumerate(sizes)]


_command: list[str | Path] = []


def _remember(command: list[str | Path]) -> None:
    _command[:] = command


def _run_shard(shard: Shard) -> Result:
    with Peer(_command) as peer:
        return _run_suite(SUITES[shard.suite](peer, shard.chance()), shard)


def _run_suite(suite: Suite[Any], shard: Shard) -> Result:
    result = Result(shard.suite, suite.name, suite.claim)
    try:
        result.failure = _bulk(suite, shard, result) or _odd(suite, shard, result)
    except PeerError as error:
        result.failure = f"{error}\n  in shard {shard.number} of {shard.suite}, seed {shard.seed}"
    result.tally = suite.tally
    return result


def _bulk(suite: Suite[Any], shard: Shard, result: Result) -> str | None:
    while result.cases < shard.cases:
        cases = suite.cases(min(suite.batch, shard.cases - result.cases))
        result.cases += len(cases)
        problems = suite.check(cases)
        failing = next((case for case, problem in zip(cases, problems, strict=True) if problem), None)
        if failing is not None:
            return _report(suite, shrink.least(failing, suite.smaller, lambda case: suite.check([case])[0] is not None), shard)
    return None


def _odd(suite: Suite[Any], shard: Shard, result: Result) -> str | None:
    """Run Hypothesis' cases; Hypothesis shrinks failures by itself."""
    strategy = suite.odd_cases()
    if strategy is None:
        return None
    failures: list[str] = []

    @seed(shard.chance().getrandbits(32))
    @settings(max_examples=EXAMPLES_PER_SHARD, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def test(case: Any) -> None:
        result.cases += 1
        if suite.check([case])[0] is not None:
            failures.append(_report(suite, case, shard))
            raise AssertionError

    try:
        test()
    except AssertionError:
        return failures[-1]
    return None


def _report(suite: Suite[Any], case: Any, shard: Shard) -> str:
    problem = suite.check([case])[0]
    asked = "".join(f"    {shown(request)}\n" for request in suite.peer.asked)
    return f"{problem}\n  case: {case!r}\n  asked of the peer:\n{asked}  shard {shard.number} of {shard.suite}, seed {shard.seed}"
