"""A library writes, Carafe changes one key, the library reads the rest unchanged.

In the payload every other value keeps its bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from random import Random
from typing import Any

from flask.json.tag import TaggedJSONSerializer

import flask_side
from backends import Flask, Session, Setting
from clock import stopped
from description import describe
from peer_process import Peer, Request, Response
from random_sessions import TAGS
from shrink import smaller_session, smaller_value
from strategies import sessions as odd_sessions
from suites.suite import Suite, first_difference, random_now, random_secret

STYLES = ("flask", "flask", "unsorted", "raw", "spaced", "strange")
STRANGE = ',"zz odd":[1.50,1E+2,-0,1e400,"\\u0041\\/\\u00E9",{" zz":{"b":1,"a":[ ]}} ,\t{}]}'
TAGGER = TaggedJSONSerializer()
SPACE = re.compile(r"[ \t\r\n]*")


class Removed(Enum):
    REMOVED = "removed"


REMOVED = Removed.REMOVED


@dataclass(frozen=True)
class Edit:
    session: Session
    style: str
    """The writer: Flask, Flask with other JSON options, or a program with another JSON style."""
    key: str
    value: Any
    """The new value; `REMOVED` removes the key."""
    setting: Setting


class Edits(Suite[Edit]):
    name = "edit"
    claim = "Carafe changes one key of a Flask session, every other value keeps its bytes and meaning"

    def __init__(self, peer: Peer, chance: Random):
        super().__init__(peer, chance)
        self.flask = Flask()

    def cases(self, count: int) -> list[Edit]:
        setting = Setting(random_secret(self.chance), random_now(self.chance))
        return [self._edit(self.sessions.session(), setting) for _ in range(count)]

    def _edit(self, session: Session, setting: Setting) -> Edit:
        known = self.chance.random() < 0.6
        key = self.chance.choice(list(session)) if known else self.sessions.key()
        value = REMOVED if self.chance.random() < 0.25 else self.sessions.value(1)
        return Edit(session, self.chance.choice(STYLES), key, value, setting)

    def odd_cases(self) -> Any:
        setting = Setting(random_secret(self.chance), random_now(self.chance))
        return odd_sessions().map(lambda session: self._edit(session, setting))

    def smaller(self, case: Edit) -> Iterator[Edit]:
        yield from (replace(case, setting=setting) for setting in case.setting.smaller())
        yield from (replace(case, session=session) for session in smaller_session(case.session))
        if case.value is not REMOVED:
            yield from (replace(case, value=value) for value in smaller_value(case.value))
        yield from (replace(case, style=style) for style in STYLES if STYLES.index(style) < STYLES.index(case.style))

    def check(self, cases: list[Edit]) -> list[str | None]:
        setting = cases[0].setting
        serializer = flask_side.text_serializer(setting.secret)
        with stopped(setting.now):
            before = [serializer.dumps(written(case)).decode() for case in cases]
        request = setting.request() | {"format": "flask", "op": "edit"}
        answers = self.peer.ask([request | {"cookie": cookie} | change(case) for cookie, case in zip(before, cases, strict=True)])
        meant = self.flask.read(before, setting)
        seen = iter(self.flask.read([answer["cookie"] for answer in answers if answer.get("cookie")], setting))
        return [
            refused(answer) or (removal(case, old) if answer["cookie"] is None else edited(case, old, next(seen), cookie, answer))
            for case, old, cookie, answer in zip(cases, meant, before, answers, strict=True)
        ]


def change(case: Edit) -> Request:
    key = describe(case.key)
    return {"remove": key} if case.value is REMOVED else {"set": [key, describe(case.value)]}


def written(case: Edit) -> str:
    """Return the session's JSON text in the style of its writer."""
    tagged = TAGGER.tag(case.session)
    if case.style == "flask":
        return json.dumps(tagged, separators=(",", ":"), sort_keys=True)
    if case.style == "unsorted":
        return json.dumps(tagged, separators=(",", ":"))
    if case.style == "raw":
        return as_utf8(json.dumps(tagged, separators=(",", ":"), sort_keys=True, ensure_ascii=False), tagged)
    spaced = json.dumps(tagged, indent="\t", separators=(" ,", " :  "))
    return spaced if case.style == "spaced" else spaced[:-1].rstrip() + STRANGE


def as_utf8(text: str, tagged: Any) -> str:
    """Return the raw text if UTF-8 can represent it: lone surrogates cannot be sent."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(tagged, separators=(",", ":"), sort_keys=True)
    return text


def refused(answer: Response) -> str | None:
    return None if answer["ok"] else f"Carafe refuses to edit it: {answer['error']}"


def removal(case: Edit, old: list[Any]) -> str | None:
    """Check that the cookie is removed only if the session is empty."""
    left = [pair for pair in old if pair[0] != describe(case.key)]
    return f"the cookie is gone, but {left!r} should be left" if left or case.value is not REMOVED else None


def edited(case: Edit, old: list[Any], seen: Any, before: str, answer: Response) -> str | None:
    payload = flask_side.payload_of(answer["cookie"])
    return (
        first_difference("the payload that Carafe reports", answer["payload"], payload)
        or first_difference("the meaning", pairs(seen or []), pairs(expected(case, old)))
        or first_difference(
            "the text of the other values", *both(others(payload, case.key), others(flask_side.payload_of(before), case.key))
        )
        or (first_difference("the payload of a sorted session", payload, as_flask_would(case)) if case.style == "flask" else None)
    )


def expected(case: Edit, old: list[Any]) -> list[Any]:
    key = describe(case.key)
    left = [pair for pair in old if pair[0] != key]
    return left if case.value is REMOVED else [*left, [key, describe(as_flask_reads(case.value))]]


def as_flask_reads(value: Any) -> Any:
    """Return the value with sorted inner dictionaries."""
    return TAGGER.loads(json.dumps(TAGGER.tag(value), sort_keys=True))


def as_flask_would(case: Edit) -> str:
    session = {key: value for key, value in case.session.items() if key != case.key}
    if case.value is not REMOVED:
        session[case.key] = case.value
    return written(replace(case, session=session))


def pairs(description: list[Any]) -> dict[str, Any]:
    """Return a described session without its order."""
    return {str(key): value for key, value in description}


def others(payload: str, key: str) -> dict[str, str] | None:
    """Return the JSON text of each other member; None if the root is an escaped dictionary."""
    members = dict(top_level(payload))
    if len(members) == 1 and next(iter(members)) in TAGS:
        return None
    return {name: text for name, text in members.items() if name != key}


def both(ours: dict[str, str] | None, theirs: dict[str, str] | None) -> tuple[Any, Any]:
    """Return both texts, unless a root is escaped, which changes the text of its only value."""
    return (ours, theirs) if ours is not None and theirs is not None else (None, None)


def top_level(payload: str) -> Iterator[tuple[str, str]]:
    """Yield the members of an object, with the text of each value."""
    decoder = json.JSONDecoder()
    position = skip(payload, skip(payload, 0) + 1)
    while payload[position] != "}":
        name, position = decoder.raw_decode(payload, position)
        start = skip(payload, skip(payload, position) + 1)
        _, end = decoder.raw_decode(payload, start)
        yield name, payload[start:end]
        position = skip(payload, end)
        if payload[position] == ",":
            position = skip(payload, position + 1)


def skip(text: str, position: int) -> int:
    found = SPACE.match(text, position)
    assert found is not None
    return found.end()
