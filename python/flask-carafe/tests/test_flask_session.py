"""The real Flask-Session and flask-carafe share sessions in Redis, and its sessions are migrated."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, session
from flask_session import Session as FlaskSession
from redis import Redis

import flask_carafe
from conftest import KEY, Make
from flask_carafe import Carafe
from flask_carafe.cli import carafe


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


@pytest.mark.parametrize("kind", ["redis", "sqlite", "postgres", "mariadb"])
def test_real_sessions_are_migrated(kind: str, request: pytest.FixtureRequest, redis_url: str, tmp_path: Path) -> None:
    """Flask-Session has made the sessions in Redis; afterwards they are in Carafe's own layout."""
    redis = Redis.from_url(redis_url)
    target = f"sqlite:{tmp_path / 'sessions.db'}" if kind == "sqlite" else request.getfixturevalue(f"{kind}_url")
    theirs, ours = Flask("theirs"), Flask("ours")
    for app in (theirs, ours):
        app.config.update(
            SECRET_KEY=KEY,
            SESSION_TYPE="redis",
            SESSION_REDIS=redis,
            SESSION_KEY_PREFIX=f"{kind}-shop:",
            CARAFE_STORE=target,
        )

        @app.get("/set/<name>")
        def set_(name: str) -> str:
            session.update(name=name, _user_id=name, list=[1, "é", None, {"a": 2.5}])
            return ""

        @app.get("/look")
        def look() -> dict[str, Any]:
            return {key: value for key, value in session.items() if not key.startswith("_")}

    FlaskSession(theirs)
    Carafe(ours)
    cookies = {}
    for number in range(120):
        client = theirs.test_client()
        client.get(f"/set/user{number}")
        cookie = client.get_cookie("session")
        assert cookie is not None
        cookies[f"user{number}"] = cookie.value
    redis.set(f"{kind}-shop:" + "B" * 43, pickle.dumps({"a": 1}))

    run = ours.test_cli_runner().invoke(carafe, ["migrate", "--from", redis_url])
    assert "120 copied" in run.stdout, run.output
    assert "1 could not be read, left behind" in run.stdout
    assert run.exit_code == 1
    for name, value in cookies.items():
        headers = {"Cookie": f"session={value}"}
        expected = {"name": name, "list": [1, "é", None, {"a": 2.5}]}
        assert ours.test_client(use_cookies=False).get("/look", headers=headers).json == expected
        assert theirs.test_client(use_cookies=False).get("/look", headers=headers).json == expected
    # Flask-Session's records name no user.
    assert flask_carafe.sessions_of("user7", app=ours) == []

    redis.delete(f"{kind}-shop:" + "B" * 43)
    again = ours.test_cli_runner().invoke(carafe, ["migrate", "--from", redis_url])
    assert (again.exit_code, "0 copied" in again.stdout) == (0, True), again.output


def test_a_migration_needs_a_target_in_the_own_layout(make: Make, redis_url: str) -> None:
    for settings in ({}, {"CARAFE_STORE": redis_url, "CARAFE_LAYOUT": "flask-session"}):
        run = make(**settings).test_cli_runner().invoke(carafe, ["migrate", "--from", redis_url])
        assert run.exit_code == 1
        assert "CARAFE_STORE names the target" in run.output
