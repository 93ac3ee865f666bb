"""All checks and races, on every database, in both serializations, with and without signed ids."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from stored import servers
from stored.checks import CHECKS, Pair
from stored.ours import Ours
from stored.races import RACES
from stored.theirs import Backend, Redis, Sql, Theirs
from twins import Finding

SESSIONS = 40
SERIALIZATIONS = ("msgpack", "json")
PROBLEMS = 5


def run(program: Path, seed: int) -> Iterator[Finding]:
    """Yield one finding per database and setting."""
    with ExitStack() as stack:
        ours = Ours(program)
        stack.callback(ours.close)
        for backend in _backends(stack):
            for serialization in SERIALIZATIONS:
                for signed in (False, True):
                    yield _compare(backend, ours, serialization, signed, seed)


def _backends(stack: ExitStack) -> Iterator[Backend]:
    yield Redis(stack.enter_context(servers.redis()))
    # In memory if possible: each commit of Flask waits for the disk, and there are thousands.
    memory = Path("/dev/shm")
    home = TemporaryDirectory(prefix="carafe-interop-", dir=memory if memory.is_dir() else None)
    file = Path(stack.enter_context(home)) / "app.db"
    yield Sql("SQLite", "sqlite", str(file), f"sqlite:///{file}")
    port = stack.enter_context(servers.postgres())
    there = f"postgres@127.0.0.1:{port}/postgres"
    yield Sql("Postgres", "postgres", f"postgres://{there}", f"postgresql+psycopg://{there}")
    port = stack.enter_context(servers.mariadb())
    there = f"root@127.0.0.1:{port}/carafe"
    yield Sql("MariaDB", "mysql", f"mysql://{there}", f"mysql+pymysql://{there}")


def _compare(backend: Backend, ours: Ours, serialization: str, signed: bool, seed: int) -> Finding:
    setting = f"{backend.name}, {serialization}{', signed' if signed else ''}"
    chance = Random(f"{seed} {setting}")
    # Flask is created first, because it creates the table.
    pair = Pair(backend, Theirs(backend, serialization, signed), ours, signed, chance, SESSIONS)
    ours.use(backend, serialization, signed)
    problems: list[str] = []
    for check in (*CHECKS, *RACES):
        try:
            problems += [f"{check.__name__}: {problem}" for problem in check(pair)]
        except Exception:  # the other checks still run
            problems.append(f"{check.__name__}: {traceback.format_exc()}")
    checks = len(CHECKS) + len(RACES)
    claim = f"real Flask-Session and Carafe share live sessions in {setting}"
    return Finding(claim, checks + 2 * SESSIONS, problems)
