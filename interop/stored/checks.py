"""Checks that each program reads the other's sessions, one request after the other."""

from __future__ import annotations

import pickle
import secrets
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from flask import session

from stored.ours import Ours, RefusedError, setting
from stored.theirs import LIFETIME, Backend, Theirs, name_of
from stored.values import Values, as_seen, plain


@dataclass
class Pair:
    """Both programs on one database, with one setting."""

    backend: Backend
    theirs: Theirs
    ours: Ours
    signed: bool
    chance: Random
    sessions: int

    @property
    def wide(self) -> bool:
        return self.theirs.serialization == "msgpack"

    def stored(self, cookie: str | None) -> bytes | None:
        return self.backend.value(name_of(cookie))


Problem = str
Check = Callable[[Pair], Iterator[Problem]]


def same(what: str, ours: Any, theirs: Any) -> Iterator[Problem]:
    """Compare by `repr`, which distinguishes 1 from 1.0 and True, supports NaN and shows the order.
    """
    if repr(ours) != repr(theirs):
        yield f"{what}:\n    with Carafe {ours!r}\n    by itself   {theirs!r}"


def what_flask_writes(pair: Pair) -> Iterator[Problem]:
    """Carafe reads a session and changes one key; Flask reads the other keys unchanged."""
    values = Values(pair.chance, pair.wide)
    for _ in range(pair.sessions):
        content = values.theirs()
        cookie = pair.theirs.write(content)
        before = pair.theirs.read(cookie)
        request = pair.ours.begin(cookie)
        yield from same(f"what a handler sees of {content!r}", request.session, as_seen(before))
        pair.ours.finish(request, setting("changed by Carafe", [1, "é"]))
        expected = before | {"changed by Carafe": [1, "é"]}
        yield from same("the stored bytes", pair.stored(cookie), pair.theirs.encoded(expected))
        yield from same(f"what Flask reads after Carafe's change of {content!r}", pair.theirs.read(cookie), expected)
        pair.ours.visit(cookie, {"remove": "changed by Carafe"})
        yield from same("the bytes after Carafe took its key away", pair.stored(cookie), pair.theirs.encoded(before))


def what_carafe_writes(pair: Pair) -> Iterator[Problem]:
    """Flask reads the same as from its own session; in MessagePack the bytes are equal."""
    values = Values(pair.chance, pair.wide)
    for _ in range(pair.sessions):
        content = values.ours()
        cookie = pair.ours.visit(None, "permanent", *(setting(key, value) for key, value in content.items()))
        expected = {"_permanent": True} | plain(content)
        if pair.wide:
            yield from same(f"the bytes of {expected!r}", pair.stored(cookie), pair.theirs.encoded(expected))
        yield from same(f"what Flask reads of {expected!r}", pair.theirs.read(cookie), pair.theirs.as_stored(expected))
        pair.theirs.write({"changed by Flask": 1}, cookie)
        after = pair.theirs.as_stored(expected) | {"changed by Flask": 1}
        yield from same("what a handler sees after Flask", pair.ours.read(cookie), as_seen(after))


def cookies_and_expiry(pair: Pair) -> Iterator[Problem]:
    """The cookies have the same attributes, and the records the same time to live."""
    theirs = pair.theirs.write({"a": 1})
    request = pair.ours.begin(None)
    ours = pair.ours.finish(request, "permanent", setting("a", 1))
    for cookie in (theirs, ours):
        yield from same("the length of a cookie", len(str(ours)), len(theirs))
        left = pair.backend.left(name_of(cookie))
        if not LIFETIME - 5 <= left <= LIFETIME + 1:
            yield f"a session expires in {left} seconds instead of {LIFETIME}"
    pair.ours.visit(theirs, setting("b", 2))
    yield from same("the names of both", name_of(theirs) in pair.backend.names(), True)


def log_outs(pair: Pair) -> Iterator[Problem]:
    """A logout in one program is a logout in both."""
    cookie = pair.theirs.write({"a": 1})
    with pair.theirs.request(cookie) as visit:
        session.clear()
    yield from same("Flask's removal of the cookie", visit.cookie, None)
    request = pair.ours.begin(cookie)
    yield from same("a session that Flask has ended", (request.session, request.rejection), ({}, "unknown-id"))
    pair.ours.finish(request)
    cookie = pair.theirs.write({"a": 1})
    yield from same("Carafe's removal of the cookie", pair.ours.visit(cookie, "logout"), None)
    yield from same("what is stored of it", pair.stored(cookie), None)
    yield from same("a session that Carafe has ended", pair.theirs.read(cookie), {"_permanent": True})


def new_ids(pair: Pair) -> Iterator[Problem]:
    """A new id leads to the same session in both programs, and the old id to none."""
    old = pair.theirs.write({"a": 1})
    with pair.theirs.request(old) as visit:
        pair.theirs.app.session_interface.regenerate(session)  # type: ignore[attr-defined]
    yield from same("Flask's new id", pair.ours.read(visit.cookie), {"_permanent": True, "a": 1})
    yield from same("Flask's old id", pair.ours.read(old), {})
    new = pair.ours.visit(visit.cookie, "renew", setting("b", 2))
    yield from same("Carafe's new id", pair.theirs.read(new), {"_permanent": True, "a": 1, "b": 2})
    yield from same("Carafe's old id", pair.theirs.read(visit.cookie), {"_permanent": True})
    yield from same("what is stored under it", pair.stored(visit.cookie), None)


def log_ins(pair: Pair) -> Iterator[Problem]:
    """Carafe's metadata is one key to Flask, which keeps it; a login changes the id."""
    before = pair.theirs.write({"cart": [1]})
    cookie = pair.ours.visit(before, {"login": "42"}, setting("user_id", 42))
    seen = pair.theirs.read(cookie)
    yield from same("the keys that Flask sees", list(seen), ["_permanent", "cart", "_user_id", "_fresh", "user_id", "_carafe"])
    yield from same("the user in them", seen["_carafe"]["user"], "42")
    yield from same("what is stored under the id before", pair.stored(before), None)
    pair.theirs.write({"b": 2}, cookie)
    request = pair.ours.begin(cookie)
    keys = ["_permanent", "cart", "_user_id", "_fresh", "user_id", "b"]
    yield from same("the user after Flask's change", (request.user, list(request.session)), ("42", keys))
    handle = request.handle
    pair.ours.finish(request, setting("b", 3))
    with pair.theirs.request(cookie) as visit:
        pair.theirs.app.session_interface.regenerate(session)  # type: ignore[attr-defined]
    request = pair.ours.begin(visit.cookie)
    yield from same("user and handle after Flask's new id", (request.user, request.handle), ("42", handle))
    pair.ours.finish(request)
    with pair.theirs.request(visit.cookie) as visit:
        session.clear()
        session["c"] = 1
    request = pair.ours.begin(visit.cookie)
    yield from same("the user after Flask's clear", (request.user, request.session), (None, {"_permanent": True, "c": 1}))
    pair.ours.finish(request)


def ids_of_other_forms(pair: Pair) -> Iterator[Problem]:
    """A session keeps an id of another `SESSION_ID_LENGTH`, or a UUID of Flask-Session before 0.6.
    """
    interface: Any = pair.theirs.app.session_interface
    makers = [lambda _, length=length: secrets.token_urlsafe(length) for length in (1, 8, 16, 24, 31, 33, 48, 64, 128, 143)]
    makers += [lambda _: str(uuid.uuid4()), lambda _: uuid.uuid4().hex]
    for make in makers:
        interface._generate_sid = make
        try:
            cookie = pair.theirs.write({"a": 1})
        finally:
            del interface._generate_sid
        name = name_of(cookie)
        request = pair.ours.begin(cookie)
        seen = (request.session, request.rejection)
        yield from same(f"the session {name}", seen, ({"_permanent": True, "a": 1}, None))
        after_change = pair.ours.finish(request, setting("b", 2))
        yield from same(f"the id of {name} after a change", name_of(after_change), name)
        expected = {"_permanent": True, "a": 1, "b": 2}
        yield from same(f"what Flask reads of {name}", pair.theirs.read(cookie), expected)
        new = pair.ours.visit(cookie, "renew")
        yield from same(f"{name} under a new id", pair.theirs.read(new), expected)
        yield from same(f"what is stored under {name}", pair.stored(cookie), None)
        interface._generate_sid = make
        try:
            cookie = pair.theirs.write({"a": 1})
        finally:
            del interface._generate_sid
        yield from same(f"the cookie of {name} after a log-out", pair.ours.visit(cookie, "logout"), None)
        yield from same(f"what is stored under {name} after it", pair.stored(cookie), None)


def pickles(pair: Pair) -> Iterator[Problem]:
    """A pickle is rejected and left unchanged; after Flask saves it again, it is a session.
    """
    for protocol in range(6):
        cookie = pair.theirs.write({"a": 1})
        pickled = pickle.dumps({"_permanent": True, "n": protocol}, protocol)
        pair.backend.put(name_of(cookie), pickled)
        try:
            pair.ours.visit(cookie, setting("a", 2))
            yield f"a pickle of protocol {protocol} is served"
        except RefusedError as refused:
            yield from same("the word for a pickle", refused.word, "corrupt")
            if "Python pickle" not in str(refused) or "never reads" not in str(refused):
                yield f"a pickle is not refused by name: {refused}"
        yield from same("the pickle after that", pair.stored(cookie), pickled)
        pair.theirs.read(cookie)
        yield from same("the session that Flask made of it", pair.ours.read(cookie), {"_permanent": True, "n": protocol})


def rubbish(pair: Pair) -> Iterator[Problem]:
    """Invalid stored values are rejected and left unchanged; unwritable values change nothing.
    """
    for value in (b"\x81\xa1", b"[1]", b"not a session", b"\x81\xc1\x01"):
        cookie = pair.theirs.write({"a": 1})
        pair.backend.put(name_of(cookie), value)
        try:
            pair.ours.visit(cookie, setting("a", 2))
            yield f"{value!r} is served"
        except RefusedError as refused:
            yield from same(f"the word for {value!r}", refused.word, "corrupt")
        yield from same("the value after that", pair.stored(cookie), value)
    cookie = pair.theirs.write({"a": 1})
    before = pair.stored(cookie)
    for odd in (["2**64", 2**64] if pair.wide else ["half a pair", "\ud800"], ["half a pair", "\ud800"]):
        try:
            pair.ours.visit(cookie, setting("a", 2), setting("odd", odd[1]))
            yield f"{odd[0]} is written"
        except RefusedError as refused:
            yield from same(f"the word for {odd[0]}", refused.word, "unstorable")
        yield from same("the value after that", pair.stored(cookie), before)


def formats(pair: Pair) -> Iterator[Problem]:
    """The other serialization is read, and converted by the next change."""
    content = {"_permanent": True, "n": 1, "s": "Zoë", "f": 1.5, "l": [None, True]}
    other = Theirs(pair.backend, "json" if pair.wide else "msgpack", pair.signed)
    cookie = other.write(content)
    yield from same("the other format", pair.ours.read(cookie), content)
    pair.ours.visit(cookie, setting("n", 2))
    yield from same("the value after a change", pair.stored(cookie), pair.theirs.encoded(content | {"n": 2}))


def signatures(pair: Pair) -> Iterator[Problem]:
    """If ids are signed, a forged or unsigned id is rejected before the store is used."""
    cookie = pair.theirs.write({"a": 1})
    value, _, signature = cookie.partition(".")
    if not pair.signed:
        yield from same("a signature where none is", signature, "")
        return
    forged = [value, f"{value}.", f"{value}.{'A' * len(signature)}", f"{value}.{signature[:-1]}", f"{cookie}."]
    before = asked(pair.backend)
    for bad in forged:
        request = pair.ours.begin(bad)
        refused = request.rejection in ("bad-signature", "malformed")
        yield from same(f"what becomes of {bad!r}", (request.session, refused), ({}, True))
        pair.ours.finish(request)
    yield from same("the commands that it took", asked(pair.backend), before)


def asked(backend: Backend) -> int:
    """Return the number of commands of the database, or 0 if the database does not count them."""
    return backend.commands() if hasattr(backend, "commands") else 0


CHECKS: tuple[Check, ...] = (
    what_flask_writes,
    what_carafe_writes,
    cookies_and_expiry,
    log_outs,
    new_ids,
    log_ins,
    ids_of_other_forms,
    pickles,
    rubbish,
    formats,
    signatures,
)
