"""Nothing that a client or a handler does is more than an exception, and memory stays stable."""

from __future__ import annotations

from typing import Any

import psutil
from flask import Flask, session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Make
from flask_carafe import CarafeError

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: (
        st.lists(inner) | st.tuples(inner) | st.sets(st.integers()) | st.dictionaries(st.text() | st.integers(), inner)
    ),
)
KNOWN = (TypeError, ValueError, RecursionError, CarafeError)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cookie=st.text(st.characters(max_codepoint=255)), changes=st.dictionaries(st.text() | st.integers(), ANYTHING))
def test_any_cookie_and_any_value_end_in_a_response_or_an_exception(make: Make, cookie: str, changes: Any) -> None:
    app = make()
    with app.test_request_context(environ_overrides={"HTTP_COOKIE": f"session={cookie}"}):
        current: Any = session._get_current_object()  # type: ignore[attr-defined]
        assert dict(current) == {}
        current.update(changes)
        response = app.response_class()
        try:
            app.session_interface.save_session(app, current, response)
        except KNOWN:
            assert "Set-Cookie" not in response.headers


def test_deep_and_circular_values_are_exceptions(make: Make) -> None:
    app = make()
    circular: list[Any] = []
    circular.append(circular)
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    for value in (circular, deep):
        with app.test_request_context():
            session["value"] = value
            try:
                app.session_interface.save_session(app, session._get_current_object(), app.response_class())  # type: ignore[attr-defined]
            except KNOWN:
                continue
            raise AssertionError("the value was saved")


def requests(app: Flask, count: int) -> None:
    client = app.test_client()
    client.get("/begin")
    for _ in range(count):
        client.get("/")


def test_memory_stays_stable_over_requests(make: Make) -> None:
    """A leak of one kilobyte per request would be 20 MB."""
    app = make(CARAFE_STORE="memory:")

    @app.get("/begin")
    def begin() -> str:
        session["list"] = list(range(100))
        return ""

    @app.get("/")
    def view() -> str:
        session["n"] = session.get("n", 0) + len(session["list"])
        return ""

    requests(app, 2_000)
    process = psutil.Process()
    before = process.memory_info().rss
    requests(app, 20_000)
    assert process.memory_info().rss - before < 10 << 20
