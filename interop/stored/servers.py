"""Private database servers: in a temporary directory, on a free port, removed at exit."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NOBODY = 65534
STARTED_WITHIN = 60


class ServerError(Exception):
    """A database did not start."""


@contextmanager
def redis() -> Iterator[int]:
    with _directory() as home:
        port = _free_port()
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(home), "--save", ""]
        with _running([*command, "--appendonly", "no"], home, ["redis-cli", "-p", str(port), "PING"]):
            yield port


@contextmanager
def postgres() -> Iterator[int]:
    versions = sorted(Path("/usr/lib/postgresql").iterdir(), key=lambda version: int(version.name))
    programs, port = versions[-1] / "bin", _free_port()
    with _directory() as home:
        data = home / "data"
        _do([programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"], home)
        settings = ["listen_addresses=127.0.0.1", f"unix_socket_directories={home}", "fsync=off"]
        options = [part for setting in settings for part in ("-c", setting)]
        command: list[str | Path] = [programs / "postgres", "-D", data, "-p", str(port), *options]
        ready = ["psql", "-XqAt", "-d", f"postgres://postgres@127.0.0.1:{port}/postgres", "-c", "SELECT 1"]
        with _running(command, home, ready):
            yield port


@contextmanager
def mariadb() -> Iterator[int]:
    with _directory() as home:
        port, native = _free_port(), "--innodb-use-native-aio=0"
        data = f"--datadir={home}/data"
        _do(["mariadb-install-db", "--no-defaults", data, "--skip-test-db", native, f"--tmpdir={home}"], home)
        command = ["/usr/sbin/mariadbd", "--no-defaults", data, f"--port={port}", "--bind-address=127.0.0.1", native]
        command += [f"--socket={home}/socket", "--skip-grant-tables", f"--tmpdir={home}", "--innodb-flush-log-at-trx-commit=2"]
        ready = ["mariadb", "--no-defaults", "-S", f"{home}/socket", "-e", "CREATE DATABASE IF NOT EXISTS carafe"]
        with _running(command, home, ready):
            yield port


@contextmanager
def _running(command: Sequence[str | Path], home: Path, ready: list[str]) -> Iterator[None]:
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, **_unprivileged())
    try:
        started = time.monotonic()
        while subprocess.run(ready, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
            if server.poll() is not None or time.monotonic() - started > STARTED_WITHIN:
                raise ServerError(f"{command[0]} does not answer:\n{(home / 'log').read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield
    finally:
        server.kill()
        server.wait()


@contextmanager
def _directory() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="carafe-interop-"))
    try:
        if os.geteuid() == 0:
            os.chown(home, NOBODY, NOBODY)
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _do(command: Sequence[str | Path], home: Path) -> None:
    done = subprocess.run(command, capture_output=True, check=False, cwd=home, **_unprivileged())
    if done.returncode:
        raise ServerError(f"{command[0]}: {done.stderr.decode(errors='replace')[-2000:]}")


def _unprivileged() -> dict[str, Any]:
    """Return the arguments that drop root privileges: databases refuse to run as root."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
