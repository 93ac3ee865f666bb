"""Round trips in both directions: each program reads the other's cookies with the same meaning.

Payloads are equal byte for byte, and so are whole cookies unless one writer compresses. Compressed
bodies may differ, because DEFLATE leaves choices to the writer; the test then is whether the
library reads Carafe's cookie.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from backends import Backend, Session, Setting
from description import describe_session
from peer_process import Peer, Response
from random_sessions import Sessions
from shrink import smaller_session
from strategies import sessions as odd_sessions
from suites.suite import Suite, first_difference, random_now, random_secret


@dataclass(frozen=True)
class Trip:
    session: Session
    setting: Setting


class RoundTrip(Suite[Trip]):
    claim = "each reads what the other writes; equal to the byte but for zlib"

    def __init__(self, peer: Peer, chance: Random, backend: Backend):
        super().__init__(peer, chance)
        self.name = backend.name
        self.backend = backend
        self.sessions = Sessions(chance, tags=backend.tags)
        self.extra: dict[str, Any] = {}

    def cases(self, count: int) -> list[Trip]:
        setting = self.setting()
        return [Trip(self.sessions.session(), setting) for _ in range(count)]

    def setting(self) -> Setting:
        setting = Setting(random_secret(self.chance), random_now(self.chance))
        if not self.backend.settable or self.chance.random() < 0.7:
            return setting
        return replace(
            setting,
            salt=self.chance.choice(("cookie-session", "", "a.b", "sälz", "s" * 200)),
            key_derivation=self.chance.choice(("hmac", "concat", "django-concat", "none")),
            digest=self.chance.choice(("sha1", "sha256", "sha384", "sha512")),
        )

    def odd_cases(self) -> Any:
        setting = self.setting()
        return odd_sessions(self.backend.tags).map(lambda session: Trip(session, setting))

    def smaller(self, case: Trip) -> Iterator[Trip]:
        yield from (replace(case, setting=setting) for setting in case.setting.smaller())
        yield from (replace(case, session=session) for session in smaller_session(case.session))

    def check(self, cases: list[Trip]) -> list[str | None]:
        setting = cases[0].setting
        theirs = self.backend.write([case.session for case in cases], setting)
        meant = self.backend.read(theirs, setting)
        request = self.request(setting)
        answers = self.peer.ask(
            [request | {"op": "read", "cookie": cookie} for cookie in theirs]
            + [request | {"op": "write", "session": describe_session(case.session)} for case in cases]
        )
        read, written = answers[: len(cases)], answers[len(cases) :]
        problems = [self.reading(*each) for each in zip(read, theirs, meant, strict=True)]
        return [earlier or later for earlier, later in zip(problems, self.writing(written, theirs, meant, setting), strict=True)]

    def request(self, setting: Setting) -> dict[str, Any]:
        request = setting.request() | {"format": self.backend.format} | self.extra
        if not self.backend.settable:
            for name in ("salt", "key_derivation", "digest"):
                del request[name]
        return request

    def reading(self, answer: Response, cookie: str, meant: Any) -> str | None:
        if not answer["ok"]:
            return f"Carafe refuses {cookie!r}: {answer['error']}"
        return first_difference("the payload as read", answer["payload"], self.backend.payload(cookie)) or first_difference(
            "the meaning as read", answer["session"], meant
        )

    def writing(self, answers: list[Response], theirs: list[str], meant: list[Any], setting: Setting) -> list[str | None]:
        problems = [self.as_text(answer, cookie) for answer, cookie in zip(answers, theirs, strict=True)]
        asked = [
            number for number, (answer, cookie) in enumerate(zip(answers, theirs, strict=True)) if answer.get("cookie") != cookie
        ]
        readable = [number for number in asked if problems[number] is None]
        for number, seen in zip(
            readable, self.backend.read([answers[number]["cookie"] for number in readable], setting), strict=True
        ):
            problems[number] = first_difference("what Carafe wrote, as they read it", seen, meant[number])
        return problems

    def as_text(self, answer: Response, theirs: str) -> str | None:
        if not answer["ok"]:
            return f"Carafe cannot write it: {answer['error']}"
        ours = answer["cookie"]
        self.tally["compressed by us"] += ours.startswith(".")
        self.tally["by them"] += theirs.startswith(".")
        if not ours.startswith(".") and not theirs.startswith("."):
            return first_difference("the cookie", ours, theirs)
        self.tally["equal although compressed"] += ours == theirs
        return first_difference("the payload as written", self.backend.payload(ours), self.backend.payload(theirs))
