"""The exceptions of flask-carafe. All of them are `CarafeError`.

An exception that says how a request fails is also an `HTTPException` of Werkzeug, so that Flask
answers with its status. The message is for logs; the response never shows it.
"""

from __future__ import annotations

from typing import Any

import itsdangerous
from werkzeug.exceptions import Conflict, InternalServerError, ServiceUnavailable

__all__ = [
    "AlreadySent",
    "BadSignature",
    "CarafeError",
    "CommitError",
    "ConfigError",
    "DecodeError",
    "EncodeError",
    "InternalError",
    "LateChangeWarning",
    "SessionConflict",
    "SessionError",
    "SessionGone",
    "SessionTooLarge",
    "SignatureExpired",
    "StoreCorrupt",
    "StoreError",
    "StoreTimeout",
    "StoreUnavailable",
    "TooManySessions",
    "Unsupported",
    "WeakKeyError",
    "WeakKeyWarning",
]


class CarafeError(Exception):
    """The base of all exceptions of flask-carafe."""

    replacement_status: int | None = None
    """The status of the response that replaces the handler's, if saving the session has failed."""
    replacement_headers: list[tuple[str, str]] = []
    """The headers of that response."""


class _Answered(CarafeError):
    """An exception with a response of its own, which says nothing of the message."""

    def __init__(self, message: str = "", *args: Any) -> None:
        super().__init__(*args)
        self.message = message

    def __str__(self) -> str:
        return self.message


class WeakKeyWarning(UserWarning):
    """A secret key that an attacker can guess or look up."""


class LateChangeWarning(UserWarning):
    """A session in a cookie was changed after its response was sent, so the change is lost."""


class ConfigError(CarafeError, ValueError):
    """A setting is missing or wrong. The message names the setting and a valid alternative."""


class WeakKeyError(ConfigError):
    """A secret key can be guessed, and `CARAFE_STRICT_KEYS` is set."""


class InternalError(CarafeError, RuntimeError):
    """The engine has a defect."""


class SessionError(CarafeError):
    """An operation on a session has failed."""


class EncodeError(SessionError, TypeError):
    """A value cannot be stored."""


class DecodeError(SessionError, ValueError):
    """A stored value cannot be read."""


class AlreadySent(SessionError, RuntimeError):
    """The session was changed after its response was sent, so the change would be lost."""


class SessionGone(_Answered, SessionError, Conflict):
    """The session has expired or was revoked."""


class Unsupported(SessionError, RuntimeError):
    """Only a session in a store can do this, or the store cannot."""


class StoreError(_Answered, SessionError, InternalServerError):
    """The store has failed."""


class StoreUnavailable(_Answered, SessionError, ServiceUnavailable):
    """The store does not answer or is full."""


class StoreTimeout(StoreUnavailable):
    """The store did not respond within its deadline."""


class StoreCorrupt(StoreUnavailable):
    """A record cannot be read."""


class CommitError(_Answered, SessionError, InternalServerError):
    """The session was not saved, so the handler's response is not sent."""


class SessionTooLarge(CommitError):
    """The session exceeds a limit, such as the 4096 bytes that browsers accept of a cookie."""


class SessionConflict(_Answered, SessionError, Conflict):
    """Another request has revoked the session or given it a new ID."""


class TooManySessions(SessionConflict):
    """The user has reached the limit of sessions."""


class BadSignature(CarafeError, itsdangerous.BadSignature):
    """A signature does not match."""


class SignatureExpired(BadSignature, itsdangerous.SignatureExpired):
    """A signature is too old."""
