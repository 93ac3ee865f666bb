"""The real libraries behind one interface, which writes and reads many session cookies at a time.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature, URLSafeTimedSerializer
from quart.sessions import SecureCookieSessionInterface as QuartSessionInterface
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse

import asgi
import environments
import flask_side
import quart_side
from clock import T, stopped
from description import describe_session
from peer_process import line

Session = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """The settings that both programs share for a batch. `fallbacks` are used for reading only."""

    secret: str
    now: int
    fallbacks: tuple[str, ...] = ()
    max_age: int = flask_side.LIFETIME
    salt: str = "cookie-session"
    key_derivation: str = "hmac"
    digest: str = "sha1"

    def request(self) -> dict[str, Any]:
        """Return the settings as part of a request to the peer."""
        return asdict(self) | {"fallbacks": list(self.fallbacks)}

    def is_plain(self) -> bool:
        """Return whether everything except keys and times is Flask's default."""
        return (self.salt, self.key_derivation, self.digest) == ("cookie-session", "hmac", "sha1")

    def smaller(self) -> Iterator[Setting]:
        """Yield simpler settings, for shrinking a failure."""
        plain = Setting("a plain secret key", T, salt=self.salt, key_derivation=self.key_derivation, digest=self.digest)
        yield from (simpler for simpler in (Setting(plain.secret, T), plain) if simpler != self)


class Backend(Protocol):
    """A library. `write` returns cookies; `read` describes sessions, None for a rejected cookie."""

    name: str
    format: str
    tags: bool
    """Whether the library supports more types than JSON."""
    settable: bool
    """Whether salt, derivation and digest are configurable."""

    def write(self, sessions: list[Session], setting: Setting) -> list[str]: ...
    def read(self, cookies: list[str], setting: Setting) -> list[Any]: ...
    def payload(self, cookie: str) -> str: ...


class Flask:
    """The installed Flask: its session interface, and some batches through HTTP."""

    name, format, tags, settable = "Flask", "flask", True, True
    BATCHES_PER_HTTP_REQUEST = 10

    def __init__(self) -> None:
        self._application = flask_side.Application()
        self._batches = 0

    def write(self, sessions: list[Session], setting: Setting) -> list[str]:
        serializer = self._serializer(setting)
        with self._application.flask.app_context(), stopped(setting.now):
            cookies = [serializer.dumps(session) for session in sessions]
        self._batches += 1
        if setting.is_plain() and self._batches % self.BATCHES_PER_HTTP_REQUEST == 1:
            answer = self._application.write(sessions[0], setting.now)
            expect_in_header(cookies[0], answer.set_cookie)
        return cookies

    def read(self, cookies: list[str], setting: Setting) -> list[Any]:
        serializer = self._serializer(setting)
        with self._application.flask.app_context(), stopped(setting.now):
            return [loaded(serializer, cookie, setting.max_age) for cookie in cookies]

    def payload(self, cookie: str) -> str:
        return flask_side.payload_of(cookie)

    def _serializer(self, setting: Setting) -> URLSafeTimedSerializer:
        self._application.configure(setting.secret, list(setting.fallbacks), setting.max_age)
        interface = with_settings(SecureCookieSessionInterface(), setting)
        return interface.get_signing_serializer(self._application.flask)  # type: ignore[no-any-return]


def expect_in_header(cookie: str, header: str | None) -> None:
    """Check that the library's cookie over HTTP equals its serializer's."""
    if header is None or flask_side.value_of(header) != cookie:
        raise AssertionError(f"over HTTP it is {header!r} instead of {cookie!r}")


def with_settings(interface: Any, setting: Setting) -> Any:
    """Apply the settings to a session interface, as an application's subclass would."""
    interface.salt = setting.salt
    interface.key_derivation = setting.key_derivation
    interface.digest_method = getattr(hashlib, setting.digest)
    return interface


def loaded(serializer: URLSafeTimedSerializer, cookie: str, max_age: int) -> Any:
    try:
        return describe_session(dict(serializer.loads(cookie, max_age=max_age)))
    except BadSignature:
        return None


class OldFlask:
    """The oldest supported Flask, as a worker in its own environment."""

    name, format, tags, settable = "Flask 2.2.5", "flask", True, False

    def __init__(self) -> None:
        command = [environments.python(environments.OLDEST), environments.HERE / "old_flask.py"]
        self._worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def write(self, sessions: list[Session], setting: Setting) -> list[str]:
        return self._ask({"write": [describe_session(session) for session in sessions]}, setting)

    def read(self, cookies: list[str], setting: Setting) -> list[Any]:
        return self._ask({"read": cookies}, setting)

    def payload(self, cookie: str) -> str:
        return flask_side.payload_of(cookie)

    def _ask(self, what: dict[str, Any], setting: Setting) -> list[Any]:
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        self._worker.stdin.write(line(what | {"secret": setting.secret, "now": setting.now, "max_age": setting.max_age}).encode())
        self._worker.stdin.flush()
        answers: list[Any] = json.loads(self._worker.stdout.readline())
        return answers


class Quart:
    """The installed Quart: Flask's serializer without a Flask application, so keys are not sorted."""

    name, format, tags, settable = "Quart", "quart", True, False

    def __init__(self) -> None:
        self._application = quart_side.Application()

    def write(self, sessions: list[Session], setting: Setting) -> list[str]:
        serializer = self._serializer(setting)
        with stopped(setting.now):
            cookies = [serializer.dumps(session) for session in sessions]
        expect_in_header(cookies[0], self._application.visit(new=sessions[0], now=setting.now).header("set-cookie"))
        return cookies

    def read(self, cookies: list[str], setting: Setting) -> list[Any]:
        serializer = self._serializer(setting)
        with stopped(setting.now):
            return [loaded(serializer, cookie, setting.max_age) for cookie in cookies]

    def payload(self, cookie: str) -> str:
        return flask_side.payload_of(cookie)

    def _serializer(self, setting: Setting) -> URLSafeTimedSerializer:
        self._application.configure(setting.secret, list(setting.fallbacks), setting.max_age)
        return QuartSessionInterface().get_signing_serializer(self._application.quart)  # type: ignore[return-value]


class Starlette:
    """Starlette's middleware, with a request for every session."""

    name, format, tags, settable = "Starlette", "starlette", False, False

    def __init__(self) -> None:
        self._new: Session | None = None
        self._seen: Any = None

    async def _endpoint(self, scope: Any, receive: Any, send: Any) -> None:
        session = StarletteRequest(scope).session
        if self._new is not None:
            session.update(self._new)
        else:
            self._seen = describe_session(dict(session)) if session else None
        await StarletteResponse()(scope, receive, send)

    def write(self, sessions: list[Session], setting: Setting) -> list[str]:
        with stopped(setting.now):
            return asyncio.run(self._write(sessions, setting))

    def read(self, cookies: list[str], setting: Setting) -> list[Any]:
        with stopped(setting.now):
            return asyncio.run(self._read(cookies, setting))

    async def _write(self, sessions: list[Session], setting: Setting) -> list[str]:
        middleware = SessionMiddleware(self._endpoint, setting.secret, max_age=setting.max_age)
        cookies = []
        for self._new in sessions:
            answer = await asgi.get(middleware, None)
            cookies.append((answer.header("set-cookie") or "").partition(";")[0].partition("=")[2])
        return cookies

    async def _read(self, cookies: list[str], setting: Setting) -> list[Any]:
        middleware = SessionMiddleware(self._endpoint, setting.secret, max_age=setting.max_age)
        self._new, seen = None, []
        for cookie in cookies:
            self._seen = None
            await asgi.get(middleware, f"session={cookie}")
            seen.append(self._seen)
        return seen

    def payload(self, cookie: str) -> str:
        return base64.b64decode(cookie.rsplit(".", 2)[0]).decode()
