"""Measures a whole Flask application under gunicorn: a request over HTTP with a session.

    python bench/python/application.py [--store redis://127.0.0.1:6379/0]

Each contender has a gunicorn with one worker. A client asks one after the other, on a connection that
it keeps, in batches of all contenders in turn. The worker's CPU time counts, so that the client and
other programs of the machine do not; the median of the batches gives requests per second of it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from served import Connection, Worker, gunicorn

PROGRAM = """
import os
from flask import Flask, session

app = Flask("application")
app.config.update(SECRET_KEY="4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1")
kind, store = os.environ["KIND"], os.environ.get("STORE")
if kind == "flask-carafe":
    from flask_carafe import Carafe
    app.config["CARAFE_STORE"] = store
    Carafe(app)
elif kind == "Flask-Session":
    from flask_session import Session
    from redis import Redis
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=Redis.from_url(store), SESSION_PERMANENT=False)
    Session(app)

@app.get("/ready")
def ready():
    return "ready"

@app.get("/begin")
def begin():
    session.update(uid=42, name="xiaoming", csrf="a1b2c3d4e5f6", n=0)
    return "begun"

@app.get("/untouched")
def untouched():
    return "hello"

@app.get("/read")
def read():
    return str(session.get("uid"))

@app.get("/write")
def write():
    session["n"] += 1
    return str(session["n"])
"""
ROWS = ("untouched", "read", "write")
BATCH = 500
BATCHES = 21


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures a whole Flask application under gunicorn.")
    parser.add_argument("--store", help="a Redis for the sessions on the server")
    store = parser.parse_args().store
    print(f"CPython {sys.version.split()[0]}; requests per second of the worker's CPU time")
    table("Sessions in the cookie", ("flask-carafe", "Flask"), {})
    if store:
        table("Sessions in Redis", ("flask-carafe", "Flask-Session"), {"STORE": store})


def table(title: str, kinds: tuple[str, ...], settings: dict[str, str]) -> None:
    with ExitStack() as servers, tempfile.TemporaryDirectory() as folder:
        workers = {kind: servers.enter_context(gunicorn(Path(folder) / kind, PROGRAM, KIND=kind, **settings)) for kind in kinds}
        visitors = {kind: servers.enter_context(Connection(worker.port)) for kind, worker in workers.items()}
        for visitor in visitors.values():
            visitor.get("/begin")
        print(f"\n## {title}\n\n| request | {' | '.join(kinds)} | ratio |\n|---|" + "--:|" * (len(kinds) + 1))
        for row in ROWS:
            spent: dict[str, list[float]] = {kind: [] for kind in kinds}
            for _ in range(BATCHES):
                for kind in kinds:
                    spent[kind].append(batch(workers[kind], visitors[kind], f"/{row}"))
            rates = {kind: 1 / statistics.median(times) for kind, times in spent.items()}
            ours, theirs = (rates[kind] for kind in kinds)
            cells = " | ".join(f"{rate:,.0f}" for rate in rates.values())
            print(f"| {row} | {cells} | {ours / theirs:.2f} × |", flush=True)


def batch(worker: Worker, visitor: Connection, path: str) -> float:
    """Return the worker's CPU time of a request, in seconds."""
    before = worker.cpu()
    for _ in range(BATCH):
        visitor.get(path)
    return (worker.cpu() - before) / BATCH


if __name__ == "__main__":
    main()
