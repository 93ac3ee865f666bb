"""Compares which of several session cookies counts in Flask, Quart, Starlette and Carafe's presets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import flask_side
import quart_side
import starlette_side
from login.ours import TAGGER, Ours
from twins import Finding

HEADERS = 400
Read = Callable[[str], dict[str, Any] | None]


def run(program: Path, seed: int) -> Iterator[Finding]:
    """Yield one finding per framework."""
    flask, quart, starlette = flask_side.Application(), quart_side.Application(), starlette_side.Application()

    def by_quart(header: str) -> dict[str, Any] | None:
        quart.visit(header, now=time.time())
        return quart.seen

    def by_starlette(header: str) -> dict[str, Any] | None:
        starlette.visit(header, now=time.time())
        return starlette.seen

    yield compare(program, "flask", Random(f"{seed} flask"), lambda header: flask.read(header, time.time()).session)
    yield compare(program, "quart", Random(f"{seed} quart"), by_quart)
    yield compare(program, "starlette", Random(f"{seed} starlette"), by_starlette)


def compare(program: Path, preset: str, chance: Random, theirs: Read) -> Finding:
    ours = Ours(program, flask_side.SECRET, starlette_side.LIFETIME, preset)
    values = [cookie_of(ours, number) for number in range(3)]
    values += ["", "junk", "a.b.c", f"{values[0]}x", f'"{values[1]}"']
    problems = []
    for _ in range(HEADERS):
        header = header_of(values, chance)
        seen, _ = ours.visit(header)
        mine, wanted = {key: TAGGER.loads(text) for key, text in seen.items()}, theirs(header)
        if mine != wanted:
            problems.append(f"{header!r}: {mine!r} instead of {wanted!r}")
    ours.close()
    return Finding(f"of several cookies, Carafe takes the one that {preset.capitalize()} takes", HEADERS, problems)


def cookie_of(ours: Ours, number: int) -> str:
    _, (set_cookie,) = ours.visit(None, {"set": ["n", str(number)]})
    return set_cookie.partition(";")[0].removeprefix("session=")


def header_of(values: list[str], chance: Random) -> str:
    """Return up to eight session cookies among others, separated as browsers separate cookies."""
    sessions = [f"session={chance.choice(values)}" for _ in range(chance.randrange(9))]
    others = [f"{name}={chance.choice(('1', '', 'x y'))}" for name in ("Session", "session2", "theme")]
    parts = sessions + chance.sample(others, chance.randrange(len(others)))
    chance.shuffle(parts)
    return "; ".join(parts)
