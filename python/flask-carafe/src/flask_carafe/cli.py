"""The commands `flask carafe …`, and the activation by `FLASK_CARAFE=1`.

Flask imports this module before it loads the application, because it is an entry point of its group
`flask.commands`.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from flask.json import dumps

from . import CarafeError, SessionInfo, _engine, _native, activate, revoke, sessions_of
from ._session import Session

if os.environ.get("FLASK_CARAFE", "0").lower() not in ("", "0", "false", "no"):
    activate()


class Commands(click.Group):
    """Commands whose failures are one line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CarafeError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Commands)
def carafe() -> None:
    """Work with the sessions of this application."""


@carafe.command()
@with_appcontext
def init() -> None:
    """Open the store, and create its tables unless CARAFE_MIGRATE is off."""
    _engine(None).connect()
    click.echo("the store is ready")


@carafe.command()
@click.argument("cookie")
@with_appcontext
def inspect(cookie: str) -> None:
    """Show the session in the value of a cookie, and why it would be rejected."""
    engine = _engine(None)
    name = current_app.session_interface.get_cookie_name(current_app)
    value = cookie.removeprefix(f"{name}=")
    session = Session(engine, f"{name}={value}")
    if session.rejection is not None:
        raise click.ClickException(f"the cookie is rejected: {session.rejection}")
    if session.public_id is not None:
        click.echo(f"public id: {session.public_id}")
    click.echo(dumps(dict(session), indent=2))


@carafe.command("list")
@click.argument("user")
@with_appcontext
def list_sessions(user: str) -> None:
    """List the live sessions of a user, newest first."""
    found = sessions_of(user)
    for session in found:
        click.echo(line(session))
    click.echo(f"{len(found)} session{'' if len(found) == 1 else 's'}")


@carafe.command("revoke")
@click.argument("user")
@click.option("--only", metavar="ID", help="Revoke the session with this public id.")
@click.option("--all-but", metavar="ID", help="Keep the session with this public id.")
@with_appcontext
def revoke_sessions(user: str, only: str | None, all_but: str | None) -> None:
    """Revoke the sessions of a user."""
    try:
        count = revoke(user, only=only, all_but=all_but)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"{count} revoked")


@carafe.command("revoke-all")
@click.confirmation_option(prompt="Log out everybody?")
@with_appcontext
def revoke_all() -> None:
    """Revoke all sessions that exist now."""
    click.echo(f"{_native.revoke_all(_engine(None))} revoked")


@carafe.command()
@with_appcontext
def sweep() -> None:
    """Delete expired sessions from a store that does not delete them itself."""
    click.echo(f"{_native.sweep(_engine(None))} deleted")


def line(session: SessionInfo) -> str:
    def shown(time: datetime) -> str:
        return time.isoformat(sep=" ", timespec="seconds")

    seen = f"{shown(session.created)}  last seen {shown(session.last_seen)}  expires {shown(session.expires)}"
    return f"{session.public_id}  created {seen}" + (f"  {session.device}" if session.device else "")
