"""Key rotation and age: both programs accept the same cookies under keys, fallbacks and lifetimes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from backends import Flask, Session, Setting
from clock import T
from description import describe_session
from peer_process import Peer
from shrink import smaller_session
from suites.suite import Suite, first_difference, random_secret


@dataclass(frozen=True)
class Rotation:
    session: Session
    signer: str
    """The signing key, which the reader need not have."""
    reader: Setting
    age: int


class Keys(Suite[Rotation]):
    name = "keys and ages"
    claim = "both take the same cookies under current key, fallbacks and lifetime, and say by which key"
    batch = 20

    def __init__(self, peer: Peer, chance: Random):
        super().__init__(peer, chance)
        self.flask = Flask()

    def cases(self, count: int) -> list[Rotation]:
        keys = [random_secret(self.chance) for _ in range(self.chance.randint(2, 5))]
        max_age = self.chance.choice((0, 1, 60, 3600, 2_678_400))
        age = self.chance.choice((0, 0, 1, max_age - 1, max_age, max_age + 1, -1, -100, self.chance.randrange(max_age + 1)))
        reader = Setting(keys[0], T + age, tuple(keys[1:-1]), max_age)
        signer = self.chance.choice(keys)
        return [Rotation(self.sessions.session(), signer, reader, age) for _ in range(count)]

    def smaller(self, case: Rotation) -> Iterator[Rotation]:
        yield from (replace(case, session=session) for session in smaller_session(case.session))
        for dropped in case.reader.fallbacks:
            fallbacks = tuple(key for key in case.reader.fallbacks if key != dropped)
            yield replace(case, reader=replace(case.reader, fallbacks=fallbacks))

    def check(self, cases: list[Rotation]) -> list[str | None]:
        signer, reader = cases[0].signer, cases[0].reader
        writer = Setting(signer, T)
        theirs = self.flask.write([case.session for case in cases], writer)
        ours = self.peer.ask(
            [writer.request() | {"format": "flask", "op": "write", "session": describe_session(case.session)} for case in cases]
        )
        cookies = [*theirs, *(answer["cookie"] for answer in ours)]
        meant = self.flask.read(cookies, reader)
        answers = self.peer.ask([reader.request() | {"format": "flask", "op": "read", "cookie": cookie} for cookie in cookies])
        problems = [self._same(cases[0], answer, seen) for answer, seen in zip(answers, meant, strict=True)]
        return [of_theirs or of_ours for of_theirs, of_ours in zip(problems[: len(cases)], problems[len(cases) :], strict=True)]

    def _same(self, case: Rotation, answer: dict[str, object], seen: object) -> str | None:
        self.tally["taken" if seen is not None else "refused"] += 1
        key = "current" if case.signer == case.reader.secret else "fallback"
        return first_difference("the verdict and meaning", answer.get("session"), seen) or (
            first_difference("the key that fits", answer["key"], key) if seen is not None else None
        )
