"""Applications and stores for the tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, session

from flask_carafe import Carafe

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "suites"))

# No test is about a store that is late, and a busy machine is. Also for the processes of tests.
os.environ.setdefault("FLASK_CARAFE_STORE_TIMEOUT", "30")

KEY = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1"
Make = Callable[..., Flask]


@pytest.fixture
def make() -> Make:
    """Return a function that makes an application with flask-carafe."""

    def make(**settings: Any) -> Flask:
        app = Flask("tests")
        app.config.update({"SECRET_KEY": KEY, "TESTING": True} | settings)
        Carafe(app)
        return app

    return make


@pytest.fixture
def plain() -> Make:
    """Return a function that makes an application with Flask's own sessions."""

    def make(**settings: Any) -> Flask:
        app = Flask("tests")
        app.config.update({"SECRET_KEY": KEY, "TESTING": True} | settings)
        return app

    return make


def visit(app: Flask, handler: Callable[[], Any], cookie: str | None = None) -> str:
    """Run `handler` in a request, and return the cookie after it."""
    with app.test_request_context(headers={"Cookie": cookie} if cookie else {}):
        handler()
        response, current = app.response_class(), session._get_current_object()  # type: ignore[attr-defined]
        app.session_interface.save_session(app, current, response)
        return (response.headers.get("Set-Cookie") or cookie or "").split(";")[0]


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a private Redis."""
    import upstream

    with upstream.redis(str(tmp_path_factory.mktemp("redis"))) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a private Postgres, which refuses to run as root."""
    folder = tmp_path_factory.mktemp("postgres")
    data, port = folder / "data", free_port()
    user: list[str] = []
    if os.geteuid() == 0:
        user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        for parent in (folder, *folder.parents[:2]):
            parent.chmod(0o777)
    programs = postgres_programs()
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    init = [*user, programs / "initdb", "-D", data, "-U", "carafe", "--auth=trust", "--no-sync", "-E", "UTF8"]
    subprocess.run(init, env=environment, check=True, stdout=subprocess.DEVNULL)
    settings = ["-c", f"unix_socket_directories={folder}", "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]
    server = subprocess.Popen(
        [*user, programs / "postgres", "-D", data, "-p", str(port), *settings],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        deadline = time.monotonic() + 120
        while subprocess.run(ready, check=False).returncode:
            assert time.monotonic() < deadline, "Postgres does not start"
            time.sleep(0.1)
        yield f"postgres://carafe@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


@pytest.fixture(scope="session")
def mariadb_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a private MariaDB."""
    folder = tmp_path_factory.mktemp("mariadb")
    port, socket_file = free_port(), folder / "socket"
    # A starting server removes the temporary tables of all servers in its temporary directory.
    common = ["--no-defaults", f"--datadir={folder / 'data'}", f"--tmpdir={folder}", "--innodb-use-native-aio=0"]
    user: list[str] = []
    if os.geteuid() == 0:
        user = ["--user=nobody"]
        for parent in (folder, *folder.parents[:2]):
            parent.chmod(0o777)
    init = ["mariadb-install-db", *common, *user, "--skip-test-db", "--auth-root-authentication-method=normal"]
    subprocess.run(init, check=True, stdout=subprocess.DEVNULL)
    # Without grant tables, `root` needs no password.
    settings = [f"--socket={socket_file}", f"--port={port}", "--bind-address=127.0.0.1", "--skip-grant-tables"]
    server = subprocess.Popen(
        ["/usr/sbin/mariadbd", *common, *user, *settings, "--max-connections=300", "--innodb-flush-log-at-trx-commit=2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        create = ["mariadb", "--no-defaults", "-S", str(socket_file), "-e", "CREATE DATABASE carafe"]
        deadline = time.monotonic() + 120
        while subprocess.run(create, check=False, stderr=subprocess.DEVNULL).returncode:
            assert time.monotonic() < deadline, "MariaDB does not start"
            time.sleep(0.1)
        yield f"mysql://root@127.0.0.1:{port}/carafe"
    finally:
        server.terminate()
        server.wait()


def postgres_programs() -> Path:
    """Return the folder with the programs of the newest Postgres."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found = [path for path in versions if (path / "initdb").exists() and (path / "postgres").exists()]
    assert found, "there is no Postgres; `cargo xtask setup` installs it"
    return found[-1]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
