"""Flask sessions on Carafe's engine.

>>> from flask import Flask
>>> from flask_carafe import Carafe
>>> app = Flask(__name__)
>>> app.secret_key = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1"
>>> carafe = Carafe(app)

The same keys, the same settings and the same cookie as Flask's own sessions. With `CARAFE_STORE`, the
state is in a store and the cookie holds an id.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from flask import Flask, current_app

from . import _native, errors
from ._config import EXTENSION
from ._interface import CarafeSessionInterface
from ._session import Session
from .errors import (
    AlreadySent,
    BadSignature,
    CarafeError,
    CommitError,
    ConfigError,
    LateChangeWarning,
    SessionConflict,
    SessionError,
    SessionGone,
    SessionTooLarge,
    SignatureExpired,
    StoreError,
    StoreUnavailable,
    TooManySessions,
    Unsupported,
    WeakKeyError,
    WeakKeyWarning,
)

if TYPE_CHECKING:
    from ._native import Engine

__version__ = "0.1.0"
__all__ = [
    "AlreadySent",
    "BadSignature",
    "Carafe",
    "CarafeError",
    "CarafeSessionInterface",
    "CommitError",
    "ConfigError",
    "LateChangeWarning",
    "Session",
    "SessionConflict",
    "SessionError",
    "SessionGone",
    "SessionInfo",
    "SessionTooLarge",
    "SignatureExpired",
    "StoreError",
    "StoreUnavailable",
    "TooManySessions",
    "Unsupported",
    "WeakKeyError",
    "WeakKeyWarning",
    "activate",
    "errors",
    "revoke",
    "sessions_of",
]

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_native.after_fork)


class Carafe:
    """Replaces the sessions of a Flask application. Nothing else of the application changes."""

    def __init__(self, app: Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Replace the sessions of `app`. Settings may be set before or after this."""
        app.extensions.pop(EXTENSION, None)
        app.session_interface = CarafeSessionInterface()


def activate() -> None:
    """Replace the sessions of every Flask application that does not set an interface of its own."""
    if not isinstance(Flask.session_interface, CarafeSessionInterface):
        Flask.session_interface = CarafeSessionInterface()


@dataclass(frozen=True)
class SessionInfo:
    """A session in a list of a user's sessions."""

    public_id: str
    user: str | None
    device: str | None
    created: datetime
    last_seen: datetime
    expires: datetime
    authenticated: datetime | None


def sessions_of(user: str, app: Flask | None = None) -> list[SessionInfo]:
    """Return the live sessions of a user, newest id first.

    Raises:
        Unsupported: the sessions are in cookies, or the store cannot list those of a user.
        StoreError: the store has failed.
    """
    return [_info(row) for row in _native.sessions_of(_engine(app), user)]


def revoke(user: str, *, only: str | None = None, all_but: str | None = None, app: Flask | None = None) -> int:
    """Revoke the sessions of a user and return their number.

    `only` and `all_but` are public ids. None of the sessions is accepted once this returns.

    Raises:
        Unsupported: the sessions are in cookies, or the store cannot list those of a user.
        StoreError: the store has failed; another call revokes the rest.
        ValueError: the text is no public id.
    """
    return _native.revoke(_engine(app), user, only, all_but)


def _engine(app: Flask | None) -> Engine:
    found: Flask = current_app._get_current_object() if app is None else app  # type: ignore[attr-defined]
    interface = found.session_interface
    engine = interface.engine_of(found) if isinstance(interface, CarafeSessionInterface) else None
    if engine is None:
        raise ConfigError("the application has no sessions of flask-carafe; call Carafe(app), and set SECRET_KEY")
    return engine


def _info(row: _native.Listed) -> SessionInfo:
    public_id, user, device, *times, authenticated = row
    created, last_seen, expires = (datetime.fromtimestamp(time, timezone.utc) for time in times)
    since = None if authenticated is None else datetime.fromtimestamp(authenticated, timezone.utc)
    return SessionInfo(public_id, user, device, created, last_seen, expires, since)
