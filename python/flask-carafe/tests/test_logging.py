"""The engine's log events are records of the logger `flask_carafe`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask, has_request_context, session
from starlette.testclient import TestClient
from test_asgi import starlette

from conftest import Make
from flask_carafe.asgi import CarafeMiddleware

FORGED = "eyJ1c2VyIjoiYWRhIn0.ZVPxAA." + "A" * 27


@pytest.fixture
def app(make: Make) -> Flask:
    app = make(TESTING=False, PROPAGATE_EXCEPTIONS=False)

    @app.get("/look")
    def look() -> str:
        return str(session.get("user")) + str(len(session))

    return app


@contextmanager
def records(handle: Any = None) -> Iterator[list[logging.LogRecord]]:
    """Collect the records, which `handle` sees first."""
    seen: list[logging.LogRecord] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if handle is not None:
                handle(record)
            seen.append(record)

    logger, handler = logging.getLogger("flask_carafe"), Handler()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield seen
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_a_forged_cookie_is_one_event_that_does_not_show_it(app: Flask) -> None:
    with records() as seen:
        answer = app.test_client(use_cookies=False).get("/look", headers={"Cookie": f"session={FORGED}"})
    assert answer.text == "None0"
    (record,) = seen
    assert (record.levelname, record.name) == ("INFO", "flask_carafe")
    assert vars(record)["carafe"] == {"cookie": "session", "reason": "bad-signature"}
    assert record.getMessage().startswith("session cookie refused: ")
    assert not any(part in str(vars(record)) for part in FORGED.split("."))


def test_a_request_with_a_good_cookie_or_none_logs_nothing(app: Flask) -> None:
    with app.test_client() as client, records() as seen:
        with client.session_transaction() as session:
            session["user"] = "ada"
        assert client.get("/look").text == "ada1"
        assert app.test_client().get("/look").text == "None0"
    assert seen == []


def test_a_handler_of_the_log_may_use_the_session_and_the_request(app: Flask) -> None:
    lengths = []

    def handle(_: logging.LogRecord) -> None:
        assert has_request_context()
        lengths.append(len(session))

    with records(handle):
        app.test_client(use_cookies=False).get("/look", headers={"Cookie": f"session={FORGED}"})
    assert lengths == [0]


def test_a_failing_handler_of_the_log_fails_no_request(app: Flask) -> None:
    def handle(_: logging.LogRecord) -> None:
        raise RuntimeError

    with records(handle):
        answer = app.test_client(use_cookies=False).get("/look", headers={"Cookie": f"session={FORGED}"})
    assert (answer.status_code, answer.text) == (200, "None0")


def test_a_store_that_fails_is_logged_as_an_error(make: Make) -> None:
    app = make(CARAFE_STORE="redis://127.0.0.1:1/0", TESTING=False, PROPAGATE_EXCEPTIONS=False)

    @app.get("/write")
    def write() -> str:
        session["n"] = 1
        return ""

    with records() as seen:
        assert app.test_client().get("/write").status_code == 503
    assert seen
    assert {record.levelname for record in seen} == {"ERROR"}


def test_starlettes_sessions_are_logged_too() -> None:
    client: TestClient = starlette(CarafeMiddleware)
    with records() as seen:
        assert client.get("/look", headers={"Cookie": f"session={FORGED}"}).json() == {}
    assert [vars(record)["carafe"]["reason"] for record in seen] == ["bad-signature"]
