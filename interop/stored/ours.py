"""Carafe, as the program in `store_peer/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from flask.json.tag import TaggedJSONSerializer

from peer_process import Peer
from stored.theirs import LIFETIME, PREFIX, SECRET, TABLE, Backend, after

TAGGER = TaggedJSONSerializer()


class RefusedError(Exception):
    """Carafe rejected this request: the code and the text of a store error."""

    def __init__(self, word: str, text: str):
        super().__init__(f"{word}: {text}")
        self.word = word


@dataclass
class Request:
    """An open request, with the handler's view of the session."""

    name: str
    cookie: str | None
    session: dict[str, Any]
    user: str | None
    handle: str | None
    rejection: str | None


class Ours:
    """A running program with one store. Not thread-safe."""

    def __init__(self, program: Path):
        self._peer = Peer([program])
        self._numbers = count()

    def use(self, backend: Backend, serialization: str, signed: bool) -> None:
        settings = {"store": backend.store, "url": backend.url, "format": serialization, "prefix": PREFIX, "table": TABLE}
        self._ask({"op": "use", **settings, "lifetime": LIFETIME, "secret": SECRET if signed else None})

    def begin(self, cookie: str | None) -> Request:
        name = f"request {next(self._numbers)}"
        seen = self._ask({"op": "begin", "request": name, "cookie": cookie})
        session = {key: TAGGER.loads(text) for key, text in seen["session"]}
        return Request(name, cookie, session, seen["user"], seen["handle"], seen["rejection"])

    def finish(self, request: Request, *steps: Any) -> str | None:
        """Finish the request and return the browser's cookie."""
        sent = self._ask({"op": "finish", "request": request.name, "steps": list(steps)})
        return after(sent["set_cookie"], request.cookie)

    def visit(self, cookie: str | None, *steps: Any) -> str | None:
        return self.finish(self.begin(cookie), *steps)

    def read(self, cookie: str | None) -> dict[str, Any]:
        request = self.begin(cookie)
        self.finish(request)
        return request.session

    def close(self) -> None:
        self._peer.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = self._peer.ask([request])[0]
        if not answer["ok"]:
            raise RefusedError(answer["error"], answer["text"])
        return answer


def setting(key: str, value: Any) -> dict[str, list[str]]:
    """Return the step that sets a key."""
    return {"set": [key, json.dumps(TAGGER.tag(value), separators=(",", ":"))]}
