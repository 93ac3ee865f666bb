"""Runs the test suites of other projects on flask-carafe.

Each suite comes from its source distribution on PyPI, which is downloaded once and never committed.
`not_applicable.json` lists the tests that must fail, with the reason; a listed test that passes is a
failure too, so that the list stays true. A control run with a deliberate breakage must fail.

    python tests/suites/upstream.py [suite…]
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("CARAFE_SUITES", HERE.parent.parent / "target" / "suites"))


@dataclass(frozen=True)
class Suite:
    project: str
    tests: tuple[str, ...]
    count: int
    """How many tests there are, so that none is lost."""
    settings: dict[str, str] = field(default_factory=dict)
    breaks: tuple[str, ...] = ()
    """Breakages that the suite must notice."""
    uses: str | None = "sessions"
    """What of the extension the suite must use."""


FLASK = ("flask", ("tests",), 490)
STARLETTE = ("starlette", ("tests/middleware/test_session.py",), 29)
MIDDLEWARE = {"CARAFE_MIDDLEWARE": "1"}
NOT_RUN = "not run"
"""The key of the list for projects none of whose tests apply."""
SUITES = {
    "flask": Suite(*FLASK, breaks=("forget", "no-vary", "stale")),
    "flask-memory": Suite(*FLASK, {"FLASK_CARAFE_STORE": "memory:"}, ("forget",)),
    "flask-sqlite": Suite(*FLASK, {"FLASK_CARAFE_STORE": "sqlite:{folder}/sessions.db"}),
    "flask-redis": Suite(*FLASK, {"FLASK_CARAFE_STORE": "{redis}"}),
    "flask-session-redis": Suite(*FLASK, {"FLASK_CARAFE_STORE": "{redis}", "FLASK_CARAFE_LAYOUT": "flask-session"}),
    "itsdangerous": Suite("itsdangerous", ("tests",), 297, breaks=("accept",), uses="signatures"),
    "flask-login": Suite("flask-login", ("tests",), 114, breaks=("forget",)),
    "flask-wtf": Suite("flask-wtf", ("tests",), 58, breaks=("forget",)),
    "starlette": Suite(*STARLETTE, MIDDLEWARE, ("forget", "no-vary")),
    "starlette-redis": Suite(*STARLETTE, MIDDLEWARE | {"FLASK_CARAFE_STORE": "{redis}"}, ("forget",)),
}


def main(names: list[str]) -> int:
    reasons = json.loads((HERE / "not_applicable.json").read_text(encoding="utf-8"))
    chosen = names or list(SUITES)
    if unknown := reasons.keys() - SUITES.keys() - {NOT_RUN} or reasons[NOT_RUN].keys() & SUITES.keys():
        raise SystemExit(f"not_applicable.json names {', '.join(sorted(unknown))}, which it must not")
    for project in sorted({SUITES[name].project for name in chosen}):
        fetched(project)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        results = threads.map(lambda name: list(run(name, SUITES[name], reasons.get(name, {}))), chosen)
        problems = [problem for found in results for problem in found]
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)
    return 1 if problems else 0


class MissingError(Exception):
    """This machine lacks a program. `cargo xtask setup` installs it."""


def run(name: str, suite: Suite, reasons: dict[str, str]) -> Iterator[str]:
    source = fetched(suite.project)
    with settings(suite) as environment:
        report = outcomes(source, suite, environment, None)
        failed = {test for test, outcome in report["outcomes"].items() if outcome == "failed"}
        total = len(report["outcomes"])
        print(f"{name}: {total - len(failed)} of {total} pass, {len(reasons)} are not applicable", flush=True)
        if total != suite.count:
            yield f"{name}: {total} tests have run, and {suite.count} are expected"
        yield from (f"{name}: fails: {test}" for test in sorted(failed - reasons.keys()))
        yield from (f"{name}: passes, so it must leave the list: {test}" for test in sorted(reasons.keys() - failed))
        if suite.uses is not None and not report["used"][suite.uses]:
            yield f"{name}: the extension was not used"
        for breakage in suite.breaks:
            broken = outcomes(source, suite, environment, breakage)["outcomes"]
            noticed = {test for test, outcome in broken.items() if outcome == "failed"} - failed
            print(f"{name}: with the breakage {breakage!r}, {len(noticed)} tests fail", flush=True)
            if not noticed:
                yield f"{name}: the breakage {breakage!r} goes unnoticed"


def outcomes(source: Path, suite: Suite, environment: dict[str, str], breakage: str | None) -> dict[str, dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        # A busy machine may let a store be late.
        patience = {"FLASK_CARAFE_STORE_TIMEOUT": "30"}
        settings = {"CARAFE_REPORT": str(report), "PYTHONPATH": str(HERE), **patience, **environment}
        if breakage is not None:
            settings["CARAFE_BREAK"] = breakage
        command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", "-p", "carafe_plugin"]
        done = subprocess.run(
            [*command, *suite.tests], cwd=source, env=os.environ | settings, capture_output=True, text=True, check=False
        )
        if not report.exists():
            raise SystemExit(f"{suite.project}: the tests did not run:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
        if os.environ.get("CARAFE_VERBOSE") and breakage is None:
            print(done.stdout[-20000:])
        return json.loads(report.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@contextmanager
def settings(suite: Suite) -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        if not any("{redis}" in value for value in suite.settings.values()):
            yield {name: value.format(folder=folder) for name, value in suite.settings.items()}
            return
        with redis(folder) as url:
            yield {name: value.format(redis=url) for name, value in suite.settings.items()}


@contextmanager
def redis(folder: str) -> Iterator[str]:
    """Run a private Redis."""
    program = shutil.which("redis-server")
    if program is None:
        raise MissingError("there is no redis-server; `cargo xtask setup` installs it")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [program, "--port", str(port), "--save", "", "--dir", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if time.monotonic() > deadline:
                raise SystemExit("Redis does not start")
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


def fetched(project: str) -> Path:
    """Return the folder of the project's source distribution, which is downloaded if it is missing."""
    version = pinned(project)
    home = CACHE / f"{project}-{version}"
    if not home.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
            source = ["--no-deps", "--no-binary", ":all:", "--dest", folder, f"{project}=={version}"]
            subprocess.run([*pip, *source], check=True)
            (archive,) = Path(folder).glob("*.tar.gz")
            with tarfile.open(archive) as files:
                files.extractall(folder, filter="data")
            (unpacked,) = (path for path in Path(folder).iterdir() if path.is_dir())
            unpacked.rename(home)
    return home


def pinned(project: str) -> str:
    text = (HERE / "requirements.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(project)}==(\S+)$", text, re.MULTILINE)
    assert found, project
    return found.group(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
