"""Quart's session cookies: Flask's format with unsorted keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from markupsafe import Markup

from clock import T
from flask_side import LIFETIME, SECRET, payload_of, sign_text, value_of
from quart_side import Application

EVERY_ATTRIBUTE = {
    "SESSION_COOKIE_DOMAIN": "example.com",
    "SESSION_COOKIE_PATH": "/app",
    "SESSION_COOKIE_SECURE": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SESSION_COOKIE_PARTITIONED": True,
}


def rows() -> Iterator[dict[str, Any]]:
    for identifier, note, session, config in WRITTEN:
        yield written(identifier, note, session, config)
    for identifier, note, cookie, how in readings():
        yield read(identifier, note, cookie, **how)


def written(identifier: str, note: str, session: dict[Any, Any], config: dict[str, Any]) -> dict[str, Any]:
    answer = Application(**config).visit(new=session)
    header = answer.header("set-cookie") or ""
    row = read(identifier, note, value_of(header), **{key: config[key] for key in ("secret", "fallbacks") if key in config})
    return row | {"set_cookie": header, "vary": answer.header("vary")}


def read(
    identifier: str, note: str, cookie: str, now: float = T, secret: str = SECRET, fallbacks: Any = (), lifetime: float = LIFETIME
) -> dict[str, Any]:
    application = Application(secret, list(fallbacks), lifetime)
    answer = application.visit(f"session={cookie}", now=now)
    good = application.seen is not None and answer.status == 200 and cookie.count(".") > 1
    return {
        "id": identifier,
        "note": note,
        "secret": secret,
        "fallbacks": list(fallbacks),
        "max_age": lifetime,
        "now": now,
        "cookie": cookie,
        "payload": payload_of(cookie) if good else None,
        "status": answer.status,
        "session": repr(application.seen) if application.seen is not None else None,
    }


RICH = {
    "t": (1, "é"),
    "b": b"\x00\xff",
    "u": UUID("12345678-1234-5678-1234-567812345678"),
    "d": dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=dt.UTC),
    "m": Markup("<i>"),
    "z": 1,
    "a": 2,
}

WRITTEN: tuple[tuple[str, str, dict[Any, Any], dict[str, Any]], ...] = (
    ("Q01", "simple", {"user_id": 42}, {}),
    ("Q02", "rich", RICH, {}),
    ("Q03", "permanent all attrs", {"user_id": 42, "_permanent": True}, EVERY_ATTRIBUTE),
    ("Q04", "compressed", {"data": "a" * 200}, {}),
    ("Q08", "SECRET_KEY_FALLBACKS=['old']: signs with SECRET_KEY", {"user_id": 42}, {"fallbacks": ["old"]}),
    ("Q20", "unsorted at every level", {"z": {"y": 1, "x": 2}, "a": ({"n": 1, "m": 2},)}, {}),
    ("Q21", "empty domain is left out", {"a": 1}, {"SESSION_COOKIE_DOMAIN": ""}),
    ("Q22", "escaped tags", {"x": {" t": 1}, "y": {" di": {" b": b"x"}}}, {}),
    ("Q23", "text", {"s": 'Zoë 日本 😀\x00\x7f"\\'}, {}),
)


def readings() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    good = sign_text('{"user_id":42}')
    yield "Q06", "reads V01, nothing changed", good, {}
    yield "Q09", "cookie 'session='", "", {}
    yield "Q30", "last second of the lifetime", good, {"now": T + LIFETIME}
    yield "Q31", "one second past the lifetime", good, {"now": T + LIFETIME + 1}
    yield "Q32", "one second before it was signed", good, {"now": T - 1}
    yield "Q33", "fallback accept", good, {"secret": "new", "fallbacks": ["a", SECRET]}
    yield "Q34", "wrong key", good, {"secret": "other"}
    yield "Q35", "not JSON, signed", sign_text("not json"), {}
    yield "Q36", "sorted keys, as Flask writes them", sign_text('{"a":1,"b":{"c":[1,{" t":[]}]}}'), {}
