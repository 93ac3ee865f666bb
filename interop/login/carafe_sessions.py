"""A pytest plugin that replaces the sessions of all Flask applications by Carafe's.

`CARAFE_PEER` is the Rust program; `CARAFE_HALF` is `reads` (Carafe reads Flask's cookies), `writes`
(Flask reads Carafe's cookies) or `both`.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import flask
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from login.ours import TAGGER, Ours, Step, text_of

HALF = os.environ["CARAFE_HALF"]
COUNTS = {"read": 0, "written": 0}


@cache
def ours(secret: str, lifetime: int) -> Ours:
    return Ours(Path(os.environ["CARAFE_PEER"]), secret, lifetime)


def of(app: flask.Flask) -> Ours:
    return ours(str(app.secret_key), int(app.permanent_session_lifetime.total_seconds()))


class CarafeSessions(SecureCookieSessionInterface):
    """Flask's session interface, with Carafe making every decision about a session."""

    def open_session(self, app: flask.Flask, request: flask.Request) -> SecureCookieSession | None:
        session = super().open_session(app, request)
        if session is None:
            return None
        header = request.headers.get("Cookie")
        if HALF != "writes":
            seen, _ = of(app).visit(header)
            session = SecureCookieSession({key: TAGGER.loads(text) for key, text in seen.items()})
            COUNTS["read"] += bool(seen)
        session.before = (header, {key: text_of(value) for key, value in session.items()})  # type: ignore[attr-defined]
        return session

    def save_session(self, app: flask.Flask, session: Any, response: flask.Response) -> None:
        if HALF == "reads":
            super().save_session(app, session, response)
            return
        header, before = session.before
        if session.accessed:
            response.vary.add("Cookie")
        _, set_cookies = of(app).visit(header, *(changes(before, session) if session.modified else ()))
        for set_cookie in set_cookies:
            response.headers.add("Set-Cookie", set_cookie)
        COUNTS["written"] += len(set_cookies)


def changes(before: dict[str, str], session: Any) -> list[Step]:
    """Return the steps that change `before` into this session.

    At least one, because Flask counts any call.
    """
    after = {key: text_of(value) for key, value in session.items()}
    gone: list[Step] = [{"remove": key} for key in before.keys() - after.keys()]
    new: list[Step] = [{"set": [key, text]} for key, text in after.items() if before.get(key) != text]
    same: list[Step] = [{"set": list(pair)} for pair in after.items()]
    return (gone + new) or same or ["clear"]


def pytest_configure() -> None:
    flask.Flask.session_interface = CarafeSessions()


def pytest_unconfigure() -> None:
    print(f"\ncarafe: {COUNTS['read']} sessions read, {COUNTS['written']} cookies written")
