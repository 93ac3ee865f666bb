"""Sessions under Starlette and Quart, with their own formats."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from quart import Quart
from quart import session as quart_session
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from conftest import KEY
from flask_carafe import ConfigError
from flask_carafe.asgi import CarafeMiddleware, QuartSessionInterface


async def write(request: Request) -> PlainTextResponse:
    request.session["user"] = {"name": "é", "roles": [1, None, 2.5]}
    return PlainTextResponse("ok")


async def nested(request: Request) -> PlainTextResponse:
    request.session["user"]["roles"].append(3)
    request.session["n"] = 1
    return PlainTextResponse("ok")


async def look(request: Request) -> JSONResponse:
    return JSONResponse(dict(request.session))


async def clear(request: Request) -> PlainTextResponse:
    request.session.clear()
    return PlainTextResponse("ok")


async def untouched(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


ROUTES = [Route(f"/{handler.__name__}", handler) for handler in (write, nested, look, clear, untouched)]


def starlette(middleware: Any, **arguments: Any) -> TestClient:
    layer = Middleware(middleware, secret_key=KEY, **arguments)
    return TestClient(Starlette(routes=ROUTES, middleware=[layer]), base_url="https://testserver")


@pytest.mark.parametrize("arguments", [{}, {"session_cookie": "s", "max_age": 60, "same_site": "strict", "https_only": True}])
def test_starlettes_cookies_are_shared(arguments: dict[str, Any]) -> None:
    ours, theirs = starlette(CarafeMiddleware, **arguments), starlette(SessionMiddleware, **arguments)
    seen: list[Any] = []
    for writer, reader in ((ours, theirs), (theirs, ours)):
        writer.cookies.clear()
        reader.cookies.clear()
        written = writer.get("/write")
        assert written.headers["vary"].lower() == "cookie"
        for name, value in writer.cookies.items():
            reader.cookies.set(name, value)
        reader.get("/nested")
        seen.append(reader.get("/look").json())
        attributes = written.headers["set-cookie"].lower().split("; ", 1)[1]
        seen.append(sorted(attributes.split("; ")))
        assert "set-cookie" not in reader.get("/untouched").headers
        assert "set-cookie" in reader.get("/clear").headers
    assert seen[0] == seen[2] == {"user": {"name": "é", "roles": [1, None, 2.5, 3]}, "n": 1}
    assert seen[1] == seen[3]


@pytest.mark.parametrize("kind", ["memory", "sqlite", "redis"])
def test_a_store_keeps_the_sessions_of_starlette(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    urls = {"memory": "memory:", "sqlite": f"sqlite:{tmp_path / 'sessions.db'}"}
    url = request.getfixturevalue("redis_url") if kind == "redis" else urls[kind]
    client = starlette(CarafeMiddleware, store=url)
    client.get("/write")
    (cookie,) = client.cookies.values()
    assert len(cookie) == 43
    client.get("/nested")
    assert client.get("/look").json()["n"] == 1
    assert client.cookies.get("session") == cookie
    assert "vary" not in client.get("/untouched").headers
    client.get("/clear")
    assert client.get("/look", headers={"Cookie": f"session={cookie}"}).json() == {}


def test_a_store_in_trouble_replaces_the_response() -> None:
    client = starlette(CarafeMiddleware, store="redis://127.0.0.1:1/0")
    client.app.debug = False  # type: ignore[attr-defined]
    assert client.get("/untouched", headers={"Cookie": "session=" + "A" * 43}).status_code == 200


@pytest.mark.parametrize("arguments", [{"same_site": "sometimes"}, {"stor": "memory:"}])
def test_a_wrong_argument_is_named(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        CarafeMiddleware(lambda *_: None, KEY, **arguments)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("store", [None, "memory:"])
def test_quart_reads_and_writes_its_sessions(store: str | None) -> None:
    plain, ours = Quart("plain"), Quart("ours")
    ours.session_interface = QuartSessionInterface()  # type: ignore[assignment]
    ours.config["CARAFE_STORE"] = store
    for app in (plain, ours):
        app.secret_key = KEY

        @app.get("/write")
        async def write() -> str:
            quart_session["value"] = (1, b"x")
            quart_session["a"] = 1
            return ""

        @app.get("/look")
        async def look() -> str:
            return repr(quart_session.get("value"))

    async def visit() -> None:
        client = ours.test_client()
        written = await client.get("/write")
        assert (written.status_code, written.headers["Vary"]) == (200, "Cookie")
        cookie = written.headers["Set-Cookie"].split(";")[0]
        assert await (await client.get("/look")).get_data(as_text=True) == "(1, b'x')"
        if store is None:
            headers = {"Cookie": cookie}
            answer = await plain.test_client(use_cookies=False).get("/look", headers=headers)
            assert await answer.get_data(as_text=True) == "(1, b'x')"

    asyncio.run(visit())
