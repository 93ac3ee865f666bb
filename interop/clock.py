"""A stopped clock for Flask, Werkzeug, itsdangerous and Quart.

The libraries read the time through `time.time` and through the name `datetime` in their own
modules. Nothing else is replaced, so values of type `datetime` do not change.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, tzinfo
from functools import lru_cache
from unittest.mock import patch

T = 1_700_000_000
READERS_OF_NOW = ("flask.sessions", "werkzeug.http", "quart.sessions")


class _IsDatetime(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime)


@lru_cache
def _stopped_at(now: float) -> type:
    class Stopped(datetime, metaclass=_IsDatetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(now, tz)

    return Stopped


@contextmanager
def stopped(now: float = T) -> Iterator[None]:
    """Set the time of every library to `now` (Unix seconds) inside the context."""
    with ExitStack() as stack:
        stack.enter_context(patch("time.time", lambda: now))
        for name in READERS_OF_NOW:
            module = sys.modules.get(name) or _import_if_there(name)
            if module is not None:
                stack.enter_context(patch.object(module, "datetime", _stopped_at(now)))
        yield


def _import_if_there(name: str) -> object | None:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None
