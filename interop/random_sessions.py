"""Random sessions: every type that survives Flask's session cookie, in error-prone shapes.

Values survive a round trip through Flask unchanged: datetimes are in UTC, with whole seconds and
four-digit years; keys are text.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from markupsafe import Markup

from description import EPOCH

TAGS = (" di", " t", " b", " m", " u", " d")
ODD_KEYS = (*TAGS, *(f"{tag}__" for tag in TAGS), " x", "", " ", "_permanent", "_flashes", "\x00", "é", "\ud800", "😀", "\uffff")
WORDS = ("user_id", "name", "cart", "items", "csrf_token", "lang", "role", "next", "visits", "email", "a", "b", "total")
PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_- "
ALPHABETS = (
    PLAIN,
    PLAIN,
    'ab"\\/\b\f\n\r\t<>&;,= ',
    "".join(map(chr, range(128))),
    "éßñÄ日本語中文Ωя",
    "\x7f\x80\u07ff\u0800\u2028\u2029\ufeff\ufffd\ufffe\uffff",
    "😀🎉\U00010000\U0010ffff",
    "a\ud800\udbff\udc00\udfff",
)
EARLIEST = int((datetime(100, 1, 1, tzinfo=EPOCH.tzinfo) - EPOCH).total_seconds())
LATEST = int((datetime(9999, 12, 31, 23, 59, 59, tzinfo=EPOCH.tzinfo) - EPOCH).total_seconds())
FLOATS = (0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 123456789012345680.0, 1e-4, 1e-5, 5e-324, 1.7976931348623157e308, 1e22, 1e23, 4.35)


class Sessions:
    """A source of sessions, reproducible from `chance`; without `tags`, limited to plain JSON."""

    def __init__(self, chance: Random, tags: bool = True):
        self.chance = chance
        self._leaves: list[Callable[[], Any]] = [self._text, self._text, self._integer, self._integer, self._float, self._constant]
        self._branches: list[Callable[[int], Any]] = [self._list, self._dict, self._dict]
        if tags:
            self._leaves += [self._bytes, self._markup, self._uuid, self._datetime]
            self._branches += [self._tuple, self._tag_like]

    def session(self) -> dict[str, Any]:
        """Return a session: mostly small, sometimes broad, sometimes deep; never empty."""
        shape = self.chance.random()
        if shape < 0.01:
            return {self.key(): self._tower(self.chance.randint(10, 60))}
        keys = self.chance.randint(1, 5) if shape < 0.95 else self.chance.randint(6, 40)
        return {self.key(): self.value(2) for _ in range(keys)}

    def key(self) -> str:
        pick = self.chance.random()
        if pick < 0.75:
            return self.chance.choice(WORDS)
        return self.chance.choice(ODD_KEYS) if pick < 0.87 else self._text()

    def value(self, depth: int) -> Any:
        if depth and self.chance.random() < 0.35:
            return self.chance.choice(self._branches)(depth - 1)
        return self.chance.choice(self._leaves)()

    def _tower(self, height: int) -> Any:
        value = self.value(0)
        for _ in range(height):
            branch = self.chance.randrange(3)
            value = [value] if branch == 0 else {self.key(): value} if branch == 1 else [value, None]
        return value

    def _list(self, depth: int) -> list[Any]:
        return [self.value(depth) for _ in range(self.chance.randrange(5))]

    def _tuple(self, depth: int) -> tuple[Any, ...]:
        return tuple(self._list(depth))

    def _dict(self, depth: int) -> dict[str, Any]:
        return {self.key(): self.value(depth) for _ in range(self.chance.randrange(5))}

    def _tag_like(self, depth: int) -> dict[str, Any]:
        """Return a dictionary that would be read as a tag if it were not escaped."""
        return {self.chance.choice(ODD_KEYS[:13]): self.value(depth)}

    def _text(self) -> str:
        length = self.chance.randrange(12) if self.chance.random() < 0.95 else self.chance.randrange(400)
        return as_read("".join(self.chance.choices(self.chance.choice(ALPHABETS), k=length)))

    def _integer(self) -> int:
        bits = self.chance.choice((3, 8, 31, 32, 53, 63, 64, 65, 128, 200))
        return self.chance.choice((1, -1)) * (self.chance.getrandbits(bits) + self.chance.choice((0, 0, 1, 2**bits - 1)))

    def _float(self) -> float:
        kind = self.chance.randrange(4)
        if kind == 0:
            return float(struct.unpack(">d", self.chance.randbytes(8))[0])
        if kind == 1:
            return self.chance.choice((float("nan"), float("inf"), float("-inf"), *FLOATS))
        if kind == 2:
            return self.chance.randrange(10**7) / 100
        return self.chance.random() * 10.0 ** self.chance.randint(-8, 24)

    def _constant(self) -> bool | None:
        return self.chance.choice((None, True, False))

    def _bytes(self) -> bytes:
        return self.chance.randbytes(self.chance.randrange(20))

    def _markup(self) -> Markup:
        return Markup(self._text())

    def _uuid(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128))

    def _datetime(self) -> datetime:
        return EPOCH + timedelta(seconds=self.chance.randint(EARLIEST, LATEST))


def as_read(text: str) -> str:
    """Return the text as a JSON reader sees it: a surrogate pair is one character."""
    return text if text.isascii() else str(json.loads(json.dumps(text)))
