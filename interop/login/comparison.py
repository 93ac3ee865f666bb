"""Flask-Login's own tests, and the scenarios, in a separate environment."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import environments
from twins import Finding

VERSION = "0.6.3"
TESTS = 114
PASSED = re.compile(r"^(\d+) passed", re.MULTILINE)
USED = re.compile(r"carafe: (\d+) sessions read, (\d+) cookies written")
HALVES = {
    "reads": "on sessions that Flask writes and Carafe reads",
    "writes": "on sessions that Carafe writes and Flask reads",
    "both": "on Carafe's sessions",
}


def run(program: Path) -> Iterator[Finding]:
    program = program.resolve()
    python = environments.python(environments.FLASK_LOGIN)
    source = fetched(python)
    for half, claim in HALVES.items():
        yield their_tests(program, python, source, half, claim)
    yield scenarios(program, python)


def fetched(python: Path) -> Path:
    """Return the path of the source distribution, because PyPI's wheel contains no tests."""
    home = environments.TARGET / "flask-login"
    source = home / f"Flask-Login-{VERSION}"
    if not (source / "tests").is_dir():
        home.mkdir(parents=True, exist_ok=True)
        pip = [python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "--no-binary", ":all:", "--dest", home, f"flask-login=={VERSION}"], check=True)
        (archive,) = home.glob("*.tar.gz")
        with tarfile.open(archive) as files:
            files.extractall(home, filter="data")
    return source


def their_tests(program: Path, python: Path, source: Path, half: str, claim: str) -> Finding:
    settings = {"CARAFE_PEER": str(program), "CARAFE_HALF": half, "PYTHONPATH": str(environments.HERE)}
    command = [python, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", "-p", "login.carafe_sessions", "tests"]
    done = subprocess.run(command, cwd=source, env=os.environ | settings, capture_output=True, text=True, check=False)
    passed = PASSED.search(done.stdout)
    count = int(passed.group(1)) if passed else 0
    used = USED.search(done.stdout)
    problems = []
    if done.returncode != 0 or count != TESTS:
        problems.append(f"{count} of {TESTS} tests pass:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    elif used is None or sum(map(int, used.groups())) < TESTS // 2:
        problems.append(f"Carafe was hardly used: {used and used.group()}")
    return Finding(f"Flask-Login {VERSION}'s own tests pass {claim}", count, problems)


def scenarios(program: Path, python: Path) -> Finding:
    command = [python, "-m", "login.scenarios", program]
    done = subprocess.run(command, cwd=environments.HERE, capture_output=True, text=True, check=False)
    claim = "log-ins, log-outs and messages of Flask-Login's side and Carafe's hold for both"
    if done.returncode != 0:
        return Finding(claim, 0, [f"{done.stdout[-2000:]}{done.stderr[-4000:]}"])
    report = json.loads(done.stdout)
    return Finding(claim, report["looks"], report["problems"])
