"""The session object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from flask import has_request_context, request
from flask.sessions import SessionMixin

from ._native import SessionBase

if TYPE_CHECKING:
    from ._native import Client


class Session(SessionBase, SessionMixin):
    """The dictionary of one browser: a mutable mapping with Flask's `SessionMixin`.

    The session is loaded at its first use, and a value is decoded when it is read. Flask's rule for
    nested values applies: a change inside a list or a dict is saved if another change of the session
    is, or if `modified` is set.

    Only sessions in a store have the methods that say so; with cookies they raise `Unsupported`.
    """

    if TYPE_CHECKING:
        # The engine's class has these; here they are declared as a mapping declares them.
        def __getitem__(self, key: str) -> Any: ...
        def __setitem__(self, key: str, value: Any) -> None: ...
        def __delitem__(self, key: str) -> None: ...
        def __iter__(self) -> Iterator[str]: ...
        def __len__(self) -> int: ...
        def get(self, key: str, default: Any = None) -> Any: ...

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several keys. Counts as a change even without keys, as in Flask."""
        super().update(*args, **kwargs)
        self.modified = True

    def popitem(self) -> tuple[str, Any]:
        """Remove and return the last key and its value, as a dict does."""
        try:
            key = list(self)[-1]
        except IndexError:
            raise KeyError("popitem(): the session is empty") from None
        return key, self.pop(key)

    def copy(self) -> dict[str, Any]:
        """Return the values as a new dict."""
        return dict(self)

    def __or__(self, other: Any) -> dict[str, Any]:
        return dict(self) | dict(other)

    def __ror__(self, other: Any) -> dict[str, Any]:
        return dict(other) | dict(self)

    def __ior__(self, other: Any) -> Session:
        self.update(other)
        return self

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {dict(self)!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a session belongs to its request and cannot be pickled; pickle dict(session)")

    def log_in(self, user: str) -> None:
        """Bind the session to a user and give it a new id, which ends session fixation.

        The user is stored under Flask-Login's key, `_user_id`. The values of an anonymous visitor are
        kept, those of another user are removed.

        Raises:
            AlreadySent: the response was sent.
        """
        self.bind_user(user, client())

    def update_atomic(self, key: str, change: Callable[[Any], Any], default: Any = None) -> Any:
        """Do the same as `update_now`."""
        return self.update_now(key, change, default)


def client() -> Client:
    """Return what Flask-Login identifies the client by."""
    if not has_request_context():
        return None, None, None
    headers = request.headers
    return headers.get("X-Forwarded-For"), request.remote_addr, headers.get("User-Agent")
