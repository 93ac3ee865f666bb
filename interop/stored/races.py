"""Concurrent changes of one session. Flask-Session's last writer wins; Carafe loses no more."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any

from flask import session
from sqlalchemy import event

from stored.checks import Check, Pair, Problem, same
from stored.ours import RefusedError, Request, setting

ROUNDS = 40


def flasks_write_in_between_survives(pair: Pair) -> Iterator[Problem]:
    cookie = pair.theirs.write({"a": 1})
    request = pair.ours.begin(cookie)
    pair.theirs.write({"theirs": 2}, cookie)
    pair.ours.finish(request, setting("ours", 3))
    yield from same("both writes", pair.theirs.read(cookie), {"_permanent": True, "a": 1, "theirs": 2, "ours": 3})


def an_update_runs_on_flasks_value(pair: Pair) -> Iterator[Problem]:
    cookie = pair.theirs.write({"n": 1})
    request = pair.ours.begin(cookie)
    pair.theirs.write({"n": 10}, cookie)
    pair.ours.finish(request, {"increment": "n"})
    yield from same("the counter", pair.theirs.read(cookie)["n"], 11)


def late(pair: Pair, request: Request, *steps: Any) -> str | None:
    """Return the cookie after a late request, which must report a conflict instead of saving."""
    try:
        cookie = pair.ours.finish(request, *steps)
    except RefusedError as refused:
        if str(refused).startswith("commit: "):
            return None
        raise
    return f"the change was answered with {cookie!r}"


def a_log_out_of_flasks_stands(pair: Pair) -> Iterator[Problem]:
    """A late request of Carafe cannot undo Flask's logout: changes conflict, a login starts afresh.
    """
    for steps in ([setting("late", 1)], ["renew"], [], [{"increment": "n"}], [{"login": "42"}]):
        cookie = pair.theirs.write({"a": 1})
        request = pair.ours.begin(cookie)
        with pair.theirs.request(cookie):
            session.clear()
        names = pair.backend.names()
        if steps == [{"login": "42"}]:
            fresh = pair.ours.read(pair.ours.finish(request, *steps))
            yield from same("the session of a late log-in", fresh, {"_user_id": "42", "_fresh": True})
            continue
        if steps:
            yield from same(f"a late {steps!r}", late(pair, request, *steps), None)
        else:
            yield from same("the cookie of a late reader", pair.ours.finish(request), cookie)
        yield from same(f"the store after {steps!r}", pair.backend.names() - names, set())


def a_new_id_of_flasks_stands(pair: Pair) -> Iterator[Problem]:
    old = pair.theirs.write({"a": 1})
    request = pair.ours.begin(old)
    with pair.theirs.request(old) as visit:
        pair.theirs.app.session_interface.regenerate(session)  # type: ignore[attr-defined]
    yield from same("a late change", late(pair, request, setting("late", 1)), None)
    yield from same("what is stored under the old id", pair.stored(old), None)
    yield from same("the session", pair.theirs.read(visit.cookie), {"_permanent": True, "a": 1})


def carafes_new_id_is_not_flasks_to_write(pair: Pair) -> Iterator[Problem]:
    """A Flask request that began with the old id cannot write the session under the new one."""
    old = pair.theirs.write({"a": 1})
    with pair.theirs.request(old):
        new = pair.ours.visit(old, {"login": "42"}, setting("b", 2))
        session["late"] = 1
    seen = pair.ours.begin(new)
    expected = {"_permanent": True, "a": 1, "_user_id": "42", "_fresh": True, "b": 2}
    yield from same("the session after a late request", (seen.user, seen.session), ("42", expected))
    pair.ours.finish(seen)


def a_late_update_by_number_meets_no_new_id(pair: Pair) -> Iterator[Problem]:
    """Carafe renews the session's id between SQLAlchemy's SELECT and its UPDATE by row number.

    This cannot happen in Redis, where Flask-Session writes with one command.
    """
    database = pair.theirs.app.config.get("SESSION_SQLALCHEMY")
    if database is None:
        return
    old = pair.theirs.write({"a": 1})
    request = pair.ours.begin(old)
    new: list[str | None] = []

    def between(*_: object) -> None:
        if not new:
            new.append(pair.ours.finish(request, {"login": "42"}, setting("b", 2)))

    with pair.theirs.app.app_context():
        event.listen(database.session, "before_flush", between)
    pair.theirs.write({"late": 1}, old)
    with pair.theirs.app.app_context():
        event.remove(database.session, "before_flush", between)
    seen = pair.ours.begin(new[0])
    expected = {"_permanent": True, "a": 1, "_user_id": "42", "_fresh": True, "b": 2}
    yield from same("the session under its new id", (seen.user, seen.session), ("42", expected))
    pair.ours.finish(seen)


def nothing_that_flask_wrote_is_dropped(pair: Pair) -> Iterator[Problem]:
    """Carafe never drops keys that Flask writes concurrently.

    One browser writes key after key through Flask while Carafe changes other keys without a pause.
    Flask may drop Carafe's keys, because Flask writes everything that it has read.
    """
    cookie = pair.theirs.write({"a": 1})
    done: list[bool] = []

    def flask() -> None:
        try:
            for number in range(ROUNDS):
                pair.theirs.write({f"theirs {number}": number}, cookie)
        finally:
            done.append(True)

    writer = Thread(target=flask)
    writer.start()
    visits = 0
    while not done:
        steps = (setting(f"ours {visits % 7}", visits), {"increment": "n"}) if visits % 3 else (setting("n", 0),)
        pair.ours.visit(cookie, *steps)
        visits += 1
    writer.join()
    pair.ours.visit(cookie, setting("last", visits))
    seen = pair.theirs.read(cookie)
    lost = [number for number in range(ROUNDS) if seen.get(f"theirs {number}") != number]
    yield from same(f"what is lost of Flask's writes beside {visits} of Carafe's", lost, [])
    yield from same("Carafe's last write", seen.get("last"), visits)


RACES: tuple[Check, ...] = (
    flasks_write_in_between_survives,
    an_update_runs_on_flasks_value,
    a_log_out_of_flasks_stands,
    a_new_id_of_flasks_stands,
    carafes_new_id_is_not_flasks_to_write,
    a_late_update_by_number_meets_no_new_id,
    nothing_that_flask_wrote_is_dropped,
)
