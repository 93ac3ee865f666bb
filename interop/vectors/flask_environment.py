"""Flask's configuration from `FLASK_…` variables, and the resulting session cookies."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from flask import Flask, session
from werkzeug.test import Client

from clock import T, stopped
from flask_side import SECRET

SWITCHES = ("SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_PARTITIONED", "SESSION_REFRESH_EACH_REQUEST")
SWITCH_VALUES = ("true", "false", "True", "False", "1", "0", "yes", "", "null", '"true"', " true ", "on", "1.0", "[]")


def rows() -> Iterator[dict[str, Any]]:
    for number, env in enumerate(environments_to_try()):
        yield {"id": f"E{number + 1:03}", "env": env} | outcome(env)


def outcome(env: dict[str, str]) -> dict[str, Any]:
    """Return the configuration keys that the variables set, and a response's status and cookie."""
    app = Flask("interop")
    app.config["SECRET_KEY"] = SECRET
    before = dict(app.config)
    with patch.dict(os.environ, env, clear=True):
        app.config.from_prefixed_env()
    names = {name.removeprefix("FLASK_").partition("__")[0] for name in env if name.startswith("FLASK_")}
    config = {name: app.config[name] for name in app.config if name in names or app.config[name] != before.get(name)}
    return {"config": config, "now": T} | first_session(app)


def first_session(app: Flask) -> dict[str, Any]:
    def view() -> str:
        session.permanent = True
        return ""

    app.add_url_rule("/", view_func=view)
    app.logger.disabled = True
    with stopped(T), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "cookie is too large", one of the MAX_COOKIE_SIZE traps
        response = Client(app, use_cookies=False).get("/")
    return {"status": response.status_code, "set_cookie": response.headers.get("Set-Cookie")}


def environments_to_try() -> Iterator[dict[str, str]]:
    yield {}
    for key in SWITCHES:
        for value in SWITCH_VALUES:
            yield {f"FLASK_{key}": value}
    for key, values in VALUES.items():
        for value in values:
            yield {f"FLASK_{key}": value}
    yield from COMBINATIONS


VALUES = {
    "SECRET_KEY": (
        "plain",
        "1234",
        "007",
        "0x10",
        "1e3",
        '"quoted"',
        "true",
        "null",
        "",
        "[1]",
        "123456789012345678901234567890",
        "clé",
    ),
    "SECRET_KEY_FALLBACKS": ("oldkey", '["a","b"]', "a,b", '"a"', "[]", '[""]', "", "null", "1234", '{"a":1}', "['a']"),
    "SESSION_COOKIE_NAME": ("sid", "1234", '"sid"', "", "null", "__Host-sid", "a b", "true"),
    "SESSION_COOKIE_DOMAIN": ("example.com", ".example.com", "", "null", "false", "False", "None", "127.0.0.1", "1.5"),
    "SESSION_COOKIE_PATH": ("/app", "", "null", "app", '"/app"', "/a b"),
    "SESSION_COOKIE_SAMESITE": ("Lax", "lax", "strict", "None", "none", "null", "", "bogus", "false", '"Lax"'),
    "PERMANENT_SESSION_LIFETIME": ("3600", "0", "-1", "59.9", "1e3", '"3600"', "1h", "null", "", "true", "31 days"),
    "MAX_COOKIE_SIZE": ("0", "4093", "-1", "big", "null"),
    "APPLICATION_ROOT": ("/app", "", "null", "/"),
    "SERVER_NAME": ("example.com", "example.com:5000", "null"),
}
COMBINATIONS: tuple[dict[str, str], ...] = (
    {"FLASK_SESSION_COOKIE_PATH": "null", "FLASK_APPLICATION_ROOT": ""},
    {"FLASK_SESSION_COOKIE_PATH": "/a", "FLASK_APPLICATION_ROOT": "/b"},
    {"FLASK_SESSION_COOKIE_SAMESITE": "None", "FLASK_SESSION_COOKIE_SECURE": "true"},
    {"FLASK_SESSION_COOKIE_SECURE": "false", "FLASK_SESSION_COOKIE_PARTITIONED": "true"},
    {"FLASK_SECRET_KEY": "new", "FLASK_SECRET_KEY_FALLBACKS": '["old"]'},
    {"FLASK_SESSION_COOKIE_NAME": "sid", "FLASK_SESSION_COOKIE_HTTPONLY": "false", "FLASK_PERMANENT_SESSION_LIFETIME": "60"},
    {"SECRET_KEY": "without the prefix"},
    {"flask_secret_key": "lower case"},
    {"FLASK_secret_key": "half lower case"},
    {"FLASK_": "no name"},
    {"FLASK_A__B__C": "1", "FLASK_A__B__D": "x"},
    {"FLASK_A__B": "1", "FLASK_A": '{"C": 2}'},
    {"FLASK_SESSION_COOKIE_SECURE ": "true"},
    {"FLASK_TESTING": "true", "FLASK_DEBUG": "1"},
)
