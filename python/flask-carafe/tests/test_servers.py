"""flask-carafe under gunicorn and uvicorn, with real stores: nothing is lost, and a fork is survived."""

from __future__ import annotations

import http.client
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from flask import Flask
from redis import Redis

PROGRAM = """
import os
from flask import Flask, session
from flask_carafe import Carafe

app = Flask(__name__)
app.config.update(SECRET_KEY="4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1", CARAFE_STORE=os.environ["STORE"])
Carafe(app)

@app.get("/pid")
def pid():
    return str(os.getpid())

@app.get("/begin")
def begin():
    session["n"] = 0
    return "begun"

@app.get("/increment")
def increment():
    return str(session.update_now("n", lambda n: (n or 0) + 1))

@app.get("/key/<int:number>")
def key(number):
    session[f"key {number}"] = number
    return "kept"

@app.get("/look")
def look():
    keys = [key for key in session if key.startswith("key ")]
    return f"{session['n']} {len(keys)}"

@app.get("/slow")
def slow():
    # Not in a cookie, so that only the store is waited for.
    return str(session.get("n"))

if os.environ.get("FIRST_USE"):
    # The store is opened before gunicorn forks its workers.
    app.test_client().get("/begin")
"""


class Visitor:
    """A client that keeps its session cookie. Each request is a connection of its own."""

    def __init__(self, port: int, cookie: str | None = None) -> None:
        self.port, self.cookie = port, cookie

    def get(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("GET", path, headers={"Cookie": self.cookie} if self.cookie else {})
            answer = connection.getresponse()
            body = answer.read().decode()
            assert answer.status == 200, body
            if cookie := answer.getheader("Set-Cookie"):
                self.cookie = cookie.split(";")[0]
            return body
        finally:
            connection.close()


@contextmanager
def gunicorn(folder: Path, store: str, *options: str, program: str = PROGRAM, **settings: str) -> Iterator[int]:
    (folder / "program.py").write_text(program)
    log = folder / "log"
    command = [sys.executable, "-m", "gunicorn", "--workers", "4", "--bind", "127.0.0.1:0", *options, "program:app"]
    with served(command, folder, log, STORE=store, **settings) as port:
        yield port


@contextmanager
def served(command: list[str], folder: Path, log: Path, **environment: str) -> Iterator[int]:
    """Run a server on a port of its choice."""
    with log.open("w") as errors:
        settings = os.environ | environment
        server = subprocess.Popen(command, cwd=folder, env=settings, stderr=errors, stdout=errors)
    try:
        yield port_of(server, log)
    finally:
        server.terminate()
        server.wait()


def port_of(server: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if found := re.search(r"(?:Listening at:|running on) http://127\.0\.0\.1:(\d+)", log.read_text()):
            return int(found.group(1))
        assert server.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(log.read_text())


@pytest.mark.parametrize("worker", ["sync", "gthread", "gevent"])
@pytest.mark.parametrize("first_use", ["", "1"], ids=["fork before first use", "fork after first use"])
def test_four_workers_lose_nothing(tmp_path: Path, redis_url: str, worker: str, first_use: str) -> None:
    options = ["--preload", "--worker-class", worker, *(["--threads", "4"] if worker == "gthread" else [])]
    with gunicorn(tmp_path, redis_url, *options, FIRST_USE=first_use) as port:
        visitor = Visitor(port)
        visitor.get("/begin")
        paths = ["/increment"] * 1_000 + [f"/key/{number}" for number in range(100)]
        with ThreadPoolExecutor(20) as threads:
            told = list(threads.map(lambda path: Visitor(port, visitor.cookie).get(path), paths))
        assert sorted(int(value) for value in told[:1_000]) == list(range(1, 1_001))
        assert visitor.get("/look") == "1000 100"


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_four_workers_lose_nothing_in_a_database(tmp_path: Path, request: pytest.FixtureRequest, kind: str) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    with gunicorn(tmp_path, url, "--worker-class", "gthread", "--threads", "4") as port:
        visitor = Visitor(port)
        visitor.get("/begin")
        paths = ["/increment"] * 1_000 + [f"/key/{number}" for number in range(100)]
        with ThreadPoolExecutor(20) as threads:
            told = list(threads.map(lambda path: Visitor(port, visitor.cookie).get(path), paths))
        assert sorted(int(value) for value in told[:1_000]) == list(range(1, 1_001))
        assert visitor.get("/look") == "1000 100"


def test_sqlite_is_shared_by_four_workers(tmp_path: Path) -> None:
    with gunicorn(tmp_path, f"sqlite:{tmp_path / 'sessions.db'}", "--threads", "2") as port:
        visitor = Visitor(port)
        visitor.get("/begin")
        with ThreadPoolExecutor(8) as threads:
            told = list(threads.map(lambda _: Visitor(port, visitor.cookie).get("/increment"), range(100)))
        assert sorted(map(int, told)) == list(range(1, 101))


@pytest.mark.parametrize(("worker", "waits"), [("gthread", False), ("gevent", True)])
def test_a_slow_store_holds_up_a_gevent_worker_but_no_thread(tmp_path: Path, redis_url: str, worker: str, waits: bool) -> None:
    """README: under gevent, other requests of the worker wait while one waits for the store."""
    options = ["--workers", "1", "--worker-class", worker, *(["--threads", "4"] if worker == "gthread" else [])]
    with gunicorn(tmp_path, redis_url, *options) as port, ThreadPoolExecutor(1) as threads:
        visitor = Visitor(port)
        visitor.get("/begin")
        # Redis answers no command for this time, which is within the deadline of the store.
        Redis.from_url(redis_url).execute_command("CLIENT", "PAUSE", "3000", "ALL")  # type: ignore[no-untyped-call]
        started = time.monotonic()
        slow = threads.submit(visitor.get, "/slow")
        time.sleep(0.2)
        Visitor(port).get("/pid")
        answered = time.monotonic() - started
        assert slow.result() == "0"
        assert (answered > 2) == waits, answered


FASTAPI = """
import os
from fastapi import FastAPI, Request
from flask_carafe.asgi import CarafeMiddleware

app = FastAPI()
app.add_middleware(
    CarafeMiddleware, secret_key="4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1", store=os.environ["STORE"] or None
)

@app.get("/begin")
async def begin(request: Request) -> str:
    request.session["n"] = 0
    return "begun"

@app.get("/visit")
async def visit(request: Request) -> int:
    request.session["n"] += 1
    return request.session["n"]

@app.get("/increment")
def increment(request: Request) -> int:
    return request.session.update_now("n", lambda n: (n or 0) + 1)

@app.get("/look")
async def look(request: Request) -> dict:
    return dict(request.session)

@app.get("/clear")
async def clear(request: Request) -> str:
    request.session.clear()
    return "cleared"
"""


@contextmanager
def uvicorn(folder: Path, store: str, workers: int) -> Iterator[int]:
    (folder / "fast.py").write_text(FASTAPI)
    command = [sys.executable, "-m", "uvicorn", "--port", "0", "--workers", str(workers), "fast:app"]
    with served(command, folder, folder / "log", STORE=store) as port:
        yield port


def test_fastapi_keeps_its_sessions_in_the_cookie(tmp_path: Path) -> None:
    with uvicorn(tmp_path, "", 1) as port:
        visitor = Visitor(port)
        visitor.get("/begin")
        assert [visitor.get("/visit") for _ in range(3)] == ["1", "2", "3"]
        assert Visitor(port, visitor.cookie).get("/look") == '{"n":3}'
        visitor.get("/clear")
        assert visitor.get("/look") == "{}"


def test_two_workers_of_uvicorn_lose_nothing(tmp_path: Path, redis_url: str) -> None:
    with uvicorn(tmp_path, redis_url, 2) as port:
        visitor = Visitor(port)
        patient(visitor, "/begin")
        with ThreadPoolExecutor(8) as threads:
            told = list(threads.map(lambda _: Visitor(port, visitor.cookie).get("/increment"), range(200)))
        assert sorted(map(int, told)) == list(range(1, 201))
        assert visitor.get("/look") == '{"n":200}'


def test_a_killed_worker_loses_no_saved_change(tmp_path: Path, redis_url: str) -> None:
    with gunicorn(tmp_path, redis_url, "--threads", "2") as port:
        visitor = Visitor(port)
        visitor.get("/begin")
        for number in range(1, 41):
            if number % 10 == 0:
                os.kill(int(visitor.get("/pid")), signal.SIGKILL)
            assert patient(visitor, "/look") == f"{number - 1} 0"
            assert visitor.get("/increment") == str(number)


def patient(visitor: Visitor, path: str) -> str:
    """Return the answer, from a worker that lives: the killed one may have accepted the connection."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return visitor.get(path)
        except (http.client.HTTPException, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def child(store: str, cookie: str, queue: multiprocessing.Queue[str]) -> None:
    queue.put(APPLICATIONS[store].test_client(use_cookies=False).get("/increment", headers={"Cookie": cookie}).text)


APPLICATIONS: dict[str, Flask] = {}


def test_a_forked_process_opens_the_store_anew(tmp_path: Path, redis_url: str) -> None:
    """The parent has used the store, and goes on using it while its children do."""
    os.environ["STORE"] = redis_url
    space: dict[str, object] = {"__name__": "program"}
    exec(PROGRAM, space)
    app = APPLICATIONS[redis_url] = cast(Flask, space["app"])
    client = app.test_client(use_cookies=False)
    cookie = client.get("/begin").headers["Set-Cookie"].split(";")[0]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    children = [context.Process(target=child, args=(redis_url, cookie, queue)) for _ in range(4)]
    for process in children:
        process.start()
    told = [queue.get(timeout=120) for _ in children] + [client.get("/increment", headers={"Cookie": cookie}).text]
    for process in children:
        process.join(120)
        assert process.exitcode == 0
    assert sorted(told) == ["1", "2", "3", "4", "5"]
