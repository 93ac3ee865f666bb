"""Starlette's session cookies: the written ones, and the reading of valid and invalid ones."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from itsdangerous import Signer, TimestampSigner

from clock import T, stopped
from flask_side import SECRET
from starlette_side import LIFETIME, Application

PAYLOAD = '{"user_id": 42}'


def rows() -> Iterator[dict[str, Any]]:
    for identifier, note, session, options in WRITTEN:
        yield written(identifier, note, session, dict(options))
    for identifier, note, cookie, options in readings():
        yield read(identifier, note, cookie, dict(options))


def written(identifier: str, note: str, session: dict[Any, Any], options: dict[str, Any]) -> dict[str, Any]:
    application = Application(**options)
    answer = application.visit(new=session)
    header = answer.header("set-cookie") or ""
    cookie = header.partition(";")[0].partition("=")[2]
    return read(identifier, note, cookie, options) | {"set_cookie": header, "options": options}


def read(identifier: str, note: str, cookie: str, options: dict[str, Any]) -> dict[str, Any]:
    now, secret, max_age = options.pop("now", T), options.get("secret", SECRET), options.get("max_age", LIFETIME)
    application = Application(secret, max_age)
    answer = application.visit(f"session={cookie}", now=now)
    return {
        "id": identifier,
        "note": note,
        "secret": secret,
        "max_age": max_age,
        "now": now,
        "cookie": cookie,
        "payload": text_inside(cookie),
        "status": answer.status,
        "session": repr(application.seen) if application.seen is not None else None,
    }


def text_inside(cookie: str) -> str | None:
    """Return the payload without verifying the signature, or None if it is not text."""
    try:
        return base64.b64decode(cookie.rsplit(".", 2)[0]).decode("ascii")
    except ValueError:
        return None


WRITTEN: tuple[tuple[str, str, dict[Any, Any], dict[str, Any]], ...] = (
    ("S01", "simple", {"user_id": 42}, {}),
    ("S02", "unicode+order", {"z": 1, "name": "Zoë 日本 😀", "a": [1, {"b": None}]}, {}),
    ("S03", "no max_age", {"a": 1}, {"max_age": None}),
    ("S04", "every option", {"a": 1}, {
        "max_age": 60, "path": "/app", "same_site": "strict", "https_only": True, "domain": "example.com", "partitioned": True,
    }),
    ("S05", "max_age 0", {"a": 1}, {"max_age": 0}),
    ("S23", "tuple value", {"a": (1, 2)}, {}),
    ("S24", "nan", {"a": float("nan")}, {}),
    ("S38", "infinities", {"b": float("inf"), "c": float("-inf")}, {}),
    ("S25", "int key", {5: 1}, {}),
    ("S28", "secret_key='abc'", {"a": 1}, {"secret": "abc"}),
    ("S26", "secret_key=b'abc' -> str() -> \"b'abc'\"", {"a": 1}, {"secret": "b'abc'"}),
    ("S29", "large value", {"a": "xxxxxxxxxx"}, {}),
    ("S30", "numbers", {"i": 2**70, "f": [1e16, 1e-5, -0.0, 0.1, 1e22], "b": [True, False, None]}, {}),
    ("S31", "strings", {"s": "\x00\t\n\r\x1f\x7f\"\\/\u2028<>&'", "": "", "é": "\ud800"}, {}),
    ("S32", "text that looks like a tag stays text", {" t": [1], "x": {" di": {" t__": 1}}}, {}),
    ("S33", "empty containers", {"a": [], "b": {}, "c": [[], {}]}, {}),
    ("S34", "long text is not compressed", {"a": "x" * 1000}, {}),
    ("S35", "standard alphabet in the payload", {"a": "???>>>~~~"}, {}),
    ("S36", "unicode secret", {"a": 1}, {"secret": "clé-秘密"}),
    ("S37", "permanent is an ordinary key", {"_permanent": True}, {}),
)  # fmt: skip


def readings() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    good = signed(PAYLOAD)
    yield "S06", "good", good, {}
    yield "S11", "read at T+1209600", good, {"now": T + LIFETIME}
    yield "S12", "read at T+1209601", good, {"now": T + LIFETIME + 1}
    yield "S13", "read at T-1", good, {"now": T - 1}
    yield "S14", "read at T-1 with max_age=None", good, {"now": T - 1, "max_age": None}
    yield "S15", "read ten years later with max_age=None", good, {"now": T + 315_360_000, "max_age": None}
    yield "S16", "signed not b64", signed_text("abcde"), {}
    yield "S17", "signed, base64 without padding", signed_text(encoded(PAYLOAD).rstrip("=")), {}
    yield "S18", "signed not json", signed("not json"), {}
    yield "S19", "signed json list", signed("[1]"), {}
    yield "S20", "signed json null", signed("null"), {}
    yield "S21", "null cookie (cleared)", "null", {}
    yield "S40", "wrong key", good, {"secret": "other"}
    yield "S41", "signature one letter short", good[:-1], {}
    yield "S42", "signature with other trailing bits", good[:-1] + chr(ord(good[-1]) + 1), {}
    yield "S43", "payload changed", "f" + good[1:], {}
    yield "S44", "empty", "", {}
    yield (
        "S45",
        "url-safe alphabet in the payload, signed",
        signed_text(encoded('{"a": "???>>>~~~"}').replace("+", "-").replace("/", "_")),
        {},
    )
    yield "S46", "signed json text", signed('"a"'), {}
    yield "S47", "signed empty object", signed("{}"), {}
    yield "S48", "signed compact json", signed('{"a":1}'), {}
    yield "S49", "signed empty list", signed("[]"), {}
    yield "S50", "signed, no timestamp", Signer(SECRET).sign(encoded(PAYLOAD)).decode(), {}
    yield "S51", "signed, malformed timestamp", Signer(SECRET).sign(encoded(PAYLOAD) + ".Z").decode(), {}
    yield "S52", "signed as Flask signs", signed_text(encoded(PAYLOAD), salt="cookie-session", key_derivation="hmac"), {}
    yield "S53", "signed duplicate keys", signed('{"a": 1, "a": 2}'), {}
    yield "S54", "payload with dots", signed_text("eyJh.IjogMX0="), {}
    yield "S55", "max_age 0, same second", good, {"max_age": 0}
    yield "S56", "max_age 0, next second", good, {"max_age": 0, "now": T + 1}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def signed(text: str) -> str:
    return signed_text(encoded(text))


def signed_text(text: str, **settings: Any) -> str:
    with stopped(T):
        return TimestampSigner(SECRET, **settings).sign(text).decode()
