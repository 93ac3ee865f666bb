"""A pytest plugin for the suites of other projects: it activates flask-carafe and reports outcomes.

| variable | meaning |
|---|---|
| `CARAFE_REPORT` | the file for the outcomes, as JSON |
| `CARAFE_BREAK` | a deliberate breakage, which the suites must notice |
| `CARAFE_MIDDLEWARE` | whether `CarafeMiddleware` takes the place of Starlette's `SessionMiddleware` |
| `FLASK_CARAFE_STORE`, … | the settings of every application |
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

import itsdangerous
import pytest

import flask_carafe
import flask_carafe.itsdangerous as ours
from flask_carafe import _native

OUTCOMES: dict[str, str] = {}
USED = {"sessions": 0, "signatures": 0}
NAMES = ("Signer", "TimestampSigner", "Serializer", "TimedSerializer", "URLSafeSerializer", "URLSafeTimedSerializer")


def activate() -> None:
    flask_carafe.activate()
    for name in NAMES:
        theirs, replacement = getattr(itsdangerous, name), getattr(ours, name)
        setattr(itsdangerous, name, replacement)
        for module in (itsdangerous.signer, itsdangerous.serializer, itsdangerous.timed, itsdangerous.url_safe):
            if getattr(module, name, None) is theirs:
                setattr(module, name, replacement)


def activate_starlette() -> None:
    """Put `CarafeMiddleware` in the place of Starlette's, and let JSON take a session.

    Starlette's session is a `dict` and its tests put it into JSON. Ours is another mapping, of which an
    application says `dict(request.session)`.
    """
    from starlette.middleware import sessions

    from flask_carafe.asgi import CarafeMiddleware

    class Middleware(CarafeMiddleware):
        def __init__(self, app: Any, **arguments: Any) -> None:
            super().__init__(app, store=os.environ.get("FLASK_CARAFE_STORE"), **arguments)

    def default(self: json.JSONEncoder, value: Any) -> Any:
        return dict(value) if isinstance(value, flask_carafe.Session) else plain(self, value)

    plain = json.JSONEncoder.default
    json.JSONEncoder.default = default  # type: ignore[method-assign]
    sessions.SessionMiddleware = Middleware  # type: ignore[assignment, misc]


def count() -> None:
    finish, sign = flask_carafe.Session.finish, ours.MacSigner

    def counted(self: Any, status: int, headers: Any) -> None:
        USED["sessions"] += 1
        finish(self, status, headers)

    class Counted:
        def __init__(self, *args: Any) -> None:
            self._signer = sign(*args)

        def sign(self, value: bytes) -> bytes:
            USED["signatures"] += 1
            return self._signer.sign(value)

        def unsign(self, signed: bytes) -> bytes | None:
            USED["signatures"] += 1
            if BREAK == "accept":
                return signed
            return self._signer.unsign(signed)

    flask_carafe.Session.finish = counted  # type: ignore[method-assign]
    ours.MacSigner = Counted  # type: ignore[misc, assignment]


def broken(kind: str | None) -> None:
    """Break the extension in one way, to see that the suites notice."""
    session: Any = flask_carafe.Session
    if kind == "forget":
        session.finish = lambda self, status, headers: None
    elif kind == "no-vary":
        finish = session.finish

        def without(self: Any, status: int, headers: Any) -> None:
            finish(self, status, headers)
            headers.remove("Vary")

        session.finish = without
    elif kind == "stale":
        session.__setitem__ = lambda self, key, value: _native.SessionBase.__setitem__(self, key, str(value))


BREAK = os.environ.get("CARAFE_BREAK")
activate()
if os.environ.get("CARAFE_MIDDLEWARE"):
    activate_starlette()
count()
broken(BREAK)


def pytest_configure(config: pytest.Config) -> None:
    # The applications of the suites have keys such as "test key".
    warnings.filterwarnings("ignore", category=flask_carafe.WeakKeyWarning)
    config.addinivalue_line("filterwarnings", "ignore::flask_carafe.errors.WeakKeyWarning")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.outcome != "passed":
        known = OUTCOMES.get(report.nodeid)
        OUTCOMES[report.nodeid] = "failed" if "failed" in (known, report.outcome) else report.outcome


def pytest_sessionfinish() -> None:
    report = {"outcomes": OUTCOMES, "used": USED}
    Path(os.environ["CARAFE_REPORT"]).write_text(json.dumps(report), encoding="utf-8")
