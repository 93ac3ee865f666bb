"""The real Flask-Session and flask-carafe share sessions in Redis."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from flask import Flask, session
from flask_session import Session as FlaskSession
from redis import Redis

from conftest import KEY, Make
from flask_carafe import Carafe


@pytest.fixture(params=["msgpack", "json"])
def pair(request: pytest.FixtureRequest, redis_url: str) -> tuple[Flask, Flask]:
    """Return an application with Flask-Session and one with flask-carafe, on the same settings."""
    apps = []
    for name in ("theirs", "ours"):
        app = Flask(name)
        app.config.update(
            SECRET_KEY=KEY,
            SESSION_TYPE="redis",
            SESSION_REDIS=Redis.from_url(redis_url),
            SESSION_SERIALIZATION_FORMAT=request.param,
            SESSION_KEY_PREFIX=f"{request.param}:",
            CARAFE_STORE=redis_url,
            CARAFE_LAYOUT="flask-session",
        )

        @app.get("/set/<key>")
        def set_(key: str) -> str:
            session[key] = {"list": [1, "é"], "key": key}
            return ""

        @app.get("/look")
        def look() -> dict[str, Any]:
            return {key: value for key, value in session.items() if not key.startswith("_")}

        @app.get("/clear")
        def clear() -> str:
            session.clear()
            return ""

        apps.append(app)
    theirs, ours = apps
    FlaskSession(theirs)
    Carafe(ours)
    return theirs, ours


def test_each_reads_and_changes_what_the_other_has_written(pair: tuple[Flask, Flask]) -> None:
    for writer, reader in (pair, pair[::-1]):
        client = writer.test_client()
        client.get("/set/a")
        cookie = client.get_cookie("session")
        assert cookie is not None
        headers = {"Cookie": f"session={cookie.value}"}
        other = reader.test_client(use_cookies=False)
        assert other.get("/look", headers=headers).json == {"a": {"list": [1, "é"], "key": "a"}}
        other.get("/set/b", headers=headers)
        seen = client.get("/look").json
        assert seen is not None
        assert sorted(seen) == ["a", "b"]
        other.get("/clear", headers=headers)
        assert client.get("/look").json == {}


def test_a_pickled_session_is_refused(make: Make, redis_url: str) -> None:
    app = make(CARAFE_STORE=redis_url, CARAFE_LAYOUT="flask-session", TESTING=False, PROPAGATE_EXCEPTIONS=False)

    @app.get("/look")
    def look() -> dict[str, Any]:
        return dict(session)

    Redis.from_url(redis_url).set("session:" + "B" * 43, pickle.dumps({"a": 1}))
    answer = app.test_client(use_cookies=False).get("/look", headers={"Cookie": "session=" + "B" * 43})
    assert answer.status_code == 503
