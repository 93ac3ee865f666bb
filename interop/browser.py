"""A minimal client with a cookie jar for the tutorials.

It supports one host, paths and expiry, and sends Secure cookies to 127.0.0.1.
"""

from __future__ import annotations

import http.client
import math
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode


@dataclass(frozen=True)
class SetCookie:
    """A parsed `Set-Cookie` header; attribute names keep their order and spelling."""

    name: str
    value: str
    attributes: tuple[tuple[str, str | None], ...]

    @classmethod
    def parse(cls, header: str) -> SetCookie:
        first, *rest = header.split("; ")
        name, _, value = first.partition("=")
        return cls(name, value, tuple((key, text if sign else None) for key, sign, text in (each.partition("=") for each in rest)))

    def get(self, attribute: str) -> str | None:
        return dict(self.attributes).get(attribute)

    def expires(self, now: float) -> float:
        """Return the time at which a browser that receives the cookie at `now` drops it."""
        if (age := self.get("Max-Age")) is not None:
            return now + int(age) if int(age) > 0 else 0
        date = self.get("Expires")
        return parsedate_to_datetime(date).timestamp() if date is not None else math.inf


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: list[tuple[str, str]]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    def one(self, name: str) -> str | None:
        values = self.all(name)
        return ", ".join(values) if values else None

    def set_cookies(self) -> list[SetCookie]:
        return [SetCookie.parse(value) for value in self.all("set-cookie")]


@dataclass
class Browser:
    """Stores the cookies of one server with their expiry. Tests may add entries to `cookies`."""

    port: int
    cookies: dict[str, tuple[SetCookie, float]] = field(default_factory=dict)

    def request(self, method: str, path: str, form: dict[str, str] | None = None, cookie: str | None = None) -> Answer:
        """Send a request with the jar's or the given cookies, and store the response's cookies.
        """
        headers = {"Cookie": header} if (header := self.header(path) if cookie is None else cookie) else {}
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form)
        answer = self._send(method, path, body, headers)
        for each in answer.set_cookies():
            self._keep(each)
        return answer

    def header(self, path: str) -> str:
        now = time.time()
        fitting = (cookie for cookie, end in self.cookies.values() if end > now and path.startswith(cookie.get("Path") or "/"))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in fitting)

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {key: value.encode("latin-1") for key, value in headers.items()})
            response = connection.getresponse()
            return Answer(response.status, response.read(), response.getheaders())
        finally:
            connection.close()

    def _keep(self, cookie: SetCookie) -> None:
        now = time.time()
        self.cookies.pop(cookie.name, None)
        if (end := cookie.expires(now)) > now:
            self.cookies[cookie.name] = (cookie, end)
