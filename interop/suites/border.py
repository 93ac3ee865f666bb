"""Sessions whose compressed form is about as long as the plain one: where both writers decide whether to compress."""

from __future__ import annotations

import string
import zlib
from random import Random
from typing import Any

from backends import Flask, Session
from peer_process import Peer
from suites.round_trip import RoundTrip, Trip

REACH = 3
"""How many bytes around the border count as near."""


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
        """Text that does not shrink, followed by just so much that does."""
        key, length = self.sessions.key(), self.chance.choice((0, 3, 10, 40, 100, 500))
        start = "".join(self.chance.choices(string.ascii_letters + string.digits + " -_é", k=length))
        unit = self.chance.choice(("x", "ab", "0", start[:5] or "é"))
        for repeats in range(1, 200):
            text = start + unit * repeats
            plain = b'{"%s":"%s"}' % (key.encode("ascii", "backslashreplace"), text.encode("ascii", "backslashreplace"))
            if abs(len(zlib.compress(plain)) - (len(plain) - 1)) <= REACH:
                break
        return {key: text}
