"""Every single-bit flip and every truncation of a genuine cookie is refused."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from backends import Backend, Flask, Quart, Setting, Starlette
from clock import T
from peer_process import Peer, Request
from random_sessions import Sessions
from suites.suite import Suite, random_secret


@dataclass(frozen=True)
class Token:
    backend: Backend
    cookie: str
    setting: Setting


class Tamper(Suite[Token]):
    name = "tampering"
    claim = "no flipped bit and no truncation of a genuine cookie is taken"
    batch = 10

    def __init__(self, peer: Peer, chance: Random):
        super().__init__(peer, chance)
        self.backends: list[Backend] = [Flask(), Quart(), Starlette()]

    def cases(self, count: int) -> list[Token]:
        backend = self.chance.choice(self.backends)
        sessions = Sessions(self.chance, backend.tags)
        setting = Setting(random_secret(self.chance), T)
        cookies = backend.write([sessions.session() for _ in range(count)], setting)
        return [Token(backend, cookie, setting) for cookie in cookies]

    def check(self, cases: list[Token]) -> list[str | None]:
        requests: list[Request] = [
            {"op": "refuse", "format": case.backend.format, "secret": case.setting.secret, "now": T, "cookies": wrong(case.cookie)}
            for case in cases
        ]
        answers = self.peer.ask(requests)
        self.tally["changed cookies"] += sum(len(request["cookies"]) for request in requests)
        return [
            f"taken although changed: {request['cookies'][answer['taken'][0]]!r}" if answer["taken"] else None
            for request, answer in zip(requests, answers, strict=True)
        ]


def wrong(cookie: str) -> list[str]:
    """Every other cookie that one flipped bit or a cut at the end makes of it, one character per byte."""
    flipped = [
        cookie[:index] + chr(ord(character) ^ 1 << bit) + cookie[index + 1 :]
        for index, character in enumerate(cookie)
        for bit in range(8)
    ]
    return flipped + [cookie[:length] for length in range(len(cookie))]
