"""Sessions near the size from which compression pays, where both writers decide."""

from __future__ import annotations

import string
import zlib
from bisect import bisect_left
from random import Random
from typing import Any

from backends import Flask, Session
from peer_process import Peer
from suites.round_trip import RoundTrip, Trip

REACH = 3
"""Distance of the first case from the border, in bytes."""


class Border(RoundTrip):
    claim = "the same at the length from which zlib pays, compressing whenever it does"

    def __init__(self, peer: Peer, chance: Random):
        super().__init__(peer, chance, Flask())
        self.name = "compression border"
        self.extra = {"compression": "when-shorter"}

    def cases(self, count: int) -> list[Trip]:
        setting = self.setting()
        return [Trip(self._near_the_border(), setting) for _ in range(count)]

    def odd_cases(self) -> Any | None:
        return None

    def _near_the_border(self) -> Session:
        """Return incompressible text followed by a compressible part of critical length."""
        key, length = self.sessions.key(), self.chance.choice((0, 3, 10, 40, 100, 500))
        start = "".join(self.chance.choices(string.ascii_letters + string.digits + " -_é", k=length))
        unit = self.chance.choice(("x", "ab", "0", start[:5] or "é"))
        repeats = bisect_left(range(1, 200), -REACH, key=lambda count: saved(key, start + unit * count))
        return {key: start + unit * (repeats + self.chance.randrange(2 * REACH))}


def saved(key: str, text: str) -> int:
    """Return the bytes that compression saves beyond the necessary minimum; grows with the text."""
    plain = b'{"%s":"%s"}' % (key.encode("ascii", "backslashreplace"), text.encode("ascii", "backslashreplace"))
    return len(plain) - 1 - len(zlib.compress(plain))
