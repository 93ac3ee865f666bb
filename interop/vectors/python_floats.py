"""The text of a double in Python's `json`."""

from __future__ import annotations

import json
import math
import random
import struct
from collections.abc import Iterator
from typing import Any


def rows() -> Iterator[dict[str, Any]]:
    seen = set()
    for value in doubles():
        bits = struct.pack(">d", value).hex()
        if bits not in seen:
            seen.add(bits)
            yield {"bits": bits, "text": json.dumps(value)}


def doubles() -> Iterator[float]:
    for value in (*positives(), math.inf):
        yield value
        yield -value
    yield math.nan
    yield from ties(random.Random(4), 600)


def positives() -> Iterator[float]:
    yield from (0.0, 1.0, 0.1, 0.2, 0.3, 0.1 + 0.2, 4.35, 2.675, 9.99, 123456.789, math.pi, math.e, 5e-324, 1.7976931348623157e308)
    for exponent in range(-324, 309):
        yield from around(float(f"1e{exponent}"))
    for exponent in range(-1074, 1024, 7):
        yield from around(2.0**exponent)
    for digits in range(1, 18):
        yield from borders(float("1" * digits))
        yield from borders(float("9" * digits))
    chance = random.Random(3)
    yield from finite(chance, 1500)
    yield from (struct.unpack(">d", chance.getrandbits(52).to_bytes(8, "big"))[0] for _ in range(200))
    yield from (chance.randint(1, 10**6) / 100 for _ in range(200))
    yield from (float(chance.randint(10**14, 10**17)) for _ in range(200))


def around(value: float) -> tuple[float, ...]:
    return (math.nextafter(value, 0.0), value, math.nextafter(value, math.inf))


def borders(digits: float) -> Iterator[float]:
    """Yield the same digits on both sides of the limits of positional notation."""
    yield from (digits, digits * 1e15, digits / 1e5, digits / 1e20)
    yield from (float(f"{digits:.0f}e-{len(f'{digits:.0f}') + shift}") for shift in (2, 3, 4, 5))


def ties(chance: random.Random, count: int) -> Iterator[float]:
    """Yield candidates that are often halfway between two shortest texts."""
    return (chance.randint(2**52, 2**53 - 1) / 2 ** chance.randint(1, 8) for _ in range(count))


def finite(chance: random.Random, count: int) -> Iterator[float]:
    while count:
        value = struct.unpack(">d", chance.randbytes(8))[0]
        if math.isfinite(value):
            yield abs(value)
            count -= 1
