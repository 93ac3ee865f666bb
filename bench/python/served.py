"""gunicorn with one worker, and a client that keeps its connection. Shared by the programs beside it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

PATIENCE = 60


@dataclass
class Worker:
    """The one worker of a gunicorn."""

    port: int
    process: psutil.Process

    def cpu(self) -> float:
        """Return the CPU time of its threads in seconds, as Linux counts it in nanoseconds."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def resident(self) -> int:
        """Return its resident memory in bytes."""
        return int(self.process.memory_info().rss)


@contextmanager
def gunicorn(folder: Path, program: str, threads: int = 1, **environment: str) -> Iterator[Worker]:
    """Run the application `app` of `program` in a worker of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "program.py").write_text(program)
    log = folder / "log"
    # The connections wait while another contender is measured.
    options = ["--workers", "1", "--worker-class", "gthread", "--threads", str(threads), "--keep-alive", "3600"]
    command = [sys.executable, "-m", "gunicorn", *options, "--bind", "127.0.0.1:0", "program:app"]
    with log.open("w") as errors:
        server = subprocess.Popen(command, cwd=folder, env=os.environ | environment, stdout=errors, stderr=errors)
    try:
        port = port_of(server, log)
        with Connection(port) as connection:
            connection.get("/ready")
        (worker,) = psutil.Process(server.pid).children()
        yield Worker(port, worker)
    finally:
        server.terminate()
        server.wait()


def port_of(server: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", log.read_text()):
            return int(found.group(1))
        if server.poll() is not None:
            break
        time.sleep(0.05)
    raise SystemExit(f"gunicorn does not start:\n{log.read_text()}")


class Connection:
    """A connection that is kept, and a cookie that follows the responses."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.cookie: bytes | None = None

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def get(self, path: str, cookie: bytes | None = None) -> bytes:
        """Return the body of a response with the status 200."""
        sent = cookie or self.cookie
        line = b"Cookie: session=" + sent + b"\r\n" if sent else b""
        self._socket.sendall(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: x\r\n" + line + b"\r\n")
        head, body = self._read()
        if not head.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(f"{path}: {head.decode('latin-1')}{body.decode('latin-1')}")
        if (set_cookie := re.search(rb"\r\nset-cookie: session=([^;\r]*)", head, re.IGNORECASE)) and cookie is None:
            self.cookie = set_cookie.group(1) or None
        return body

    def _read(self) -> tuple[bytes, bytes]:
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._receive()
        head, body = received[: end + 2], received[end + 4 :]
        length = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
        while len(body) < int(length.group(1) if length else 0):
            body += self._receive()
        return head, body

    def _receive(self) -> bytes:
        got = self._socket.recv(65536)
        if not got:
            raise SystemExit("the server has closed the connection")
        return got
