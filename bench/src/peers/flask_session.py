"""Times Flask-Session's Redis store from inside: one line in, one line out.

The first line is the server's URL. "VERB COUNT KEYS" then returns the CPU time of COUNT requests,
in nanoseconds; KEYS are session ids, separated by commas and used in turn. A request is Flask's
session work: the session is opened, used by a view, and saved into the response. The time includes
no view, routing or response.
"""

import platform
import sys
import time
from importlib.metadata import version
from itertools import cycle, islice

from flask import Flask, Response
from flask_session import Session
from redis import Redis
from werkzeug.test import create_environ

app = Flask(__name__)
app.config.update(SESSION_TYPE="redis", SESSION_REDIS=Redis.from_url(sys.stdin.readline().strip()))
Session(app)
interface = app.session_interface


def requests(count: int, keys: list[str]) -> list:
    made = {key: app.request_class(create_environ(headers={"Cookie": f"session={key}"})) for key in keys}
    return [made[key] for key in islice(cycle(keys), count)]


def read(count: int, keys: list[str]) -> int:
    def use(session: dict) -> None:
        assert session["uid"] >= 12345

    return timed(requests(count, keys), use)


def write(count: int, keys: list[str]) -> int:
    def use(session: dict) -> None:
        assert session["uid"] >= 12345
        session["n"] = session["n"] + 1

    return timed(requests(count, keys), use)


def timed(requests: list, use) -> int:
    answers = [Response() for _ in requests]
    with app.app_context():
        start = time.thread_time_ns()
        for request, answer in zip(requests, answers):
            session = interface.open_session(app, request)
            use(session)
            interface.save_session(app, session, answer)
        return time.thread_time_ns() - start


packages = ", ".join(f"{name} {version(name)}" for name in ("flask", "flask-session", "redis", "msgspec"))
print(f"CPython {platform.python_version()}, {packages}", flush=True)
for line in sys.stdin:
    verb, count, text = line.rstrip("\n").split(" ", 2)
    print({"read": read, "write": write}[verb](int(count), text.split(",")), flush=True)
