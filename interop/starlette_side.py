"""Starlette's `SessionMiddleware` as a writer and reader of session cookies."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse

import asgi
from clock import T, stopped
from flask_side import SECRET

LIFETIME = 1_209_600


class Application:
    """The middleware around one endpoint, which updates and reads the session as `visit` requests.
    """

    def __init__(self, secret: Any = SECRET, max_age: int | None = LIFETIME, **options: Any):
        self._middleware = SessionMiddleware(self._endpoint, secret_key=secret, max_age=max_age, **options)
        self._new: dict[Any, Any] | None = None
        self._clear = False
        self.seen: dict[str, Any] | None = None

    async def _endpoint(self, scope: Any, receive: Any, send: Any) -> None:
        session = Request(scope).session
        if self._new is not None:
            session.update(self._new)
        if self._clear:
            session.clear()
        self.seen = dict(session)
        await PlainTextResponse("")(scope, receive, send)

    def visit(
        self, header: str | None = None, new: dict[Any, Any] | None = None, now: float = T, clear: bool = False
    ) -> asgi.Response:
        self.seen, self._new, self._clear = None, new, clear
        with stopped(now):
            return asyncio.run(asgi.get(self._middleware, header))
