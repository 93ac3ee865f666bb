"""The settings of an application, and when they have changed."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from operator import itemgetter
from threading import Lock
from typing import TYPE_CHECKING, Any

from flask.json.provider import DefaultJSONProvider
from flask.json.tag import TaggedJSONSerializer

from ._native import Engine, Snapshot
from .errors import ConfigError, WeakKeyWarning

if TYPE_CHECKING:
    from flask import Flask

    from ._interface import CarafeSessionInterface

FLAGS = (
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_SECURE",
    "SESSION_COOKIE_PARTITIONED",
    "SESSION_REFRESH_EACH_REQUEST",
    "REMEMBER_COOKIE_HTTPONLY",
    "REMEMBER_COOKIE_SECURE",
)
"""Flask takes any object for these and uses its truth."""
TEXTS = (
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_PATH",
    "SESSION_COOKIE_SAMESITE",
    "APPLICATION_ROOT",
    "REMEMBER_COOKIE_NAME",
    "REMEMBER_COOKIE_DOMAIN",
    "REMEMBER_COOKIE_PATH",
    "REMEMBER_COOKIE_SAMESITE",
    "SESSION_PROTECTION",
)
OURS: dict[str, Any] = {
    "CARAFE_STORE": None,
    "CARAFE_LAYOUT": None,
    "CARAFE_KEY_PREFIX": None,
    "CARAFE_TABLE": None,
    "CARAFE_SIGN_IDS": False,
    "CARAFE_MIGRATE": True,
    "CARAFE_STORE_TIMEOUT": None,
    "CARAFE_STRICT_KEYS": False,
    "CARAFE_COMPRESSION": "large",
    "CARAFE_IDLE_TIMEOUT": None,
    "CARAFE_ABSOLUTE_TIMEOUT": None,
    "CARAFE_RENEWAL": None,
    "CARAFE_SESSIONS_PER_USER": None,
    "CARAFE_AT_LIMIT": "end-oldest",
    "CARAFE_ON_CONFLICT": "reject",
}
FLASK_SESSION = (
    "SESSION_KEY_PREFIX",
    "SESSION_SQLALCHEMY_TABLE",
    "SESSION_SERIALIZATION_FORMAT",
    "SESSION_USE_SIGNER",
)
"""Flask-Session's settings, which apply with `CARAFE_LAYOUT = "flask-session"`."""
WATCHED = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", *FLAGS, *TEXTS, *OURS, *FLASK_SESSION)
ENVIRONMENT = "FLASK_"
DIGESTS = ("sha1", "sha256", "sha384", "sha512")
PLAIN_TAGS = [type(tag) for tag in TaggedJSONSerializer().order]
EXTENSION = "carafe"


def engine_of(app: Flask, interface: CarafeSessionInterface) -> Engine | None:
    """Return the engine for the application's present settings, or `None` without a key.

    Raises:
        ConfigError: a setting is wrong.
    """
    state: State | None = app.extensions.get(EXTENSION)
    if state is not None and (known := state.known) is not None and known[0].holds(app, interface):
        return known[1]
    if not app.secret_key:
        return None
    return (state or app.extensions.setdefault(EXTENSION, State(app))).follow(app, interface)


class State:
    """The engine of an application, for its present settings."""

    def __init__(self, app: Flask) -> None:
        self.known: tuple[Snapshot, Engine] | None = None
        self._engine: Engine | None = None
        self._seen: tuple[Any, ...] | None = None
        self._warned = False
        self._lock = Lock()
        self._watch(app)

    def _watch(self, app: Flask) -> None:
        """Note which settings the application has."""
        apply_environment(app)
        present = [name for name in WATCHED if name in app.config]
        self._read: Callable[[Any], tuple[Any, ...]] = itemgetter(*present, "PERMANENT_SESSION_LIFETIME")
        self._size = len(app.config)

    def follow(self, app: Flask, interface: CarafeSessionInterface) -> Engine:
        """Return the engine after a change of the settings."""
        # Two engines at the first requests would be two stores in memory.
        with self._lock:
            # Taken first, so that a change while the settings are read is noticed at the next request.
            snapshot = Snapshot.take(app, interface)
            engine = self._engine_now(app, interface)
            self.known = None if snapshot is None else (snapshot, engine)
            return engine

    def _engine_now(self, app: Flask, interface: CarafeSessionInterface) -> Engine:
        seen = (self._read(app.config), len(app.config), *outside(app, interface))
        if seen == self._seen and self._engine is not None:
            return self._engine
        lifetime = max(0, int(app.permanent_session_lifetime.total_seconds()))
        if self._engine is not None and self._is_lifetime_alone(seen):
            self._engine.set_lifetime(lifetime)
        else:
            self._engine = self._build(app, interface, lifetime)
        self._seen = seen
        return self._engine

    def _is_lifetime_alone(self, seen: tuple[Any, ...]) -> bool:
        assert self._seen is not None
        return seen[1:] == self._seen[1:] and seen[0][:-1] == self._seen[0][:-1]

    def _build(self, app: Flask, interface: CarafeSessionInterface, lifetime: int) -> Engine:
        if len(app.config) != self._size:
            self._watch(app)
        serializer = interface.serializer
        engine = Engine(
            flask_settings(app),
            options(app, interface),
            serializer,
            is_plain(app, serializer),
            lifetime,
            self._engine,
        )
        if engine.warning is not None and not self._warned:
            self._warned = True
            warnings.warn(f"{engine.warning}; set CARAFE_STRICT_KEYS to refuse such keys", WeakKeyWarning, stacklevel=2)
        return engine


def outside(app: Flask, interface: CarafeSessionInterface) -> tuple[Any, ...]:
    """Return the settings that are outside `app.config`, or change in place."""
    fallbacks = app.config.get("SECRET_KEY_FALLBACKS")
    provider, serializer = app.json, interface.serializer
    return (
        fallbacks and tuple(fallbacks),
        provider,
        getattr(provider, "sort_keys", True),
        getattr(provider, "ensure_ascii", True),
        serializer,
        len(getattr(serializer, "order", ())),
        interface.salt,
    )


def apply_environment(app: Flask) -> None:
    """Set the settings that the environment has as `FLASK_CARAFE_…` and the application has not."""
    for name in OURS:
        if name not in app.config and (text := os.environ.get(ENVIRONMENT + name)) is not None:
            try:
                app.config[name] = json.loads(text)
            except ValueError:
                app.config[name] = text


def flask_settings(app: Flask) -> dict[str, Any]:
    """Return Flask's and Flask-Login's settings as the engine takes them."""
    config = app.config
    settings: dict[str, Any] = {name: config[name] for name in TEXTS if name in config}
    for name in FLAGS:
        if name in config:
            settings[name] = bool(config[name])
    path = settings.get("SESSION_COOKIE_PATH")
    if not path:
        settings["SESSION_COOKIE_PATH"] = None
    settings["SECRET_KEY"] = current = app.secret_key
    if fallbacks := config.get("SECRET_KEY_FALLBACKS"):
        known = {as_bytes(current)}
        kept: list[Any] = []
        for key in fallbacks:
            if as_bytes(key) not in known:
                known.add(as_bytes(key))
                kept.append(key)
        settings["SECRET_KEY_FALLBACKS"] = kept
    return settings


def as_bytes(key: Any) -> Any:
    return key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key


def options(app: Flask, interface: CarafeSessionInterface) -> dict[str, Any]:
    """Return the settings that are not Flask's, checked."""
    config = app.config

    def of(name: str) -> Any:
        return config.get(name, OURS.get(name))

    def one_of(name: str, *known: str) -> str:
        value = of(name)
        if value not in known:
            raise ConfigError(f"{name}: is {value!r}; write one of {', '.join(known)}")
        return str(value)

    layout = of("CARAFE_LAYOUT")
    if layout not in (None, "carafe", "flask-session"):
        raise ConfigError(f"CARAFE_LAYOUT: is {layout!r}; write 'carafe' or 'flask-session'")
    shared = layout == "flask-session"
    digest = interface.digest_method(b"").name
    if digest not in DIGESTS:
        raise ConfigError(f"digest_method: is {digest}; write one of {', '.join(DIGESTS)}")
    per_user = of("CARAFE_SESSIONS_PER_USER")
    return {
        "store": of("CARAFE_STORE") or None,
        "flask_session": shared,
        "key_prefix": of("CARAFE_KEY_PREFIX") or (config.get("SESSION_KEY_PREFIX") if shared else None),
        "table": of("CARAFE_TABLE") or (config.get("SESSION_SQLALCHEMY_TABLE") if shared else None),
        "json_records": shared and config.get("SESSION_SERIALIZATION_FORMAT") == "json",
        "sign_ids": bool(of("CARAFE_SIGN_IDS") or (shared and config.get("SESSION_USE_SIGNER"))),
        "migrate": bool(of("CARAFE_MIGRATE")),
        "store_timeout": store_timeout(of("CARAFE_STORE_TIMEOUT")),
        "strict_keys": bool(of("CARAFE_STRICT_KEYS")),
        "salt": interface.salt,
        "key_derivation": interface.key_derivation,
        "digest": digest,
        "sort_keys": bool(getattr(app.json, "sort_keys", True)),
        "ensure_ascii": bool(getattr(app.json, "ensure_ascii", True)),
        "deflate_always": one_of("CARAFE_COMPRESSION", "large", "always") == "always",
        "idle_timeout": seconds("CARAFE_IDLE_TIMEOUT", of("CARAFE_IDLE_TIMEOUT")),
        "absolute_timeout": seconds("CARAFE_ABSOLUTE_TIMEOUT", of("CARAFE_ABSOLUTE_TIMEOUT")),
        "renewal": seconds("CARAFE_RENEWAL", of("CARAFE_RENEWAL")),
        "sessions_per_user": None if per_user is None else int(per_user),
        "refuse_at_limit": one_of("CARAFE_AT_LIMIT", "end-oldest", "refuse") == "refuse",
        "discard_conflicts": one_of("CARAFE_ON_CONFLICT", "reject", "discard") == "discard",
        "starlette": None,
    }


def seconds(name: str, value: Any) -> int | None:
    """Return a duration in whole seconds, from a number or a `timedelta`."""
    if value is None:
        return None
    number = int(value.total_seconds()) if hasattr(value, "total_seconds") else value
    if not isinstance(number, int) or number <= 0:
        raise ConfigError(f"{name}: is {value!r}; write a number of seconds over 0, or a timedelta")
    return number


def store_timeout(value: Any) -> float | None:
    """Return the deadline of the store's calls in seconds, from a number or a `timedelta`."""
    if value is None:
        return None
    number = value.total_seconds() if hasattr(value, "total_seconds") else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number <= 3600:
        raise ConfigError(f"CARAFE_STORE_TIMEOUT: is {value!r}; write a number of seconds over 0, at most 3600")
    return float(number)


def is_plain(app: Flask, serializer: Any) -> bool:
    """Return whether values are written exactly as Flask's own serializer and provider do."""
    return (
        type(serializer) is TaggedJSONSerializer
        and [type(tag) for tag in serializer.order] == PLAIN_TAGS
        and type(app.json) is DefaultJSONProvider
    )
