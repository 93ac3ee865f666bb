"""A minimal ASGI client: one GET request with at most one `Cookie` header."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Message = MutableMapping[str, Any]
Application = Callable[..., Awaitable[None]]


@dataclass
class Response:
    status: int = 500
    headers: list[tuple[str, str]] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """Return the first header of this name, one character per byte."""
        return next((value for key, value in self.headers if key == name), None)


async def get(application: Application, cookie: str | None) -> Response:
    """Return the application's response to `GET /`; an uncaught exception is a response of 500."""
    response = Response()

    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        return await asyncio.Future()  # the client stays connected until the response

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            response.status = message["status"]
            response.headers = [(key.decode("latin-1").lower(), value.decode("latin-1")) for key, value in message["headers"]]

    try:
        await application(scope(cookie), receive, send)
    except Exception:  # a server would answer 500 too
        return Response()
    return response


def scope(cookie: str | None) -> Message:
    headers = [(b"host", b"localhost")]
    if cookie is not None:
        headers.append((b"cookie", cookie.encode("latin-1")))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "extensions": {},
    }
