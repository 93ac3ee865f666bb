"""The base class of all suites."""

from __future__ import annotations

import string
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any, Generic, TypeVar

from clock import T
from peer_process import Peer
from random_sessions import Sessions

Case = TypeVar("Case")


class Suite(ABC, Generic[Case]):
    """Random cases of one kind, and their check. `tally` counts results for the summary."""

    name: str
    claim: str
    """The claim that the suite verifies, for the summary."""
    batch = 250

    def __init__(self, peer: Peer, chance: Random):
        self.peer = peer
        self.chance = chance
        self.sessions = Sessions(chance)
        self.tally: Counter[str] = Counter()

    @abstractmethod
    def cases(self, count: int) -> list[Case]:
        """Return a batch of random cases, which share a setting if they have one."""

    @abstractmethod
    def check(self, cases: list[Case]) -> list[str | None]:
        """Return the problem of each case, or None."""

    def smaller(self, _: Case) -> Iterator[Case]:
        """Yield smaller variants of a case, if the suite supports any."""
        return iter(())

    def odd_cases(self) -> Any | None:
        """Return a Hypothesis strategy of cases, if the suite has one."""
        return None


def random_secret(chance: Random) -> str:
    """Return a typical key: letters, hexadecimal digits, or arbitrary characters."""
    alphabet = chance.choice((string.ascii_letters + string.digits, "0123456789abcdef", "clé-秘密 \x00😀ß"))
    return "".join(chance.choices(alphabet, k=chance.randint(16, 140)))


def random_now(chance: Random) -> int:
    return chance.choice((T, 0, 1, 255, 256, 2**31 - 1, 2**32 - 1, 2**32, chance.randrange(2**33), chance.randrange(T, 2 * T)))


def first_difference(name: str, ours: Any, theirs: Any) -> str | None:
    return None if ours == theirs else f"{name} differs:\n    Carafe {ours!r}\n    theirs {theirs!r}"
