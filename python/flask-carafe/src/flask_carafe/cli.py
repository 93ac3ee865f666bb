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


COPIED = {
    "copied": "copied",
    "updated": "brought up to date",
    "already_there": "there already",
    "newer_there": "newer there, left alone",
    "ended_meanwhile": "ended meanwhile",
    "expired": "expired, left behind",
    "unreadable": "could not be read, left behind",
    "refused": "not taken by the target",
}
"""The counts of `migrate`, in the words of the command `carafe migrate`."""


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


@carafe.command()
@click.option("--from", "source", metavar="URL", required=True, help="The store that Flask-Session uses.")
@with_appcontext
def migrate(source: str) -> None:
    """Copy Flask-Session's live sessions into CARAFE_STORE.

    Reads SESSION_KEY_PREFIX and SESSION_SQLALCHEMY_TABLE as Flask-Session does. Nobody is logged out: the
    ids stay. Sessions stay in the source, and a second run brings what has changed since. Copy while the
    application is stopped, or a log-out after the copy does not reach the target.
    """

    def progress(seen: int) -> None:
        click.echo(f"{seen} sessions", err=True)

    config = current_app.config
    place = config.get("SESSION_KEY_PREFIX"), config.get("SESSION_SQLALCHEMY_TABLE")
    counts, troubles = _native.migrate(_engine(None), source, *place, progress)
    for name, what in COPIED.items():
        if counts[name] or name == "copied":
            click.echo(f"{counts[name]} {what}")
    for key, reason in troubles:
        click.echo(f"{key}…: {reason}", err=True)
    if counts["unreadable"] or counts["refused"]:
        raise click.ClickException("some sessions were left behind")


def line(session: SessionInfo) -> str:
    def shown(time: datetime) -> str:
        return time.isoformat(sep=" ", timespec="seconds")

    seen = f"{shown(session.created)}  last seen {shown(session.last_seen)}  expires {shown(session.expires)}"
    return f"{session.public_id}  created {seen}" + (f"  {session.device}" if session.device else "")
