"""Sessions in a store: nothing is lost, and a log-out stays a log-out."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask import Flask, request, session

import flask_carafe
from conftest import KEY, Make
from flask_carafe import ConfigError, SessionGone, StoreUnavailable, errors


@pytest.fixture(params=["memory", "sqlite", "redis", "postgres", "mariadb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of each kind of store."""
    if request.param in ("redis", "postgres", "mariadb"):
        return str(request.getfixturevalue(f"{request.param}_url"))
    return {"memory": "memory:", "sqlite": f"sqlite:{tmp_path / 'sessions.db'}"}[request.param]


@pytest.fixture
def app(make: Make, store: str) -> Flask:
    """Return an application with the verbs of a session as routes."""
    app = make(CARAFE_STORE=store, TESTING=False, PROPAGATE_EXCEPTIONS=False)

    @app.get("/set/<key>/<value>")
    def set_(key: str, value: str) -> str:
        session[key] = value
        return ""

    @app.get("/look")
    def look() -> dict[str, Any]:
        return dict(session)

    @app.get("/increment")
    def increment() -> str:
        return str(current().update_now("n", lambda n: n + 1, default=0))

    @app.get("/take/<key>")
    def take(key: str) -> str:
        return str(current().take_once(key, default="nothing"))

    @app.get("/log-in/<user>")
    def log_in(user: str) -> str:
        current().set_device(request.headers["User-Agent"])
        current().log_in(user)
        return ""

    @app.get("/flask-login/<user>")
    def flask_login(user: str) -> str:
        session["_user_id"] = user
        return ""

    @app.get("/log-out")
    def log_out() -> str:
        current().log_out()
        return ""

    @app.get("/renew")
    def renew() -> str:
        current().renew()
        return ""

    @app.get("/public-id")
    def public_id() -> str:
        return str(current().public_id)

    return app


def current() -> Any:
    return session._get_current_object()  # type: ignore[attr-defined]


def cookie_of(client: Any) -> str:
    cookie = client.get_cookie("session")
    assert cookie is not None
    return f"session={cookie.value}"


def look(app: Flask, cookie: str) -> Any:
    return app.test_client(use_cookies=False).get("/look", headers={"Cookie": cookie}).json


def test_two_requests_that_change_different_keys_lose_nothing(app: Flask) -> None:
    both = Barrier(2, timeout=60)

    @app.get("/together/<key>")
    def together(key: str) -> str:
        session.get("n")
        both.wait()
        session[key] = 1
        return ""

    client = app.test_client()
    client.get("/set/n/0")
    cookie = cookie_of(client)
    with ThreadPoolExecutor(2) as threads:
        paths = ["/together/a", "/together/b"]
        list(threads.map(lambda path: app.test_client(use_cookies=False).get(path, headers={"Cookie": cookie}), paths))
    assert look(app, cookie) == {"a": 1, "b": 1, "n": "0"}


def test_after_the_response_a_log_out_is_carried_out_and_a_new_id_is_refused(app: Flask) -> None:
    held: list[Any] = []

    @app.get("/hold")
    def hold() -> str:
        held.append(current())
        return ""

    client = app.test_client()
    client.get("/log-in/carol")
    client.get("/hold")
    late = held[0]
    for refused in (late.renew, lambda: late.log_in("bob")):
        with pytest.raises(errors.AlreadySent):
            refused()
    assert look(app, cookie_of(client))["_user_id"] == "carol"
    late.log_out()
    assert look(app, cookie_of(client)) == {}


def test_updates_and_takes_are_atomic(app: Flask) -> None:
    client = app.test_client()
    client.get("/set/voucher/gold")
    cookie = cookie_of(client)

    def ask(path: str) -> str:
        return app.test_client(use_cookies=False).get(path, headers={"Cookie": cookie}).text

    with ThreadPoolExecutor(10) as threads:
        told = sorted(int(text) for text in threads.map(ask, ["/increment"] * 50))
        taken = sorted(threads.map(ask, ["/take/voucher"] * 20))
    assert told == list(range(1, 51))
    assert taken == ["gold"] + ["nothing"] * 19
    assert look(app, cookie) == {"n": 50}


def test_the_first_requests_share_one_store(make: Make) -> None:
    app = make(CARAFE_STORE="memory:")

    @app.get("/set")
    def set_() -> str:
        session["n"] = 1
        return ""

    @app.get("/look")
    def look() -> dict[str, Any]:
        return dict(session)

    start = Barrier(8, timeout=60)

    def visit(_: int) -> Any:
        client = app.test_client()
        start.wait()
        client.get("/set")
        return client.get("/look").json

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(visit, range(8))) == [{"n": 1}] * 8


def test_a_log_out_stays_a_log_out(app: Flask) -> None:
    """A request that was on its way when its session ended cannot bring it back."""
    inside, ended = Barrier(2, timeout=60), Barrier(2, timeout=60)

    @app.get("/slow")
    def slow() -> str:
        session.get("n")
        inside.wait()
        ended.wait()
        session["late"] = 1
        return ""

    client = app.test_client()
    client.get("/set/n/1")
    cookie = cookie_of(client)
    with ThreadPoolExecutor(1) as threads:
        late = threads.submit(lambda: app.test_client(use_cookies=False).get("/slow", headers={"Cookie": cookie}))
        inside.wait()
        client.get("/log-out")
        ended.wait()
        answer = late.result()
    assert answer.status_code == 409
    assert "Set-Cookie" not in answer.headers
    assert client.get_cookie("session") is None
    assert look(app, cookie) == {}


@pytest.mark.parametrize("path", ["/log-in/ada", "/flask-login/ada"])
def test_a_log_in_gives_a_new_id_and_can_be_listed_and_revoked(app: Flask, path: str) -> None:
    client, other = app.test_client(), app.test_client()
    client.get("/set/cart/full")
    before = cookie_of(client)
    for visitor in (client, other):
        visitor.get(path, headers={"User-Agent": "Firefox"})
    after = cookie_of(client)
    assert before != after
    assert look(app, before) == {}
    assert look(app, after)["cart"] == "full"
    with app.app_context():
        found = flask_carafe.sessions_of("ada")
        own = client.get("/public-id").text
        assert {entry.user for entry in found} == {"ada"}
        assert len(found) == 2
        assert own in {entry.public_id for entry in found}
        assert flask_carafe.revoke("ada", all_but=own) == 1
        assert [entry.public_id for entry in flask_carafe.sessions_of("ada")] == [own]
        assert look(app, cookie_of(other)) == {}
        assert flask_carafe.revoke("ada") == 1
        with pytest.raises(ValueError, match="public id"):
            flask_carafe.revoke("ada", only="?")
    assert look(app, after) == {}


def test_a_renewal_keeps_the_content_and_ends_the_old_id(app: Flask) -> None:
    client = app.test_client()
    client.get("/set/n/1")
    before = cookie_of(client)
    client.get("/renew")
    assert cookie_of(client) != before
    assert look(app, cookie_of(client)) == {"n": "1"}
    assert look(app, before) == {}


def test_an_error_of_the_function_is_raised_and_changes_nothing(app: Flask) -> None:
    client = app.test_client()

    @app.get("/fail")
    def fail() -> str:
        with pytest.raises(ZeroDivisionError):
            current().update_now("n", lambda n: 1 / 0)
        return "raised"

    client.get("/set/n/1")
    assert client.get("/fail").text == "raised"
    assert look(app, cookie_of(client)) == {"n": "1"}


def test_a_commit_is_seen_by_others_before_the_response(app: Flask) -> None:
    client = app.test_client()
    seen = []

    @app.get("/commit")
    def commit() -> str:
        session["n"] = 2
        seen.append(look(app, request.headers["Cookie"]))
        current().commit()
        seen.append(look(app, request.headers["Cookie"]))
        return ""

    @app.get("/revoked")
    def revoked() -> str:
        assert current().is_alive()
        app.test_client(use_cookies=False).get("/log-out", headers={"Cookie": request.headers["Cookie"]})
        assert not current().is_alive()
        session["n"] = 3
        with pytest.raises(SessionGone):
            current().commit()
        return "gone"

    client.get("/set/n/1")
    client.get("/commit")
    assert seen == [{"n": "1"}, {"n": 2}]
    assert client.get("/revoked").text == "gone"


def test_values_come_back_as_they_were(app: Flask) -> None:
    value = {"t": (1, [2]), "b": b"\xff", "f": 1.5, "n": None, "é": "\U0001f377"}

    @app.get("/values")
    def values() -> str:
        session["value"] = value
        return ""

    @app.get("/compare")
    def compare() -> str:
        return str(session["value"] == value)

    client = app.test_client()
    client.get("/values")
    assert client.get("/compare").text == "True"


def test_a_store_in_trouble_is_a_503_that_leaves_the_cookie_alone(make: Make) -> None:
    app = make(CARAFE_STORE="redis://127.0.0.1:1/0", TESTING=False, PROPAGATE_EXCEPTIONS=False)

    @app.get("/read")
    def read() -> str:
        return str(session.get("n"))

    @app.get("/untouched")
    def untouched() -> str:
        return "works"

    cookie = {"Cookie": "session=" + "A" * 43}
    client = app.test_client(use_cookies=False)
    answer = client.get("/read", headers=cookie)
    assert (answer.status_code, answer.headers.get("Set-Cookie")) == (503, None)
    assert "127.0.0.1" not in answer.text
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    assert client.get("/untouched", headers=cookie).text == "works"
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = None
    with app.test_request_context(headers=cookie), pytest.raises(StoreUnavailable):
        session.get("n")


@pytest.mark.parametrize(
    "settings",
    [
        {"CARAFE_STORE": "nowhere://h"},
        {"CARAFE_STORE": "redis://h/0", "CARAFE_LAYOUT": "other"},
        {"CARAFE_STORE": "memory:", "CARAFE_IDLE_TIMEOUT": -1},
        {"CARAFE_STORE": "memory:", "CARAFE_STORE_TIMEOUT": 0},
        {"CARAFE_STORE": "memory:", "CARAFE_STORE_TIMEOUT": "soon"},
        {"CARAFE_COMPRESSION": "never"},
    ],
    ids=str,
)
def test_a_wrong_setting_is_named(make: Make, settings: dict[str, Any]) -> None:
    app = make(**settings)
    with pytest.raises(ConfigError), app.test_request_context():
        session.get("n")


def test_every_error_is_a_carafe_error() -> None:
    named = [getattr(errors, name) for name in errors.__all__]
    assert all(issubclass(error, errors.CarafeError) for error in named if not issubclass(error, Warning))


def test_the_commands_of_an_operator(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'sessions.db'}"
    (tmp_path / "app.py").write_text(
        "from flask import Flask, session\n"
        "from flask_carafe import Carafe\n"
        "app = Flask(__name__)\n"
        f"app.config.update(SECRET_KEY={KEY!r}, CARAFE_STORE={url!r})\n"
        "Carafe(app)\n"
        "@app.get('/')\n"
        "def view():\n"
        "    session.log_in('ada')\n"
        "    return ''\n"
    )

    def flask(*words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "flask", "--app", "app", "carafe", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stdout + done.stderr

    assert flask("init") == (0, "the store is ready\n")
    code = "from app import app; print(app.test_client().get('/').headers['Set-Cookie'])"
    made = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    cookie = made.stdout.split(";")[0]
    status, text = flask("inspect", cookie)
    assert status == 0, text
    assert '"_user_id": "ada"' in text
    status, text = flask("list", "ada")
    assert (status, text.splitlines()[-1]) == (0, "1 session")
    assert flask("revoke", "ada", "--only", "?")[0] == 2
    assert flask("revoke", "ada") == (0, "1 revoked\n")
    assert flask("inspect", cookie)[1] == "Error: the cookie is rejected: retired-id\n"
    assert flask("sweep")[0] == 0
