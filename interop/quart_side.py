"""Quart as a writer and reader of session cookies."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from quart import Quart, session

import asgi
from clock import T, stopped
from flask_side import LIFETIME, SECRET


class Application:
    """A Quart application with one view, which updates and reads the session as `visit` requests.
    """

    def __init__(self, secret: str | bytes | None = SECRET, fallbacks: Any = None, lifetime: float = LIFETIME, **config: Any):
        self.quart = Quart("interop")
        self.configure(secret, fallbacks, lifetime, **config)
        self.quart.add_url_rule("/", view_func=self._view)
        self.quart.logger.setLevel(logging.CRITICAL + 1)
        self._new: dict[Any, Any] | None = None
        self._clear = False
        self.seen: dict[str, Any] | None = None

    def configure(self, secret: str | bytes | None, fallbacks: Any, lifetime: float, **config: Any) -> None:
        self.quart.config.update(SECRET_KEY=secret, SECRET_KEY_FALLBACKS=fallbacks, PERMANENT_SESSION_LIFETIME=lifetime, **config)

    async def _view(self) -> str:
        if self._new is not None:
            session.update(self._new)
        if self._clear:
            session.clear()
        self.seen = dict(session)
        return ""

    def visit(
        self, header: str | None = None, new: dict[Any, Any] | None = None, now: float = T, clear: bool = False
    ) -> asgi.Response:
        self.seen, self._new, self._clear = None, new, clear
        with stopped(now):
            return asyncio.run(asgi.get(self.quart, header))
