"""Sends many requests to one worker of gunicorn and watches its memory.

    python bench/python/soak.py [--requests 1000000] [--direct] --store redis://127.0.0.1:6379/0

With `--direct`, this process calls the application itself, without gunicorn and HTTP. Half of the
requests use sessions in the cookie, half sessions in the store; among them are new sessions, reads,
writes, log-ins, log-outs, atomic updates and cookies that are rejected.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil
from werkzeug.test import EnvironBuilder, run_wsgi_app

from served import Connection, gunicorn

PROGRAM = """
import os
from flask import Flask, session
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from flask_carafe import Carafe

def make(store):
    app = Flask("soak")
    app.config.update(SECRET_KEY="4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1", CARAFE_STORE=store)
    Carafe(app)

    @app.get("/ready")
    def ready():
        return "ready"

    @app.get("/read")
    def read():
        return str(session.get("n"))

    @app.get("/write")
    def write():
        session["n"] = session.get("n", 0) + 1
        session["nested"] = {"list": [session["n"], "text", None]}
        return "written"

    @app.get("/update")
    def update():
        return str(session.update_now("n", lambda n: (n or 0) + 1)) if store else "none"

    @app.get("/log-in")
    def log_in():
        session.log_in("ada")
        return "in"

    @app.get("/log-out")
    def log_out():
        session.log_out()
        return "out"

    return app

app = DispatcherMiddleware(make(None), {"/stored": make(os.environ["STORE"])})
"""
STEPS = ("/write", "/read", "/update", "/read", "/log-in", "/write", "/read", "bad", "/log-out", "/read")
CONNECTIONS = 2
SAMPLES = 20
MIB = 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """The worker's memory after so many requests."""

    requests: int
    resident: int


class Visitor(Protocol):
    """A client whose cookie follows the responses."""

    def get(self, path: str, cookie: bytes | None = None) -> bytes: ...


class DirectVisitor:
    """A client that calls the application."""

    def __init__(self, application: Any) -> None:
        self._application, self._cookie = application, None  # type: Any, str | None

    def get(self, path: str, cookie: bytes | None = None) -> bytes:
        sent = cookie.decode() if cookie else self._cookie
        request = EnvironBuilder(path, headers={"Cookie": f"session={sent}"} if sent else {})
        body, status, headers = run_wsgi_app(self._application, request.get_environ(), buffered=True)
        if not status.startswith("200 "):
            raise SystemExit(f"{path}: {status}")
        if (set_cookie := headers.get("Set-Cookie")) and cookie is None:
            self._cookie = set_cookie.partition("=")[2].partition(";")[0] or None
        return b"".join(body)


@contextmanager
def served(store: str, folder: Path) -> Iterator[tuple[Callable[[], Visitor], Callable[[], int]]]:
    """Serve the application, and return a function for a client, and one for the memory."""
    with gunicorn(folder, PROGRAM, threads=CONNECTIONS, STORE=store) as worker, ExitStack() as connections:
        yield lambda: connections.enter_context(Connection(worker.port)), worker.resident


@contextmanager
def direct(store: str, _: Path) -> Iterator[tuple[Callable[[], Visitor], Callable[[], int]]]:
    """Do the same as `served`, with the application in this process."""
    os.environ["STORE"] = store
    space: dict[str, Any] = {}
    exec(PROGRAM, space)
    yield lambda: DirectVisitor(space["app"]), lambda: int(psutil.Process().memory_info().rss)


def soak(requests: int, store: str, folder: Path, serve: Any = served) -> Iterator[Sample]:
    """Send the requests, and yield the memory of the process with the application `SAMPLES` times."""
    rounds = max(1, requests // (SAMPLES * CONNECTIONS * 2 * len(STEPS)))
    with serve(store, folder) as (connect, resident), ThreadPoolExecutor(CONNECTIONS) as threads:
        visitors = [(connect(), place) for place in ("", "/stored") for _ in range(CONNECTIONS)]
        done = 0
        for _ in range(SAMPLES):
            for place in ("", "/stored"):
                chosen = [visitor for visitor, prefix in visitors if prefix == place]
                done += sum(threads.map(lambda visitor, place=place: visit(visitor, place, rounds), chosen))
            yield Sample(done, resident())


def visit(visitor: Visitor, place: str, rounds: int) -> int:
    for _ in range(rounds):
        for step in STEPS:
            if step == "bad":
                visitor.get(f"{place}/read", cookie=b"eyJuIjoxfQ.ZVPxAA." + b"A" * 27)
            else:
                visitor.get(place + step)
    return rounds * len(STEPS)


def growth(samples: list[Sample]) -> int:
    """Return the growth from a quarter of the requests, when all caches are filled, to the end."""
    return samples[-1].resident - samples[len(samples) // 4 - 1].resident


def main() -> None:
    parser = argparse.ArgumentParser(description="Sends many requests to one worker and watches its memory.")
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--store", required=True, help="the URL of a store for half of the sessions")
    parser.add_argument("--direct", action="store_true", help="call the application in this process")
    arguments = parser.parse_args()
    serve = direct if arguments.direct else served
    started, samples = time.monotonic(), []
    with tempfile.TemporaryDirectory() as folder:
        for sample in soak(arguments.requests, arguments.store, Path(folder), serve):
            samples.append(sample)
            print(f"{sample.requests:>9,} requests: {sample.resident / MIB:6.1f} MiB", flush=True)
    print(f"{time.monotonic() - started:.0f} s; the last three quarters grow by {growth(samples) / MIB:.2f} MiB")


if __name__ == "__main__":
    main()
