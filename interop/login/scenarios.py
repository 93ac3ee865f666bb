"""Logins across a Flask application with Flask-Login and Carafe; prints one line per problem.

    python -m login.scenarios PROGRAM
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import flask
import flask_login
from markupsafe import Markup

from login.ours import TAGGER, Ours, Step

SECRET = "flask-spec-secret"
LIFETIME = 3600
AGENT = 'Mozilla/5.0 (it\'s \\ "quoted"; é)'
ODD_MESSAGES: list[Any] = ["text", Markup("<b>"), ("a", 1), 5, 1.5, None, True, ["x"], {"k": b"\xff"}, "\ud800"]


class User(flask_login.UserMixin):
    def __init__(self, name: str):
        self.id = name


def application(protection: str | None, permanent: bool) -> flask.Flask:
    app = flask.Flask("login")
    app.config.update(SECRET_KEY=SECRET, PERMANENT_SESSION_LIFETIME=LIFETIME, SESSION_PROTECTION=protection)
    manager = flask_login.LoginManager(app)
    manager.user_loader(User)

    @app.route("/login/<name>")
    def login(name: str) -> str:
        flask.session.permanent = permanent
        flask_login.login_user(User(name), remember="remember" in flask.request.args)
        return ""

    @app.route("/logout")
    def logout() -> str:
        flask_login.logout_user()
        return ""

    @app.route("/me")
    def me() -> dict[str, Any]:
        user = flask_login.current_user
        return {"user": user.get_id(), "fresh": user.is_authenticated and flask_login.login_fresh()}

    @app.route("/flash")
    def flash() -> str:
        for message in ODD_MESSAGES:
            flask.flash(message, "info")
        flask.session["_flashes"].append("no pair")
        return ""

    @app.route("/flashes")
    def flashes() -> dict[str, Any]:
        return {"flashes": repr(flask.get_flashed_messages(with_categories=True))}

    return app


@dataclass
class Browser:
    """A cookie jar, and both applications. The browser sends a header of its proxy, or none."""

    app: flask.Flask
    ours: Ours
    forwarded_for: str | None
    jar: dict[str, str] = field(default_factory=dict)

    def flask(self, path: str) -> Any:
        headers = {"User-Agent": AGENT}
        if self.jar:
            headers["Cookie"] = self.cookie()
        if self.forwarded_for is not None:
            headers["X-Forwarded-For"] = self.forwarded_for
        answer = self.app.test_client(use_cookies=False).get(path, headers=headers)
        assert answer.status_code == 200, (path, answer.status)
        self.keep(answer.headers.getlist("Set-Cookie"))
        return answer.json

    def carafe(self, *steps: Step) -> dict[str, Any]:
        client = {"peer": "127.0.0.1", "forwarded_for": self.forwarded_for, "user_agent": AGENT}
        seen, set_cookies = self.ours.visit(self.cookie(), *steps, client=client)
        self.keep(set_cookies)
        return {key: TAGGER.loads(text) for key, text in seen.items()}

    def user(self) -> str | None:
        return self.carafe().get("_user_id")

    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.jar.items())

    def keep(self, set_cookies: list[str]) -> None:
        for header in set_cookies:
            name, _, value = header.partition(";")[0].partition("=")
            if "Max-Age=0" in header:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value


def scenarios(browser: Browser) -> Iterator[tuple[str, Any, Any]]:
    """Yield the name of a check, the actual result, and the expected one."""
    nobody = {"user": None, "fresh": False}

    def fresh(name: str) -> dict[str, Any]:
        return {"user": name, "fresh": True}

    def start(*paths: str) -> None:
        browser.jar.clear()
        for path in paths:
            browser.flask(path)

    start()
    browser.carafe({"set": ["cart", "[1]"]})
    browser.carafe({"login": "alice"})
    for visit in range(3):
        yield f"Flask's page {visit} after a log-in in Carafe", browser.flask("/me"), fresh("alice")
    yield "the user in Carafe after that", browser.user(), "alice"
    browser.carafe({"login": "bob"})
    yield "Flask's page after a log-in of another user in Carafe", browser.flask("/me"), fresh("bob")
    browser.flask("/logout")
    yield "Carafe after a log-out in Flask", browser.user(), None

    start("/login/alice?remember=1")
    yield "the user in Carafe after a log-in in Flask", browser.user(), "alice"
    yield "whether the browser is remembered", "remember_token" in browser.jar, True
    browser.carafe("logout")
    for visit in range(3):
        yield f"Flask's page {visit} after a log-out in Carafe", browser.flask("/me"), nobody
        yield "Carafe after it", browser.user(), None
    yield "the cookies after it", "remember_token" in browser.jar, False

    start("/login/alice?remember=1")
    del browser.jar["session"]
    browser.carafe("logout")
    yield "Flask's page after a log-out in Carafe without a session", browser.flask("/me"), nobody

    start("/login/alice?remember=1")
    del browser.jar["session"]
    yield "Flask's page of a remembered user", browser.flask("/me"), {"user": "alice", "fresh": False}
    yield "Carafe's page of one", browser.user(), "alice"
    browser.carafe({"login": "alice"})
    yield "Flask's page after a new log-in in Carafe", browser.flask("/me"), fresh("alice")
    browser.carafe("logout", {"login": "bob"})
    yield "Flask's page after a change of the user in Carafe", browser.flask("/me"), fresh("bob")
    browser.flask("/logout")
    yield "Flask's page after a log-out in Flask", browser.flask("/me"), nobody

    start("/flash")
    browser.carafe({"flashes": "taken"})
    seen = browser.carafe()
    yield (
        "the messages in Carafe",
        repr(seen["taken"]),
        repr([*(["info", message] for message in ODD_MESSAGES), ["message", "no pair"]]),
    )
    yield "Flask's messages after that", browser.flask("/flashes"), {"flashes": "[]"}
    for message in ODD_MESSAGES:
        browser.carafe({"flash": ["info", TAGGER.dumps(message)]})
    yield "the messages in Flask", browser.flask("/flashes"), {"flashes": repr([("info", message) for message in ODD_MESSAGES])}


def main() -> None:
    ours = Ours(Path(sys.argv[1]), SECRET, LIFETIME)
    looks, problems = 0, []
    for protection, permanent, proxied in product((None, "basic", "strong"), (False, True), (None, "203.0.113.9, 10.0.0.1")):
        browser = Browser(application(protection, permanent), ours, proxied)
        for what, found, wanted in scenarios(browser):
            looks += 1
            if found != wanted:
                problems.append(f"{what}, {protection=}, {permanent=}, {proxied=}: {found!r} instead of {wanted!r}")
    ours.close()
    print(json.dumps({"looks": looks, "problems": problems}))


if __name__ == "__main__":
    main()
