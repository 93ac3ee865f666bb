"""The session in a cookie: a mapping that behaves and is written as Flask's."""

from __future__ import annotations

import copy
import pickle
import time
import uuid
import warnings
import zlib
from collections.abc import Callable, MutableMapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask, Response, flash, get_flashed_messages, session, stream_with_context
from flask.json.tag import JSONTag
from flask.sessions import SessionMixin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from itsdangerous import base64_decode
from markupsafe import Markup
from werkzeug.datastructures import Headers

import flask_carafe
from conftest import KEY, Make, visit
from flask_carafe import Carafe, ConfigError, LateChangeWarning, Session, SessionTooLarge, Unsupported, WeakKeyWarning


def cookie_after(app: Flask, change: Callable[[Any], None], before: str | None = None) -> str | None:
    """Return the `Set-Cookie` of a request that changes the session."""

    @app.get("/")
    def view() -> str:
        change(session)
        return ""

    headers = {"Cookie": before} if before else {}
    answer = app.test_client(use_cookies=False).get("/", headers=headers)
    assert answer.status_code == 200
    return answer.headers.get("Set-Cookie")


def payload(set_cookie: str | None) -> bytes:
    """Return the part of the cookie before its time and signature."""
    assert set_cookie is not None
    return set_cookie.split("=", 1)[1].split(";")[0].rsplit(".", 2)[0].encode()


def text_of(set_cookie: str | None) -> bytes:
    """Return the JSON text in the cookie. Flask deflates it whenever that is shorter."""
    body = payload(set_cookie)
    text = base64_decode(body.lstrip(b"."))
    return zlib.decompress(text) if body.startswith(b".") else text


VALUES: list[Any] = [
    None,
    True,
    -1,
    2**70,
    1.5,
    1e300,
    "é\n\u2028",
    "\ud800",
    [],
    {},
    (),
    b"\x00\xff",
    [1, (2, [3, {"k": (4,)}])],
    {"b": 1, "a": {" t": 2}},
    {" di": 1},
    {1: 2, 3: 4},
    uuid.UUID(int=7),
    Markup("<b>"),
    datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc),
    Decimal("1.10"),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_value_is_written_and_read_as_flask_does(make: Make, plain: Make, value: Any) -> None:
    def write(session: Any) -> None:
        session["value"] = value
        session["another"] = 1

    ours, theirs = cookie_after(make(), write), cookie_after(plain(), write)
    assert text_of(ours) == text_of(theirs)
    seen: list[Any] = []
    for app, cookie in ((make(), theirs), (plain(), ours)):
        assert cookie is not None

        def read(session: Any) -> None:
            seen.append(session["value"])

        cookie_after(app, read, cookie.split(";")[0])
    assert seen[0] == seen[1]
    assert type(seen[0]) is type(seen[1])


def test_the_whole_cookie_is_flasks_to_the_byte(make: Make, plain: Make) -> None:
    def write(session: Any) -> None:
        session["user"] = "xiaoming"
        session.permanent = True

    config = {
        "SESSION_COOKIE_NAME": "shop",
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/shop",
        "SESSION_COOKIE_DOMAIN": "example.com",
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=1),
    }
    for settings_ in ({}, config):
        apps = make(**settings_), plain(**settings_)
        texts = []
        for app in apps:

            @app.get("/")
            def view() -> str:
                write(session)
                return ""

            # The engine reads the clock of the system, so both sign within one second at the latest try.
            texts.append(app)
        for _ in range(50):
            pair = [app.test_client(use_cookies=False).get("/").headers["Set-Cookie"] for app in texts]
            if pair[0] == pair[1]:
                break
            time.sleep(0.01)
        assert pair[0] == pair[1]


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT | st.binary(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=12,
)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.dictionaries(TEXT.filter(lambda key: key != "_permanent"), JSON_VALUES, min_size=1, max_size=5))
def test_random_sessions_are_written_as_flask_writes_them(make: Make, plain: Make, content: dict[str, Any]) -> None:
    cookies = [cookie_after(app, lambda session: session.update(content)) for app in (make(), plain())]
    assert text_of(cookies[0]) == text_of(cookies[1])
    if not payload(cookies[1]).startswith(b"."):
        assert payload(cookies[0]) == payload(cookies[1])


def test_the_session_is_a_mapping_with_flasks_attributes(make: Make) -> None:
    app = make()
    with app.test_request_context():
        current: Any = session._get_current_object()  # type: ignore[attr-defined]
        assert isinstance(current, MutableMapping)
        assert isinstance(current, SessionMixin)
        assert isinstance(current, Session)
        assert (current.new, current.modified, current.permanent) == (True, False, False)
        assert current.setdefault("a", 1) == 1
        assert current.setdefault("a", 2) == 1
        assert current.pop("missing", None) is None
        current |= {"b": 2}
        assert list(current) == ["a", "b"]
        assert current == {"a": 1, "b": 2}
        assert (current | {"c": 3}) == {"a": 1, "b": 2, "c": 3}
        assert dict(current) == current.copy() == {"a": 1, "b": 2}
        assert list(reversed(current)) == ["b", "a"]
        assert current.popitem() == ("b", 2)
        assert repr(current) == "<Session {'a': 1}>"
        del current["a"]
        with pytest.raises(KeyError):
            current["a"]
        with pytest.raises(KeyError):
            del current["a"]
        with pytest.raises(TypeError):
            current[[]]
        with pytest.raises(RuntimeError, match="changed size"):
            grow(current)
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(current)
        with pytest.raises(TypeError, match="cannot be pickled"):
            copy.deepcopy(current)


def grow(session: Any) -> None:
    session["x"] = 1
    for key in session:
        session[key + "y"] = 1


def test_a_value_is_one_object_and_nested_changes_follow_flasks_rule(make: Make, plain: Make) -> None:
    for app in (make(), plain()):

        @app.get("/begin")
        def begin() -> str:
            session["cart"], session["n"] = [1], 0
            return ""

        @app.get("/nested")
        def nested() -> str:
            assert session["cart"] is session["cart"]
            session["cart"].append(2)
            return ""

        @app.get("/nested-and-told")
        def nested_and_told() -> str:
            session["cart"].append(3)
            session.modified = True
            return ""

        @app.get("/nested-beside")
        def nested_beside() -> str:
            session["cart"].append(4)
            session["n"] += 1
            return ""

        @app.get("/untold")
        def untold() -> str:
            session["n"] = 100
            session.modified = False
            return ""

        @app.get("/look")
        def look() -> dict[str, Any]:
            return dict(session)

        client = app.test_client()
        seen = []
        for path in ("/begin", "/nested", "/nested-and-told", "/nested-beside", "/untold"):
            client.get(path)
            seen.append(client.get("/look").json)
        assert seen == [
            {"cart": [1], "n": 0},
            {"cart": [1], "n": 0},
            {"cart": [1, 3], "n": 0},
            {"cart": [1, 3, 4], "n": 1},
            {"cart": [1, 3, 4], "n": 1},
        ]


def test_unread_values_stay_as_they_are(make: Make, plain: Make) -> None:
    """An unknown tag survives a change of another key."""

    class Point:
        pass

    class PointTag(JSONTag):
        key = " point"

        def check(self, value: Any) -> bool:
            return isinstance(value, Point)

        def to_json(self, value: Any) -> Any:
            return [1, 2]

        def to_python(self, value: Any) -> Any:
            return Point()

    for app in (make(), plain()):
        app.session_interface = type(app.session_interface)()
        serializer = type(app.session_interface.serializer)()  # type: ignore[attr-defined]
        serializer.register(PointTag)
        app.session_interface.serializer = serializer  # type: ignore[attr-defined]

        def write(session: Any) -> None:
            session["at"], session["n"] = Point(), 1

        cookie = cookie_after(app, write)
        assert cookie is not None
        tagged = app.session_interface.get_signing_serializer(app).load_payload(payload(cookie))  # type: ignore[attr-defined]
        assert isinstance(tagged["at"], Point)

        def change(session: Any) -> None:
            session["n"] = 2

        unknowing = make()
        changed = cookie_after(unknowing, change, cookie.split(";")[0])
        back = app.session_interface.get_signing_serializer(app).load_payload(payload(changed))  # type: ignore[attr-defined]
        assert isinstance(back["at"], Point)
        assert back["n"] == 2


@pytest.mark.parametrize("setting", ["sort_keys", "ensure_ascii"])
def test_the_json_settings_of_the_application_count(make: Make, plain: Make, setting: str) -> None:
    def write(session: Any) -> None:
        session["b"], session["a"] = "é", {"d": 1, "c": 2}

    bodies = []
    for app in (make(), plain()):
        setattr(app.json, setting, False)
        bodies.append(payload(cookie_after(app, write)))
    assert bodies[0] == bodies[1]
    assert bodies[0] != payload(cookie_after(make(), write))


@pytest.mark.parametrize("key", ["text key, 16 bytes and more", b"\xff\xfe bytes, 16 of them and more"])
def test_keys_are_text_or_bytes_and_fallbacks_are_read(make: Make, plain: Make, key: Any) -> None:
    def write(session: Any) -> None:
        session["n"] = 1

    theirs = cookie_after(plain(SECRET_KEY=key), write)
    assert theirs is not None
    seen = []
    app = make(SECRET_KEY_FALLBACKS=[b"another fallback of 32 bytes 0123", key, KEY, key])
    rewritten = cookie_after(app, lambda session: seen.append(dict(session)), theirs.split(";")[0])
    assert seen == [{"n": 1}]
    assert rewritten is not None, "a cookie under a fallback key is written again under the current one"


def test_settings_are_followed_while_running(make: Make) -> None:
    app = make()

    @app.get("/")
    def view() -> str:
        session["n"] = 1
        session.permanent = True
        return ""

    client = app.test_client(use_cookies=False)
    assert client.get("/").headers["Set-Cookie"].startswith("session=")
    app.config["SESSION_COOKIE_NAME"] = "other"
    assert client.get("/").headers["Set-Cookie"].startswith("other=")
    app.permanent_session_lifetime = timedelta(seconds=60)
    expires = client.get("/").headers["Set-Cookie"].split("Expires=")[1].split(";")[0]
    left = datetime.strptime(expires, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=timezone.utc) - datetime.now(timezone.utc)
    assert timedelta(0) < left <= timedelta(seconds=60)
    app.config["SESSION_COOKIE_SAMESITE"] = "sometimes"
    with pytest.raises(ConfigError, match="SESSION_COOKIE_SAMESITE"):
        client.get("/")


def test_changes_inside_a_setting_are_followed(make: Make) -> None:
    """A list of keys and a provider of JSON change without a change of `app.config`."""
    old, fallbacks = "a former key of 32 characters 012", ["another former key of 32 characters"]
    app = make(SECRET_KEY_FALLBACKS=fallbacks)
    written = visit(make(SECRET_KEY=old), lambda: session.update(b=1, a=2))
    seen: list[Any] = []

    def look() -> None:
        seen.append(dict(session))

    visit(app, look, written)
    fallbacks.append(old)
    visit(app, look, written)
    fallbacks.remove(old)
    visit(app, look, written)
    assert seen == [{}, {"a": 2, "b": 1}, {}]
    bodies = []
    for is_sorted in (True, False):
        app.json.sort_keys = is_sorted  # type: ignore[attr-defined]
        bodies.append(payload(visit(app, lambda: session.update(b=1, a=2))))
    assert bodies[0] != bodies[1]


def test_objects_in_the_configuration_need_not_be_comparable(make: Make) -> None:
    class Incomparable:
        def __eq__(self, other: object) -> bool:
            raise ValueError

        __hash__ = None  # type: ignore[assignment]

    app = make()
    for number in range(3):
        app.config["OBJECT"] = Incomparable()
        app.config["SESSION_COOKIE_NAME"] = f"name{number}"
        assert visit(app, lambda: session.update(n=1)).startswith(f"name{number}=")


def test_flask_3_0_has_no_fallback_keys(make: Make) -> None:
    app = make()
    del app.config["SECRET_KEY_FALLBACKS"]
    assert visit(app, lambda: session.update(n=1)).startswith("session=")


def test_an_application_without_a_key_fails_as_with_flask(make: Make) -> None:
    app = make(SECRET_KEY=None)

    @app.get("/")
    def view() -> str:
        session["n"] = 1
        return ""

    with pytest.raises(RuntimeError, match="secret"):
        app.test_client().get("/")


def test_a_guessable_key_warns_once(make: Make) -> None:
    app = make(SECRET_KEY="dev")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in ("a", "b"):
            app.config["SESSION_COOKIE_NAME"] = name
            with app.test_request_context():
                session.get("n")
    assert [warning.category for warning in caught] == [WeakKeyWarning]


def test_a_cookie_that_browsers_would_drop_is_not_sent(make: Make) -> None:
    app = make(TESTING=False)

    @app.get("/")
    def view() -> Any:
        import os

        session["large"] = os.urandom(4000)
        return "saved", 200, {"X-Claim": "saved"}

    answer = app.test_client().get("/")
    assert answer.status_code == 500
    assert "Set-Cookie" not in answer.headers
    assert "X-Claim" not in answer.headers
    assert b"saved" not in answer.data
    app.testing = True
    with pytest.raises(SessionTooLarge, match="large"):
        app.test_client().get("/")


def test_a_value_that_json_lacks_fails_as_with_flask(make: Make, plain: Make) -> None:
    messages = []
    for app in (make(), plain()):

        @app.get("/")
        def view() -> str:
            session["n"] = object()
            return ""

        with pytest.raises(TypeError) as raised:
            app.test_client().get("/")
        messages.append(str(raised.value))
    assert messages[0] == messages[1]


def test_a_late_change_warns_and_a_late_flash_does_not(make: Make) -> None:
    app = make()

    @app.get("/")
    def view() -> str:
        session["n"] = 1
        flash("hello")
        return ""

    with app.test_client() as client:
        client.get("/")
        assert get_flashed_messages() == ["hello"]
        with pytest.warns(LateChangeWarning):
            session["n"] = 2


def test_a_stream_reads_the_session(make: Make) -> None:
    app = make()

    @app.get("/set")
    def set_() -> str:
        session["n"] = 5
        return ""

    @app.get("/stream")
    def stream() -> Any:
        return app.response_class(stream_with_context(str(session["n"]) for _ in range(3)))

    client = app.test_client()
    client.get("/set")
    assert client.get("/stream").data == b"555"


def test_a_response_that_replaces_the_first_one_carries_the_cookie(make: Make) -> None:
    """Flask finishes the response again if a signal's receiver fails after the session was saved."""
    from flask import request_finished

    app = make(TESTING=False, PROPAGATE_EXCEPTIONS=False)

    @app.get("/")
    def view() -> str:
        session["n"] = 1
        return ""

    fails = [True]

    def receiver(sender: Any, response: Any) -> None:
        if fails.pop():
            raise RuntimeError

    with request_finished.connected_to(receiver, app):
        fails.insert(0, False)
        answer = app.test_client().get("/")
    assert answer.status_code == 500
    assert answer.headers["Set-Cookie"].startswith("session=")


def test_headers_of_a_subclass_are_changed_by_its_methods(make: Make, plain: Make) -> None:
    """Werkzeug's own `Headers` are changed without its methods, and end up the same."""
    added: list[str] = []

    class Noted(Headers):
        def add(self, key: Any, value: Any = None, /, **options: Any) -> None:
            added.append(key)
            super().add(key, value, **options)

    def answer(app: Flask, headers: Headers) -> list[tuple[str, str]]:
        @app.get("/")
        def view() -> Response:
            session["n"] = session.get("n", 0) + 1
            response = Response("")
            response.headers = headers
            return response

        got = app.test_client().get("/").headers
        return [(name, value.split("=")[0]) for name, value in got if name in ("Vary", "Set-Cookie", "X-Own")]

    lines = [("Vary", "Accept"), ("X-Own", "é"), ("Set-Cookie", "theirs=1")]
    expected = answer(plain(), Headers(lines))
    assert sorted(answer(make(), Headers(lines))) == sorted(expected)
    assert added == []
    noted = Noted(lines)
    added.clear()
    assert sorted(answer(make(), noted)) == sorted(expected)
    assert {"Set-Cookie", "Vary"} <= set(added)


def test_what_only_a_store_can_do_says_so(make: Make) -> None:
    app = make()
    with app.test_request_context():
        current: Any = session._get_current_object()  # type: ignore[attr-defined]
        with pytest.raises(Unsupported):
            current.take_once("state")
        with pytest.raises(Unsupported):
            current.update_now("n", lambda n: 1)
        current.log_in("ada")
        assert current["_user_id"] == "ada"
        current.log_out()
        assert len(current) == 0
        with pytest.raises(Unsupported):
            flask_carafe.sessions_of("ada")


def test_garbage_cookies_are_an_empty_session(make: Make) -> None:
    app = make()
    seen = []
    for line in ("session=x", "session=", ";;;", "session=\u00e9\u00ff", 'session="a.b.c"', "session=a; session=b"):
        cookie_after(make(), lambda session: seen.append(dict(session)), line)
    assert seen == [{}] * 6
    assert app is not None


def test_an_extension_object_is_made_before_its_application() -> None:
    carafe = Carafe()
    app = Flask("later")
    app.secret_key = KEY
    carafe.init_app(app)
    assert isinstance(app.session_interface, flask_carafe.CarafeSessionInterface)
