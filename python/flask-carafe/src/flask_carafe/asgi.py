"""Sessions for ASGI applications: Starlette, FastAPI and Quart.

`CarafeMiddleware` takes the place of Starlette's `SessionMiddleware`, with the same arguments and the
same cookie; with `store`, the sessions are in a store. `QuartSessionInterface` takes the place of
Quart's session interface, with Quart's settings.

    app.add_middleware(CarafeMiddleware, secret_key="…", store="redis://localhost/0")
    quart_app.session_interface = QuartSessionInterface()

A store is used on other threads, so that the event loop never waits for it.
"""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

from ._config import OURS, engine_of
from ._native import Engine
from ._session import Session
from .errors import CarafeError, ConfigError, WeakKeyWarning

__all__ = ["CarafeMiddleware", "QuartSessionInterface"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

DAYS_14 = 14 * 24 * 60 * 60
YEARS_100 = 100 * 365 * 24 * 60 * 60
"""The longest lifetime that the engine takes."""

try:
    # Starlette's and FastAPI's, which also work on trio.
    from anyio.to_thread import run_sync as on_thread
except ImportError:
    on_thread = asyncio.to_thread  # type: ignore[assignment]


class PlainJson:
    """The serializer of Starlette's sessions, for the values that the engine leaves to Python."""

    @staticmethod
    def dumps(value: Any) -> str:
        return json.dumps(value)

    @staticmethod
    def loads(text: str) -> Any:
        return json.loads(text)


class CarafeMiddleware:
    """Sessions as `scope["session"]`, which Starlette and FastAPI show as `request.session`.

    The arguments up to `partitioned` are those of Starlette's `SessionMiddleware`. With `max_age=None`,
    a cookie has no expiry, and a session in a store expires 14 days after its last use. `fallbacks` are
    former secret keys. The other arguments are the settings `CARAFE_…` in lower case and without the
    prefix, such as `store`, `sign_ids` and `idle_timeout`.

    Raises:
        ConfigError: an argument is wrong.
    """

    def __init__(
        self,
        app: App,
        secret_key: Any,
        session_cookie: str = "session",
        max_age: int | None = DAYS_14,
        path: str = "/",
        same_site: str = "lax",
        https_only: bool = False,
        domain: str | None = None,
        partitioned: bool = False,
        *,
        fallbacks: tuple[str | bytes, ...] = (),
        **settings: Any,
    ) -> None:
        self.app = app
        key = secret_key if isinstance(secret_key, bytes) else str(secret_key)
        cookie = {"name": session_cookie, "path": path, "domain": domain, "same_site": same_site}
        flags = {"https_only": https_only, "partitioned": partitioned, "kept": max_age is not None}
        if max_age is not None and max_age < 0:
            raise ConfigError(f"max_age: is {max_age}; write a number of seconds from 0, or None")
        if max_age is None:
            max_age = DAYS_14 if settings.get("store") else YEARS_100
        self._engine = Engine(
            {"SECRET_KEY": key, "SECRET_KEY_FALLBACKS": list(fallbacks)},
            self._options(settings) | {"starlette": cookie | flags},
            PlainJson,
            True,
            max_age,
            None,
        )
        if self._engine.warning is not None:
            warnings.warn(self._engine.warning, WeakKeyWarning, stacklevel=2)

    @staticmethod
    def _options(settings: dict[str, Any]) -> dict[str, Any]:
        from flask import Flask

        from ._config import options
        from ._interface import CarafeSessionInterface

        app = Flask("carafe")
        for name, value in settings.items():
            if f"CARAFE_{name.upper()}" not in OURS:
                raise ConfigError(f"{name}: no such argument")
            app.config[f"CARAFE_{name.upper()}"] = value
        return options(app, CarafeSessionInterface())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        lines = [value for name, value in scope["headers"] if name.lower() == b"cookie"]
        session = Session(self._engine, lines)
        if self._engine.is_server_side and lines:
            try:
                await on_thread(session.load)
            except CarafeError:
                # Logged; a handler that uses the session gets the error.
                session = Session(self._engine, lines)
        scope["session"] = session
        replaced = False

        async def send_with_session(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                headers = Headers(message.setdefault("headers", []))
                try:
                    await self._finish(session, message["status"], headers)
                except CarafeError as error:
                    if error.replacement_status is None:
                        raise
                    replaced = True
                    await refuse(error, send)
                    return
                message["headers"] = headers.lines
            if not replaced:
                await send(message)

        await self.app(scope, receive, send_with_session)

    async def _finish(self, session: Session, status: int, headers: Headers) -> None:
        if self._engine.is_server_side and session.accessed:
            await on_thread(session.finish, status, headers)
        else:
            session.finish(status, headers)


class Headers:
    """The headers of an ASGI message, as the engine changes them."""

    def __init__(self, lines: list[tuple[bytes, bytes]]) -> None:
        self.lines = list(lines)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter([(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.lines])

    def remove(self, name: str) -> None:
        wanted = name.lower().encode()
        self.lines = [line for line in self.lines if line[0].lower() != wanted]

    def add(self, name: str, value: str) -> None:
        self.lines.append((name.lower().encode(), value.encode("latin-1")))


async def refuse(error: CarafeError, send: Send) -> None:
    """Send the response that replaces the handler's."""
    headers = Headers([(b"content-type", b"text/plain; charset=utf-8")])
    for name, value in error.replacement_headers:
        headers.add(name, value)
    await send({"type": "http.response.start", "status": error.replacement_status, "headers": headers.lines})
    await send({"type": "http.response.body", "body": b"the session was not saved\n"})


class QuartSessionInterface:
    """Quart's session interface on the engine. `salt` and the like are Flask's."""

    salt = "cookie-session"
    key_derivation = "hmac"

    def __init__(self) -> None:
        from hashlib import sha1

        from quart.json.tag import TaggedJSONSerializer

        self.digest_method = sha1
        self.serializer = TaggedJSONSerializer()

    def engine_of(self, app: Any) -> Engine | None:
        """Return the engine for the application's present settings, or `None` without a key."""
        return engine_of(app, self)  # type: ignore[arg-type]

    async def open_session(self, app: Any, request: Any) -> Session | None:
        """Return the session of a request or a WebSocket."""
        engine = self.engine_of(app)
        if engine is None:
            return None
        lines = [value.encode("latin-1") for value in request.headers.getlist("Cookie")]
        session = Session(engine, lines)
        if engine.is_server_side and lines:
            await on_thread(session.load)
        return session

    async def save_session(self, app: Any, session: Session, response: Any) -> None:
        """Save the session and change the response's headers."""
        if response is None:
            return
        if app.session_interface.engine_of(app).is_server_side and session.accessed:
            await on_thread(session.finish, response.status_code, response.headers)
        else:
            session.finish(response.status_code, response.headers)

    async def make_null_session(self, app: Any) -> Any:
        """Return the session of an application without a key."""
        from quart.sessions import NullSession

        return NullSession()

    def is_null_session(self, instance: object) -> bool:
        """Return whether the application has no key."""
        from quart.sessions import NullSession

        return isinstance(instance, NullSession)
