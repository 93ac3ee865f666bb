"""Flask's session interface on Carafe's engine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface, SessionMixin

from ._config import engine_of
from ._session import Session
from .errors import CarafeError

if TYPE_CHECKING:
    from flask import Request, Response

    from ._native import Engine


class CarafeSessionInterface(SecureCookieSessionInterface):
    """Flask's session interface, with every decision about a session made by the engine.

    `salt`, `digest_method`, `key_derivation` and `serializer` are Flask's and may be overridden in a
    subclass, as may `session_class`.
    """

    session_class: Any = Session

    def engine_of(self, app: Flask) -> Engine | None:
        """Return the engine for the application's present settings, or `None` without a key.

        Raises:
            ConfigError: a setting is wrong.
        """
        return engine_of(app, self)

    def open_session(self, app: Flask, request: Request) -> Any:
        """Return the session of a request, which is loaded at its first use."""
        engine = engine_of(app, self)
        if engine is None:
            return None
        return self.session_class(engine, request.environ.get("HTTP_COOKIE"))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Save the session and change the response's headers.

        If the session cannot be saved, the response is replaced, because it would claim a change that
        did not happen. With `PROPAGATE_EXCEPTIONS`, or while testing or debugging, the exception is
        raised instead.
        """
        if not isinstance(session, Session):
            super().save_session(app, session, response)
            return
        try:
            session.finish(response.status_code, response.headers)
        except CarafeError as error:
            if error.replacement_status is None or propagates(app):
                raise
            app.log_exception(sys.exc_info())
            replace(response, error)


def propagates(app: Flask) -> bool:
    wanted = app.config["PROPAGATE_EXCEPTIONS"]
    return bool(app.testing or app.debug if wanted is None else wanted)


def replace(response: Response, error: CarafeError) -> None:
    """Replace the handler's response, without any header of it."""
    body: Any = response.response
    if hasattr(body, "close"):
        body.close()
    status = error.replacement_status
    assert status is not None
    response.headers.clear()
    response.status_code = status
    response.direct_passthrough = False
    response.mimetype = "text/plain"
    response.set_data(response.status + "\n")
    response.headers.extend(error.replacement_headers)
