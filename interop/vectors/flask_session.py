"""Stored sessions and cookies of Flask-Session, through its Redis interface on a dictionary."""

from __future__ import annotations

import datetime as dt
import json
import logging
import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from unittest.mock import patch
from uuid import UUID

import redis
from flask import Flask, session
from flask_session import Session  # type: ignore[import-untyped]

from clock import stopped
from flask_side import SECRET
from stored.values import TAGGER, as_seen

SID = "A" * 43


class Kept(redis.Redis):
    """A client with a dictionary as its server."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, bytes] = {}
        self.seconds: int | None = None

    def get(self, name: str) -> bytes | None:  # type: ignore[override]
        return self.values.get(name)

    def set(self, name: str, value: bytes, ex: int) -> None:  # type: ignore[override]
        self.values[name], self.seconds = value, ex

    def delete(self, name: str) -> None:  # type: ignore[override]
        self.values.pop(name, None)


def rows() -> Iterator[dict[str, Any]]:
    numbers = iter(range(1, 1000))
    for content in CONTENTS:
        for serialization in ("msgpack", "json"):
            for signed in (False, True) if content is CONTENTS[0] else (False,):
                row = written(f"K{next(numbers):03}", content, serialization, signed)
                if row is not None:
                    yield row


def written(identifier: str, content: dict[Any, Any], serialization: str, signed: bool) -> dict[str, Any] | None:
    kept = Kept()
    app = application(kept, serialization, signed)
    with stopped(), patch("secrets.token_urlsafe", lambda _: SID), app.test_request_context("/"):
        session.update(content)
        try:
            response = app.process_response(app.make_response(""))
        except (TypeError, OverflowError):
            return None  # Flask-Session cannot store it
    value = kept.values[f"session:{SID}"]
    header = response.headers["Set-Cookie"]
    with stopped(), app.test_request_context("/", headers={"Cookie": header.partition(";")[0]}):
        read = dict(session)
    tagged = json.dumps(TAGGER.tag(read), separators=(",", ":")) if as_seen(read) == read else None
    return {
        "id": identifier,
        "format": serialization,
        "session": repr(content),
        "name": f"session:{SID}",
        "value": value.hex(),
        "seconds": kept.seconds,
        "read": repr(read),
        "tagged": tagged,
        "signed": signed,
        "set_cookie": header,
    }


def application(kept: Kept, serialization: str, signed: bool) -> Flask:
    app = Flask("interop")
    app.logger.setLevel(logging.CRITICAL + 1)
    app.config.update(SECRET_KEY=SECRET, SESSION_TYPE="redis", SESSION_REDIS=kept, SESSION_SERIALIZATION_FORMAT=serialization)
    app.config["SESSION_USE_SIGNER"] = signed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from the signer
        Session(app)
    return app


MOMENT = dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=dt.UTC)
CONTENTS: tuple[dict[Any, Any], ...] = (
    {"user_id": 42, "name": "Zoë"},
    {"t": (1, "x"), "l": [1, None, True], "nested": {"a": {"b": 1}}, "set": {1}},
    {"b": b"\x00\xff", "empty": b"", "long": b"x" * 300},
    {"uuid": UUID("12345678-1234-5678-1234-567812345678"), "dec": Decimal("1.10"), "date": dt.date(2024, 2, 29)},
    {"d": MOMENT, "epoch": dt.datetime(1970, 1, 1, tzinfo=dt.UTC)},
    {"d": MOMENT.replace(microsecond=123456), "last": dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC)},
    {"first": dt.datetime(1, 1, 1, tzinfo=dt.UTC), "old": dt.datetime(1969, 12, 31, 23, 59, 59, 500000, tzinfo=dt.UTC)},
    {"d": MOMENT.astimezone(dt.timezone(dt.timedelta(hours=2))), "naive": dt.datetime(1999, 1, 2, 3, 4, 5)},
    {"far": [dt.datetime(2106, 2, 7, 6, 28, 16, tzinfo=dt.UTC), dt.datetime(2514, 5, 30, 1, 53, 4, tzinfo=dt.UTC)]},
    {"i": [0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1]},
    {"i": [-1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**63)]},
    {"i": 2**64},
    {"f": [0.0, -0.0, 1.0, 0.1, 1e16, 1e-7, 5e-324, 1.7976931348623157e308, 1e22, 1e-5]},
    {"nan": float("nan"), "inf": [float("inf"), float("-inf")]},
    {"s": ["", "x" * 31, "x" * 32, "x" * 256, "\x00\x1f\x7f\x80", '"\\/\b\f\n\r\t', "\u2028😀"]},
    {"m": {1: 2, -3: {4: 5}}, "f": {1.5: 1}, "b": {b"x": 1}},
    {"none": {None: 1}, "true": {True: 2}, "tuple": {(1, "x"): 3}},
    {"when": {MOMENT: 1, MOMENT.replace(microsecond=500000): 2}},
    {1: 2, "x": 3},
    {"tag": {" t": [1]}, "escaped": {" di": {" t__": 1}}, "other": {" zz": 1}, "two": {" t": 1, " b": 2}},
    {"_flashes": [("info", "hi")], "_permanent": False},
    {"big": [[]] * 20, "dict": {str(number): number for number in range(20)}},
    {"_carafe": {"handle": "AAAAAAAAAAAAAAAA", "created": 1, "renewed": 2, "user": "42", "auth": 3, "device": "é"}},
)
