"""The Rust peer as a child process: one JSON object per line in, one per line out, in order."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any

Request = dict[str, Any]
Response = dict[str, Any]


class PeerError(Exception):
    """The peer violated the protocol or crashed: a bug of the peer, never a finding about a cookie.
    """


class Peer:
    """A running peer. `ask` sends a whole batch, so that the pipe is not a bottleneck."""

    def __init__(self, command: list[str | Path]):
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.asked: list[Request] = []

    def ask(self, requests: list[Request]) -> list[Response]:
        """Return the answers to the requests, in order.

        `asked` keeps the requests for a reproduction.
        """
        self.asked = requests
        writer = Thread(target=self._send, args=("".join(line(request) for request in requests).encode(),))
        writer.start()
        answers = [self._receive(request) for request in requests]
        writer.join()
        return answers

    def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # the reader reports the request at which the peer exited
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def _receive(self, request: Request) -> Response:
        assert self._process.stdout is not None
        text = self._process.stdout.readline()
        if not text:
            raise PeerError(f"the peer ended (exit code {self._process.wait()}) at {shown(request)}")
        answer: Response = json.loads(text)
        if "fault" in answer:
            raise PeerError(f"the peer says {answer['fault']!r} to {shown(request)}")
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # the peer may have exited already
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def line(request: Request) -> str:
    return json.dumps(request, separators=(",", ":")) + "\n"


def shown(request: Request, limit: int = 2000) -> str:
    """Return a readable request, truncated if it is long."""
    text = line(request).rstrip()
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"
