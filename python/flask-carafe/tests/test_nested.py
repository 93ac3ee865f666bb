"""The function of `update_now` may use sessions itself: that works or is an error at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, session
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from test_servers import Visitor, gunicorn

from conftest import KEY, Make, visit
from flask_carafe import SessionConflict, SessionError
from flask_carafe.asgi import CarafeMiddleware

# A thread that waits in the engine cannot be interrupted, so a deadlock ends the run.
pytestmark = pytest.mark.timeout(600, method="thread")


@pytest.fixture(params=["memory", "sqlite", "redis"])
def app(request: pytest.FixtureRequest, make: Make, tmp_path: Path) -> Flask:
    urls = {"memory": "memory:", "sqlite": f"sqlite:{tmp_path / 'sessions.db'}"}
    url = request.getfixturevalue("redis_url") if request.param == "redis" else urls[request.param]
    return make(CARAFE_STORE=url)


def current() -> Any:
    return session._get_current_object()  # type: ignore[attr-defined]


def content(app: Flask, cookie: str) -> dict[str, Any]:
    seen: list[dict[str, Any]] = []
    visit(app, lambda: seen.append(dict(session)), cookie)
    return seen[0]


def begin(app: Flask, **values: Any) -> str:
    return visit(app, lambda: session.update(values))


def add(key: str) -> Any:
    return current().update_now(key, lambda n: n + 1, default=0)


def test_the_function_uses_its_session_and_another_one(app: Flask) -> None:
    other = begin(app, n=10)
    calls: list[Any] = []

    def change(n: int) -> int:
        calls.append(n)
        assert add("inner") == 1
        assert current().update_now("deeper", lambda _: [add("deepest")]) == [1]
        assert current().take_once("voucher") == "gold"
        session["note"] = "in between"
        current().commit()
        session["later"] = "at the end"
        visit(app, lambda: add("n"), other)
        return n + 1

    def handler() -> None:
        assert current().update_now("n", change) == 2
        assert session["n"] == 2

    cookie = visit(app, handler, begin(app, n=1, voucher="gold"))
    assert calls == [1]
    assert content(app, other) == {"n": 11}
    expected = {"n": 2, "inner": 1, "deeper": [1], "deepest": 1, "note": "in between", "later": "at the end"}
    assert content(app, cookie) == expected


def test_a_function_that_changes_its_own_key_is_an_error_at_once(app: Flask) -> None:
    cookie = begin(app, n=1)
    calls: list[str] = []

    def inner(n: int) -> int:
        calls.append("inner")
        return n + int(add("n"))

    def assignment(n: int) -> int:
        calls.append("assignment")
        session["n"] = n + 1
        return n

    def handler() -> None:
        for change in (inner, assignment):
            with pytest.raises(SessionError, match="has changed its key itself"):
                current().update_now("n", change)
        session["n"] = 5
        assert add("n") == 6

    visit(app, handler, cookie)
    assert calls == ["inner", "assignment"]
    assert content(app, cookie) == {"n": 6}


def test_a_function_whose_key_another_request_changes_each_time_is_a_conflict(make: Make) -> None:
    app = make(CARAFE_STORE="memory:")
    cookie = begin(app, n=0)

    def change(n: int) -> int:
        visit(app, lambda: add("n"), cookie)
        return n + 1

    def handler() -> None:
        with pytest.raises(SessionConflict):
            current().update_now("n", change)

    visit(app, handler, cookie)
    assert content(app, cookie)["n"] > 0


def test_a_function_that_logs_out_runs_again_on_the_empty_session(app: Flask) -> None:
    before = begin(app, n=1)
    calls: list[Any] = []

    def change(n: int | None) -> int:
        calls.append(n)
        current().log_out()
        current().commit()
        return (n or 0) + 1

    after = visit(app, lambda: current().update_now("n", change), before)
    assert calls == [1, None]
    assert content(app, before) == {}
    assert content(app, after) == {"n": 1}


def test_threads_update_in_opposite_orders(app: Flask) -> None:
    """No order of keys or sessions is a deadlock, because no lock is held while a function runs."""
    cookies = [begin(app, a=0, b=0), begin(app, a=0, b=0)]

    def update(number: int) -> None:
        mine, others = cookies[number % 2], cookies[1 - number % 2]
        first, second = "ab" if number % 2 else "ba"

        def change(n: int) -> int:
            add(second)
            visit(app, lambda: add(first), others)
            return n + 1

        def handler() -> None:
            current().update_now(first, change)

        visit(app, handler, mine)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(update, range(20)))
    first, second = (content(app, cookie) for cookie in cookies)
    assert (first["b"], second["a"]) == (10, 10)
    # A function that ran again has made its own changes again.
    assert (first["a"] >= 20, second["b"] >= 20) == (True, True)


NESTED = """
import os
from flask import Flask, session
from flask_carafe import Carafe

app = Flask(__name__)
app.config.update(SECRET_KEY="4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1", CARAFE_STORE=os.environ["STORE"])
Carafe(app)
other = app.test_client(use_cookies=False)

def add(key):
    return session.update_now(key, lambda n: (n or 0) + 1)

@app.get("/begin")
def begin():
    session["n"] = 0
    return "begun"

@app.get("/add/<key>")
def add_one(key):
    return str(add(key))

@app.get("/nested")
def nested():
    def change(n):
        add("inner")
        other.get("/add/m", headers={"Cookie": os.environ["OTHER"]})
        return (n or 0) + 1
    return str(session.update_now("n", change))

@app.get("/look")
def look():
    return f"{session['n']} {session['inner']}"
"""


@pytest.mark.parametrize("worker", ["sync", "gthread", "gevent"])
def test_workers_nest_updates(tmp_path: Path, redis_url: str, worker: str, make: Make) -> None:
    other = begin(make(CARAFE_STORE=redis_url), m=0)
    options = ["--workers", "2", "--worker-class", worker, *(["--threads", "4"] if worker == "gthread" else [])]
    with gunicorn(tmp_path, redis_url, *options, program=NESTED, OTHER=other) as port:
        visitor = Visitor(port)
        visitor.get("/begin")
        with ThreadPoolExecutor(8) as threads:
            told = list(threads.map(lambda _: Visitor(port, visitor.cookie).get("/nested"), range(40)))
        assert sorted(map(int, told)) == list(range(1, 41))
        n, inner = map(int, visitor.get("/look").split())
        assert n == 40
        assert inner >= 40


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_a_coroutine_and_a_thread_nest_updates(kind: str, request: pytest.FixtureRequest) -> None:
    url = "memory:" if kind == "memory" else request.getfixturevalue("redis_url")

    def nest(session: Any) -> int:
        def change(_: int | None) -> Any:
            return session.update_now("inner", lambda n: n + 1, default=0)

        return int(session.update_now("n", change))

    async def coroutine(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(nest(request.session)))

    async def thread(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(await asyncio.to_thread(nest, request.session)))

    routes = [Route("/coroutine", coroutine), Route("/thread", thread)]
    layer = Middleware(CarafeMiddleware, secret_key=KEY, store=url)
    client = TestClient(Starlette(routes=routes, middleware=[layer]), base_url="https://testserver")
    assert [client.get(path).text for path in ("/coroutine", "/thread", "/coroutine")] == ["1", "2", "3"]
