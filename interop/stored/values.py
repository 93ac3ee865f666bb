"""Random dictionaries that Flask-Session can store, and the way Carafe's handlers see them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from flask.json.tag import TaggedJSONSerializer
from markupsafe import Markup

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TAGS = (" di", " t", " b", " m", " u", " d", " t__", "ext", " zz")
TAGGER = TaggedJSONSerializer()
TEXTS = ("", "a", "Zoë", "日本", "😀", "\x00\x1f\x7f", '"\\/', "\u2028", "x" * 40, "y" * 300, "1", "null", "\\u0031")
INTEGERS = (0, 1, -1, 127, 128, -32, -33, 255, 256, 2**16, -(2**15) - 1, 2**32, 2**53 + 1, 2**63, 2**64 - 1, -(2**63))
FLOATS = (0.0, -0.0, 1.0, 0.1, 1e16, 1e-7, 1.5e300, 5e-324, 123456789012345680.0, 1e22)
# From the year 100 on: Python's parser of Flask's tag reads earlier years as two-digit years.
MOMENTS = (0, 1_700_000_000, 2**32 - 1, 2**32, 2**34, -1, -59_011_459_200, 253_402_300_799)


class Values:
    """A reproducible source. `wide` adds the keys and values that only MessagePack preserves."""

    def __init__(self, chance: Random, wide: bool):
        self._chance, self._wide = chance, wide

    def theirs(self) -> dict[Any, Any]:
        """Return a session of a Flask application."""
        content = {self._key(): self._value(3, ours=False) for _ in range(self._chance.randrange(1, 7))}
        if self._wide and self._chance.random() < 0.2:
            content |= {self._odd_key(): 1}
        return content

    def ours(self) -> dict[str, Any]:
        """Return a session of Rust handlers, in the types of Flask's tags."""
        return {self._key(): self._value(3, ours=True) for _ in range(self._chance.randrange(1, 7))}

    def _key(self) -> str:
        key: str = self._chance.choice((*"abcdefghijklm", "user_id", "é", "😀", "", "\x00", *TAGS))
        return key

    def _value(self, depth: int, ours: bool) -> Any:
        kind = self._chance.randrange(12 if depth else 8)
        if kind >= 10:
            return [self._value(depth - 1, ours) for _ in range(self._chance.randrange(4))]
        if kind >= 8:
            return self._dict(depth - 1, ours)
        choices = (
            lambda: self._chance.choice((None, True, False)),
            lambda: self._chance.choice((*INTEGERS, self._chance.getrandbits(63))),
            lambda: self._chance.choice((*FLOATS, self._chance.random() * 10 ** self._chance.randint(-20, 20))),
            lambda: self._chance.choice(TEXTS),
            lambda: self._chance.randbytes(self._chance.choice((0, 1, 20, 300))),
            lambda: self._moment(ours),
            lambda: self._chance.choice((UUID(int=self._chance.getrandbits(128)), (1, "x"), *(ODD_OURS if ours else ODD_THEIRS))),
            lambda: self._chance.choice(TEXTS),
        )
        return choices[kind]()

    def _dict(self, depth: int, ours: bool) -> dict[Any, Any]:
        if self._wide and not ours and self._chance.random() < 0.4:
            return {self._odd_key(): self._value(depth, ours) for _ in range(self._chance.randrange(1, 3))}
        return {self._key(): self._value(depth, ours) for _ in range(self._chance.choice((0, 1, 1, 2, 5)))}

    def _odd_key(self) -> Any:
        return self._chance.choice((0, 1.5, -7, 2**63, None, b"x", (1, "x"), EPOCH + timedelta(seconds=1_700_000_000.5)))

    def _moment(self, ours: bool) -> datetime:
        """Return a moment. Rust handlers write whole seconds, like Flask's tag."""
        moment = EPOCH + timedelta(seconds=self._chance.choice(MOMENTS))
        return moment if ours else moment.replace(microsecond=self._chance.choice((0, 1, 123456, 500000, 999999)))


ODD_OURS = (Markup("<i>é"),)
ODD_THEIRS = (
    float("nan"),
    float("inf"),
    Decimal("1.10"),
    date(2024, 2, 29),
    datetime(1999, 1, 2, 3, 4, 5),
    timedelta(seconds=90),
    frozenset({1}),
)


def plain(value: Any) -> Any:
    """Replace Markup by text: Flask-Session rejects Markup, and Carafe writes its text."""
    if isinstance(value, Markup):
        return str.__str__(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def as_seen(value: Any) -> Any:
    """Return the value that Carafe's handlers see: moments in whole seconds, other keys as JSON."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(microsecond=0)
    if isinstance(value, list | tuple):
        return [as_seen(item) for item in value]
    if isinstance(value, dict):
        return {seen_key(key): as_seen(item) for key, item in value.items()}
    return value


def seen_key(key: Any) -> str:
    if isinstance(key, datetime):
        fraction = f" (.{key.microsecond:06}".rstrip("0") + ")" if key.microsecond else ""
        return TAGGER.dumps(key.replace(microsecond=0)).removesuffix('"}') + fraction + '"}'
    return key if isinstance(key, str) else json.dumps(TAGGER.tag(as_seen(key)), separators=(",", ":"))
