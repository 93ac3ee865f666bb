"""Compares flask-carafe with Flask's own sessions and Flask-Session, in one process.

    python bench/python/sessions.py [--store redis://127.0.0.1:6379/0]

One operation is everything that a session adds to a request: the interface opens it, a handler uses
it, and the interface saves it. The contenders take turns, and with them a request without sessions,
whose time is subtracted; the median of their rounds counts. Time is CPU time of the process with all
its threads, so that other programs of the machine do not count.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

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
        from redis import Redis

        app.config.update(SESSION_TYPE="redis", SESSION_REDIS=Redis.from_url(store or ""), SESSION_PERMANENT=False)
        Session(app)
    return app


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


def measure(contenders: dict[str, Flask], content: dict[str, Any], use: Use) -> dict[str, float]:
    """Return the median time of an operation in microseconds, without the request around it."""
    apps = contenders | {NOTHING: application(NOTHING)}
    cookies, times = {}, {name: [] for name in apps}  # type: dict[str, str | None], dict[str, list[float]]
    for name, app in apps.items():
        with app.app_context():
            cookies[name] = request(app, None, lambda session: session.update(content))
    cookies[NOTHING] = "session=x"
    for _ in range(ROUNDS):
        for name, app in apps.items():
            with app.app_context():
                times[name].append(once(app, cookies[name], use))
    medians = {name: statistics.median(rounds) * 1e6 for name, rounds in times.items()}
    common = medians.pop(NOTHING)
    return {name: value - common for name, value in medians.items()}


def once(app: Flask, cookie: str | None, use: Use) -> float:
    count, started = 0, time.process_time()
    while (spent := time.process_time() - started) < ROUND_SECONDS:
        for _ in range(20):
            request(app, cookie, use)
        count += 20
    return spent / count


class Nothing:
    def open_session(self, app: Flask, request: Any) -> dict[str, Any]:
        return {}

    def save_session(self, app: Flask, session: Any, response: Any) -> None:
        pass


def table(title: str, contenders: dict[str, Flask]) -> None:
    print(f"\n## {title}\n\n| session | use | {' | '.join(contenders)} | ratio |")
    print("|---|---|" + "--:|" * (len(contenders) + 1))
    for size, content in SIZES.items():
        for use_name, use in USES.items():
            times = measure(contenders, content, use)
            slowest, ours = max(times.values()), times["flask-carafe"]
            cells = " | ".join(f"{value:.1f} µs" for value in times.values())
            print(f"| {size} | {use_name} | {cells} | {slowest / ours:.1f} × |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures flask-carafe beside its peers.")
    parser.add_argument("--store", help="a Redis for the sessions on the server")
    store = parser.parse_args().store
    print(f"CPython {sys.version.split()[0]}")
    cookies = {"flask-carafe": application("flask-carafe"), "Flask": application("Flask")}
    table("Sessions in the cookie", cookies)
    if store:
        stored = {"flask-carafe": application("flask-carafe", store), "Flask-Session": application("Flask-Session", store)}
        table("Sessions in Redis", stored)


if __name__ == "__main__":
    main()
