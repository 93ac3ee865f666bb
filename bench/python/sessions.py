"""Compares flask-carafe with Flask's own sessions and Flask-Session, in one process.

    python bench/python/sessions.py [--redis redis://127.0.0.1:6379/0] [--sqlite /tmp/sessions.sqlite]

One operation is everything that a session adds to a request: the interface opens it, a handler uses
it, and the interface saves it. The contenders take turns, and with them a request without sessions,
whose time is subtracted; the median of their rounds counts. Time is CPU time of the process with all
its threads, so that other programs of the machine do not count. The kernel's part of it is in the
time, and left out of the ratio "in user mode", which is of all rounds together.

Flask-Session keeps its sessions in memory with cachelib, in SQLite with Flask-SQLAlchemy, and in
Redis with redis-py; all with MessagePack.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Flask
from flask.wrappers import Response

import flask_carafe

KEY = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1"
ROUNDS = 15
ROUND_SECONDS = 0.05
Use = Callable[[Any], object]

SIZES: dict[str, dict[str, Any]] = {
    "60 B": {"user_id": 42, "name": "xiaoming", "csrf": "a1b2c3d4e5f6"},
    "1 KB": {f"key{number:02}": {"id": number, "text": f"value {number * 7919 % 1000003}"} for number in range(20)},
    "3.5 KB": {f"key{number:02}": {"id": number, "text": f"value {number * 7919 % 1000003}"} for number in range(70)},
}
USES: dict[str, Use] = {
    "untouched": lambda session: None,
    "read": lambda session: [session.get(key) for key in list(session)[:1]],
    "read all": lambda session: dict(session),
    "write": lambda session: session.__setitem__("n", 1),
}


NOTHING = "nothing"
"""The contender without sessions, whose time is common to all."""


def application(kind: str, store: str | None = None) -> Flask:
    app = Flask(kind)
    if kind == NOTHING:
        app.session_interface = Nothing()  # type: ignore[assignment]
        return app
    app.config.update(SECRET_KEY=KEY)
    if kind == "flask-carafe":
        app.config["CARAFE_STORE"] = store
        flask_carafe.Carafe(app)
    elif kind == "Flask-Session":
        from flask_session import Session

        app.config.update(flask_session(store or ""), SESSION_PERMANENT=False)
        Session(app)
    return app


def flask_session(store: str) -> dict[str, Any]:
    """Return the settings of Flask-Session that have its sessions where Carafe has them."""
    if store.startswith("redis:"):
        from redis import Redis

        return {"SESSION_TYPE": "redis", "SESSION_REDIS": Redis.from_url(store)}
    if store.startswith("sqlite:"):
        # A file of its own beside Carafe's.
        path = os.path.abspath(store.removeprefix("sqlite:"))
        return {"SESSION_TYPE": "sqlalchemy", "SQLALCHEMY_DATABASE_URI": f"sqlite:///{path}.flask-session"}
    from cachelib import SimpleCache

    return {"SESSION_TYPE": "cachelib", "SESSION_CACHELIB": SimpleCache(threshold=10_000)}


def request(app: Flask, cookie: str | None, use: Use) -> str | None:
    """Open, use and save a session; return its cookie."""
    environ = {"REQUEST_METHOD": "GET", "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http", "PATH_INFO": "/"}
    if cookie:
        environ["HTTP_COOKIE"] = cookie
    requested = app.request_class(environ)
    response = Response()
    session: Any = app.session_interface.open_session(app, requested)
    use(session)
    app.session_interface.save_session(app, session, response)
    sent = response.headers.get("Set-Cookie")
    return sent.split(";")[0] if sent else cookie


class Spent(NamedTuple):
    """The CPU time of an operation in microseconds."""

    time: float
    user: float


def measure(contenders: dict[str, Flask], content: dict[str, Any], use: Use) -> dict[str, Spent]:
    """Return the median time of an operation, without the request around it."""
    apps = contenders | {NOTHING: application(NOTHING)}
    cookies: dict[str, str | None] = {}
    rounds: dict[str, list[Spent]] = {name: [] for name in apps}
    for name, app in apps.items():
        with app.app_context():
            cookies[name] = request(app, None, lambda session: session.update(content))
    cookies[NOTHING] = "session=x"
    for _ in range(ROUNDS):
        for name, app in apps.items():
            with app.app_context():
                rounds[name].append(once(app, cookies[name], use))
    of = {
        name: Spent(statistics.median(spent.time for spent in own), statistics.fmean(spent.user for spent in own))
        for name, own in rounds.items()
    }
    common = of.pop(NOTHING)
    return {name: Spent(spent.time - common.time, spent.user - common.user) for name, spent in of.items()}


def once(app: Flask, cookie: str | None, use: Use) -> Spent:
    count, started, spent = 0, spent_so_far(), Spent(0, 0)
    while spent.time < ROUND_SECONDS * 1e6:
        for _ in range(20):
            request(app, cookie, use)
        count += 20
        now = spent_so_far()
        spent = Spent(now.time - started.time, now.user - started.user)
    return Spent(spent.time / count, spent.user / count)


def spent_so_far() -> Spent:
    """Return the CPU time of this process with all its threads, in microseconds."""
    return Spent(time.process_time() * 1e6, resource.getrusage(resource.RUSAGE_SELF).ru_utime * 1e6)


class Nothing:
    def open_session(self, app: Flask, request: Any) -> dict[str, Any]:
        return {}

    def save_session(self, app: Flask, session: Any, response: Any) -> None:
        pass


def table(title: str, contenders: dict[str, Flask]) -> None:
    print(f"\n## {title}\n\n| session | use | {' | '.join(contenders)} | ratio | in user mode |")
    print("|---|---|" + "--:|" * (len(contenders) + 2))
    for size, content in SIZES.items():
        for use_name, use in USES.items():
            ours, theirs = measure(contenders, content, use).values()
            ratios = f"{theirs.time / ours.time:.1f} × | {theirs.user / ours.user:.1f} ×"
            print(f"| {size} | {use_name} | {ours.time:.1f} µs | {theirs.time:.1f} µs | {ratios} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures flask-carafe beside its peers.")
    parser.add_argument("--redis", help="the URL of a Redis for the sessions on the server")
    parser.add_argument("--sqlite", help="the path of a new SQLite file; Flask-Session's is made beside it")
    stores = parser.parse_args()
    print(f"CPython {sys.version.split()[0]}")
    table("Sessions in the cookie", {"flask-carafe": application("flask-carafe"), "Flask": application("Flask")})
    sqlite = stores.sqlite and f"sqlite:{stores.sqlite}"
    for name, store in {"memory": "memory:", "SQLite": sqlite, "Redis": stores.redis}.items():
        if store:
            kinds = ("flask-carafe", "Flask-Session")
            table(f"Sessions in {name}", {kind: application(kind, store) for kind in kinds})


if __name__ == "__main__":
    main()
