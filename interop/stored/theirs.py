"""A Flask application with Flask-Session, and access to the content of its store."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec
import redis
import sqlalchemy as sa
from flask import Flask, session
from flask_session import Session  # type: ignore[import-untyped]
from flask_sqlalchemy import SQLAlchemy

SECRET = "flask-spec-secret"
LIFETIME = 3600
PREFIX = "session:"
TABLE = "their_sessions"


class Backend(Protocol):
    """A database that both programs share."""

    name: str
    store: str
    """The database's name in the Rust program."""
    url: str

    def configure(self, app: Flask) -> None: ...
    def value(self, name: str) -> bytes | None: ...
    def put(self, name: str, value: bytes) -> None: ...
    def names(self) -> set[str]: ...
    def left(self, name: str) -> float:
        """Return the seconds until the value expires."""


class Redis:
    name = store = "redis"

    def __init__(self, port: int):
        self.url = f"redis://127.0.0.1:{port}"
        self.client = redis.Redis(port=port)

    def configure(self, app: Flask) -> None:
        app.config.update(SESSION_TYPE="redis", SESSION_REDIS=self.client)

    def value(self, name: str) -> bytes | None:
        return self.client.get(name)  # type: ignore[return-value]

    def put(self, name: str, value: bytes) -> None:
        self.client.set(name, value, ex=LIFETIME)

    def names(self) -> set[str]:
        return {name.decode() for name in self.client.scan_iter()}

    def left(self, name: str) -> float:
        return float(self.client.pttl(name)) / 1000

    def commands(self) -> int:
        """Return the number of commands on keys that the server has run."""
        stats: Any = self.client.info("commandstats")
        return sum(stats.get(f"cmdstat_{verb}", {"calls": 0})["calls"] for verb in ("get", "set", "del", "evalsha", "eval"))


class Sql:
    """Flask-Session's table. `url` is the Rust program's address, `engine` is SQLAlchemy's."""

    def __init__(self, name: str, store: str, url: str, engine: str):
        self.name, self.store, self.url, self._engine_url = name, store, url, engine
        self._engine = sa.create_engine(engine, isolation_level="AUTOCOMMIT")
        self._rows = sa.table(
            TABLE, sa.column("session_id", sa.String), sa.column("data", sa.LargeBinary), sa.column("expiry", sa.DateTime)
        )

    def configure(self, app: Flask) -> None:
        app.config.update(SESSION_TYPE="sqlalchemy", SESSION_SQLALCHEMY_TABLE=TABLE, SQLALCHEMY_DATABASE_URI=self._engine_url)
        app.config["SESSION_SQLALCHEMY"] = SQLAlchemy(app)

    def value(self, name: str) -> bytes | None:
        found: bytes | None = self._of(name, self._rows.c.data)
        return None if found is None else bytes(found)

    def put(self, name: str, value: bytes) -> None:
        expiry = datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=LIFETIME)
        with self._engine.connect() as connection:
            connection.execute(sa.delete(self._rows).where(self._rows.c.session_id == name))
            connection.execute(sa.insert(self._rows).values(session_id=name, data=value, expiry=expiry))

    def names(self) -> set[str]:
        with self._engine.connect() as connection:
            return set(connection.scalars(sa.select(self._rows.c.session_id)))

    def left(self, name: str) -> float:
        expiry: datetime = self._of(name, self._rows.c.expiry)
        return (expiry.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()

    def _of(self, name: str, column: Any) -> Any:
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(column).where(self._rows.c.session_id == name))


@dataclass
class Visit:
    """An open request; `cookie` is the browser's cookie after it."""

    cookie: str | None
    set_cookie: str | None = None
    before: dict[Any, Any] = field(default_factory=dict)


class Theirs:
    """The application, with one of Flask-Session's settings."""

    def __init__(self, backend: Backend, serialization: str, signed: bool):
        self.app = Flask("interop")
        self.app.logger.setLevel(logging.CRITICAL + 1)
        self.app.config.update(
            SECRET_KEY=SECRET,
            SESSION_SERIALIZATION_FORMAT=serialization,
            SESSION_USE_SIGNER=signed,
            PERMANENT_SESSION_LIFETIME=LIFETIME,
        )
        backend.configure(self.app)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # from the signer
            Session(self.app)
        self._codec: Any = msgspec.msgpack if serialization == "msgpack" else msgspec.json
        self.serialization = serialization

    @contextmanager
    def request(self, cookie: str | None) -> Iterator[Visit]:
        """Run a request with this `Cookie` header; its `flask.session` is saved on exit.
        """
        visit = Visit(cookie)
        with self.app.test_request_context("/", headers={"Cookie": cookie} if cookie else {}):
            visit.before = dict(session)
            yield visit
            response = self.app.process_response(self.app.make_response(""))
        visit.set_cookie = response.headers.get("Set-Cookie")
        visit.cookie = after(visit.set_cookie, cookie)

    def write(self, new: dict[Any, Any], cookie: str | None = None) -> str:
        """Return the browser's cookie after a request that updates the session with `new`."""
        with self.request(cookie) as visit:
            session.update(new)
        assert visit.cookie is not None
        return visit.cookie

    def read(self, cookie: str | None) -> dict[Any, Any]:
        with self.request(cookie) as visit:
            pass
        return visit.before

    def encoded(self, content: dict[Any, Any]) -> bytes:
        """Return the bytes that Flask-Session stores."""
        encoded: bytes = self._codec.encode(content)
        return encoded

    def as_stored(self, content: Any) -> Any:
        """Return the content after a round trip through the store's format."""
        return self._codec.decode(self._codec.encode(content))


def after(set_cookie: str | None, cookie: str | None) -> str | None:
    """Return the `Cookie` header of a browser that has received this `Set-Cookie` header."""
    if set_cookie is None:
        return cookie
    pair = set_cookie.partition(";")[0]
    return None if pair == "session=" else pair


def name_of(cookie: str | None) -> str:
    """Return the store's name of the session in a browser's cookie."""
    assert cookie is not None
    return PREFIX + cookie.removeprefix("session=").partition(".")[0]
