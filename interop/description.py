"""The tagged description of session values, which preserves the types that JSON lacks.

None, True, False, "text"              as in JSON
[..]                                   a list
{"int": "12"}                          an integer of any size
{"float": "3ff0000000000000"}          a double, by its bits; every NaN is 7ff8000000000000
{"text": "ed a0 80 in hexadecimal"}    a string with lone surrogates, in WTF-8
{"dict": [[key, value], ..]}           a dictionary in its order; keys are described like strings
{"tuple": [..]}, {"bytes": "00ff"}, {"uuid": "32 digits"}
{"markup": "text" or {"text": ..}}
{"datetime": [seconds, offset]}        Unix seconds, and the offset from UTC in seconds
"""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from markupsafe import Markup

NAN = "7ff8000000000000"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def describe(value: Any) -> Any:
    kind = type(value)
    maker = DESCRIBERS.get(kind)
    if maker is None:
        raise TypeError(f"no description for {kind.__name__}: {value!r}")
    return maker(value)


def describe_session(session: Any) -> list[Any]:
    """Return the described pairs of a session, in its order."""
    return [[_text(key), describe(value)] for key, value in session.items()]


def revive(description: Any) -> Any:
    """Return the value of a description."""
    if isinstance(description, list):
        return [revive(item) for item in description]
    if not isinstance(description, dict):
        return description
    ((kind, content),) = description.items()
    return REVIVERS[kind](content)


def revive_session(pairs: list[Any]) -> dict[str, Any]:
    return {revive(key): revive(value) for key, value in pairs}


def _text(text: str) -> Any:
    try:
        text.encode()
    except UnicodeEncodeError:
        return {"text": text.encode("utf-8", "surrogatepass").hex()}
    return str(text)


def _float(value: float) -> dict[str, str]:
    return {"float": NAN if math.isnan(value) else struct.pack(">d", value).hex()}


def _datetime(moment: datetime) -> dict[str, list[int]]:
    offset = moment.utcoffset() or timedelta()
    return {"datetime": [int((moment - EPOCH).total_seconds()), int(offset.total_seconds())]}


def _items(items: Any) -> list[Any]:
    return [describe(item) for item in items]


DESCRIBERS: dict[type, Any] = {
    type(None): lambda _: None,
    bool: lambda value: value,
    int: lambda value: {"int": str(value)},
    float: _float,
    str: _text,
    bytes: lambda value: {"bytes": value.hex()},
    Markup: lambda value: {"markup": _text(str.__str__(value))},
    UUID: lambda value: {"uuid": value.hex},
    datetime: _datetime,
    list: _items,
    tuple: lambda value: {"tuple": _items(value)},
    dict: lambda value: {"dict": describe_session(value)},
}

REVIVERS: dict[str, Any] = {
    "int": int,
    "float": lambda bits: struct.unpack(">d", bytes.fromhex(bits))[0],
    "text": lambda digits: bytes.fromhex(digits).decode("utf-8", "surrogatepass"),
    "dict": revive_session,
    "tuple": lambda items: tuple(revive(items)),
    "bytes": bytes.fromhex,
    "uuid": UUID,
    "markup": lambda text: Markup(revive(text)),
    "datetime": lambda pair: (EPOCH + timedelta(seconds=pair[0])).astimezone(timezone(timedelta(seconds=pair[1]))),
}
