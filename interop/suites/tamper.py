"""Changed cookies are rejected: all single-bit flips and truncations of some, forgeries of many."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from backends import Backend, Flask, Quart, Setting, Starlette
from clock import T
from description import describe_session
from peer_process import Peer, Request, Response
from random_sessions import Sessions
from suites.suite import Suite, random_secret

FORGERIES = 10_000
"""Number of forgeries per cookie."""


@dataclass(frozen=True)
class Token:
    format: str
    cookie: str
    setting: Setting

    def request(self) -> Request:
        return {"format": self.format, "secret": self.setting.secret, "now": T}


class Tamper(Suite[Token]):
    name = "tampering"
    claim = "no flipped bit and no truncation of a genuine cookie is taken"
    batch = 10

    def __init__(self, peer: Peer, chance: Random):
        super().__init__(peer, chance)
        self.backends: list[Backend] = [Flask(), Quart(), Starlette()]

    def cases(self, count: int) -> list[Token]:
        return self.theirs(self.chance.choice(self.backends), count)

    def theirs(self, backend: Backend, count: int) -> list[Token]:
        sessions = Sessions(self.chance, backend.tags)
        setting = Setting(random_secret(self.chance), T)
        cookies = backend.write([sessions.session() for _ in range(count)], setting)
        return [Token(backend.format, cookie, setting) for cookie in cookies]

    def encrypted(self, count: int) -> list[Token]:
        """Return tokens of Carafe's own format, which only the peer can write."""
        blank = Token("encrypted", "", Setting(random_secret(self.chance), T))
        request = blank.request() | {"op": "write"}
        answers = self.peer.ask([request | {"session": describe_session(self.sessions.session())} for _ in range(count)])
        return [Token(blank.format, answer["cookie"], blank.setting) for answer in answers]

    def check(self, cases: list[Token]) -> list[str | None]:
        requests: list[Request] = [
            case.request() | {"op": "refuse", "cookies": [*wrong(case.cookie), case.cookie]} for case in cases
        ]
        answers = self.peer.ask(requests)
        self.tally["changed cookies"] += sum(len(request["cookies"]) - 1 for request in requests)
        return [verdict(request["cookies"], answer["taken"]) for request, answer in zip(requests, answers, strict=True)]


class TamperEncrypted(Tamper):
    name = "encrypted"
    claim = "the same of Carafe's encrypted cookies"

    def cases(self, count: int) -> list[Token]:
        return self.encrypted(count)


class Forgery(Tamper):
    name = "forgery"
    claim = "no cookie with two bytes changed at random is taken"

    def cases(self, count: int) -> list[Token]:
        return [*self.theirs(self.backends[0], count), *self.encrypted(count)]

    def check(self, cases: list[Token]) -> list[str | None]:
        how = {"op": "mutate", "count": FORGERIES}
        requests: list[Request] = [
            case.request() | how | {"cookie": case.cookie, "seed": self.chance.getrandbits(64)} for case in cases
        ]
        for case in cases:
            self.tally[f"forgeries of {case.format} cookies"] += FORGERIES
        return [forged(answer) for answer in self.peer.ask(requests)]


def verdict(cookies: list[str], taken: list[int]) -> str | None:
    """Report accepted changes.

    The last cookie is genuine: rejecting it would make the test pointless.
    """
    if taken[-1:] != [len(cookies) - 1]:
        return f"refused although genuine: {cookies[-1]!r}"
    return f"taken although changed: {cookies[taken[0]]!r}" if len(taken) > 1 else None


def forged(answer: Response) -> str | None:
    if not answer["ok"]:
        return f"refused although genuine: {answer['error']}"
    return f"taken although changed: {answer['taken'][0]!r}" if answer["taken"] else None


def wrong(cookie: str) -> list[str]:
    """Return every cookie with one flipped bit or a truncation, one character per byte."""
    flipped = [
        cookie[:index] + chr(ord(character) ^ 1 << bit) + cookie[index + 1 :]
        for index, character in enumerate(cookie)
        for bit in range(8)
    ]
    return flipped + [cookie[:length] for length in range(len(cookie))]
