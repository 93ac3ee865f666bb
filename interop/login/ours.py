"""Carafe with cookies that it shares with Flask, as the program in `store_peer/`."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from flask.json.tag import TaggedJSONSerializer

from peer_process import Peer

TAGGER = TaggedJSONSerializer()
Step = str | dict[str, Any]


class Ours:
    """A running program with the sessions of one secret. Not thread-safe."""

    def __init__(self, program: Path, secret: str, lifetime: int, preset: str = "flask"):
        self._peer = Peer([program])
        self._numbers = count()
        store = {"store": "cookie", "url": "", "format": "json", "prefix": "", "table": None}
        self._ask({"op": "use", **store, "lifetime": lifetime, "secret": secret, "preset": preset})

    def visit(self, cookie: str | None, *steps: Step, client: dict[str, Any] | None = None) -> tuple[dict[str, str], list[str]]:
        """Run a request; return the handler's view as JSON texts, and the `Set-Cookie` headers."""
        name = f"request {next(self._numbers)}"
        seen = self._ask({"op": "begin", "request": name, "cookie": cookie, "client": client})
        sent = self._ask({"op": "finish", "request": name, "steps": list(steps)})
        headers = (sent["set_cookie"], sent["remember_cookie"])
        return dict(seen["session"]), [header for header in headers if header is not None]

    def close(self) -> None:
        self._peer.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = self._peer.ask([request])[0]
        assert answer["ok"], answer
        return answer


def text_of(value: Any) -> str:
    return TAGGER.dumps(value)
