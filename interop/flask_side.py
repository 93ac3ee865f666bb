"""Real Flask as a writer and reader of session cookies, through its own test client."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import Any

from flask import Flask, session
from itsdangerous import Signer, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.url_safe import URLSafeSerializerMixin
from werkzeug.test import EnvironBuilder

from clock import T, stopped

SECRET = "flask-spec-secret"
LIFETIME = 2_678_400
PREFIX = "session="


@dataclass(frozen=True)
class Answer:
    """The result of a request to the application."""

    status: int
    session: dict[str, Any] | None
    set_cookie: str | None


class Application:
    """A Flask application with one view, which writes the next session or reads the current one."""

    def __init__(self, secret: str | bytes | None = SECRET, fallbacks: Any = None, lifetime: float = LIFETIME, **config: Any):
        self.flask = Flask("interop")
        self.configure(secret, fallbacks, lifetime, MAX_COOKIE_SIZE=0, **config)
        self.flask.add_url_rule("/", view_func=self._view)
        self.flask.logger.setLevel(logging.CRITICAL + 1)
        self._client = self.flask.test_client(use_cookies=False)
        self._next: dict[Any, Any] | None = None
        self._seen: dict[str, Any] | None = None

    def configure(self, secret: str | bytes | None, fallbacks: Any, lifetime: float, **config: Any) -> None:
        self.flask.config.update(SECRET_KEY=secret, SECRET_KEY_FALLBACKS=fallbacks, PERMANENT_SESSION_LIFETIME=lifetime, **config)

    def _view(self) -> str:
        if self._next is not None:
            session.update(self._next)
        self._seen = dict(session)
        return ""

    def write(self, new: dict[Any, Any], now: float = T, header: str | None = None) -> Answer:
        """Send a request with a view that updates the session with `new`."""
        self._next = new
        return self._visit(header, now)

    def read(self, header: str | None, now: float = T) -> Answer:
        """Send a request with this `Cookie` header and a view that reads the session."""
        self._next = None
        return self._visit(header, now)

    def _visit(self, header: str | None, now: float) -> Answer:
        self._seen = None
        with stopped(now):
            response = self._client.get("/", headers={"Cookie": header} if header is not None else {})
        return Answer(response.status_code, self._seen, response.headers.get("Set-Cookie"))

    def why(self, header: str, now: float = T) -> str | None:
        """Return the exception behind the result of `read`, as `module.Class: text`."""
        serializer = self.flask.session_interface.get_signing_serializer(self.flask)  # type: ignore[attr-defined]
        max_age = int(self.flask.permanent_session_lifetime.total_seconds())
        with self.flask.app_context(), stopped(now):
            try:
                self.flask.session_interface.session_class(serializer.loads(self.value(header), max_age=max_age))  # type: ignore[attr-defined]
            except Exception as error:  # every kind of failure is a result
                return error_text(error)
        return None

    def value(self, header: str) -> str:
        """Return the value of the session cookie that Flask takes from this header."""
        return self.flask.request_class(EnvironBuilder(headers=[("Cookie", header)]).get_environ()).cookies.get("session", "")


def error_text(error: BaseException) -> str:
    module = type(error).__module__.split(".")[0]
    name = type(error).__name__ if module == "builtins" else f"{module}.{type(error).__name__}"
    original = getattr(error, "original_error", None)
    return f"{name}: {error}" + (f" [orig {type(original).__name__}: {original}]" if original else "")


def value_of(set_cookie: str) -> str:
    """Return the session's value in a `Set-Cookie` header of Flask (never quoted)."""
    return set_cookie.partition(";")[0].removeprefix(PREFIX)


class Verbatim:
    """A serializer that passes JSON text, or bytes that are not JSON, through unchanged."""

    @staticmethod
    def dumps(value: Any, **_: Any) -> Any:
        return value

    @staticmethod
    def loads(value: str | bytes, **_: Any) -> str:
        return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


def payload_of(cookie: str) -> str:
    """Return the JSON text inside, without verifying the signature."""
    body = cookie.rsplit(".", 2)[0]
    return str(URLSafeSerializerMixin("unused", serializer=Verbatim()).load_payload(body.encode()))


def is_compressed(cookie: str) -> bool:
    return cookie.startswith(".")


def sign_text(text: str | bytes, now: float = T, secret: Any = SECRET, salt: str = "cookie-session") -> str:
    """Return a cookie with this payload, signed as Flask signs it."""
    with stopped(now):
        return str(text_serializer(secret, salt).dumps(text), "ascii")


def text_serializer(secret: Any, salt: str = "cookie-session") -> Any:
    """Return a serializer that signs like Flask, but accepts the payload as text and returns bytes.
    """
    signer = {"key_derivation": "hmac", "digest_method": hashlib.sha1}
    return URLSafeTimedSerializer(secret, salt=salt, serializer=Verbatim(), signer_kwargs=signer)


def sign_body(body: str | bytes, now: float = T, **settings: Any) -> str:
    """Return a cookie with this body before the timestamp, encoded or not."""
    with stopped(now):
        return TimestampSigner(**signer_settings(settings)).sign(body).decode()


def sign_value(value: str | bytes, **settings: Any) -> str:
    """Sign this text, which should contain a timestamp."""
    return Signer(**signer_settings(settings)).sign(value).decode()


def signer_settings(changes: dict[str, Any]) -> dict[str, Any]:
    settings = {"secret_key": SECRET, "salt": "cookie-session", "key_derivation": "hmac", "digest_method": hashlib.sha1}
    return settings | changes
