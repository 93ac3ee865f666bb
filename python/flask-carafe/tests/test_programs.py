"""The tutorial programs, unmodified: flask-carafe answers and prints as plain Flask does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

INTEROP = Path(__file__).resolve().parents[3] / "interop"
sys.path.insert(0, str(INTEROP))

import twins  # noqa: E402


@pytest.mark.parametrize("program", sorted(twins.PROGRAMS))
def test_a_program_answers_and_prints_as_with_flask(program: str) -> None:
    source = INTEROP / "tutorials" / f"{program}.py"
    plain = [sys.executable, "-u", source]
    ours = [sys.executable, "-u", "-m", "flask_carafe", source]
    with twins.started(plain, {}) as original, twins.started(ours, {}) as twin:
        pair = twins.Pair(original, twin, encrypted=False)
        pair.go(twins.PROGRAMS[program])
        pair.forget()
        pair.go(twins.walk(program, Random(program)))
        pair.forged(program)
    assert pair.answers > 60
    assert pair.problems() == []


TUTORIAL = """
from flask import Flask, session
app = Flask(__name__)
app.config["SECRET_KEY"] = "123456"

@app.route("/")
def index():
    session["n"] = session.get("n", 0) + 1
    return str(type(session._get_current_object()).__module__)

if __name__ == "__main__":
    import os
    from werkzeug.serving import make_server
    server = make_server("127.0.0.1", 0, app)
    print(f"listening on http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()
"""


def test_a_published_key_runs_with_one_warning_that_names_the_remedy(tmp_path: Path) -> None:
    program = tmp_path / "tutorial.py"
    program.write_text(TUTORIAL)
    with served([sys.executable, "-u", "-m", "flask_carafe", program]) as (port, process):
        browser = twins.Browser(port)
        bodies = [browser.request("GET", "/").body for _ in range(3)]
        process.terminate()
        errors = process.communicate()[1]
    assert bodies == [b"flask_carafe._session"] * 3
    assert errors.count("WeakKeyWarning") == 1
    assert "SECRET_KEY" in errors
    assert "123456" not in errors


def test_a_strict_application_refuses_a_published_key(tmp_path: Path) -> None:
    program = tmp_path / "tutorial.py"
    program.write_text(TUTORIAL)
    settings = {"FLASK_CARAFE_STRICT_KEYS": "true"}
    with served([sys.executable, "-u", "-m", "flask_carafe", program], settings) as (port, process):
        answer = twins.Browser(port).request("GET", "/")
        process.terminate()
        errors = process.communicate()[1]
    assert answer.status == 500
    assert "WeakKeyError" in errors


def test_the_flask_command_activates_by_a_variable(tmp_path: Path) -> None:
    (tmp_path / "tutorial.py").write_text(TUTORIAL)
    code = "print(app.session_interface.__class__.__module__)"
    shell = [sys.executable, "-m", "flask", "--app", "tutorial", "shell"]
    for value, module in (("1", "flask_carafe._interface"), ("0", "flask.sessions")):
        environment = os.environ | {"FLASK_CARAFE": value}
        done = subprocess.run(
            shell, cwd=tmp_path, env=environment, input=code, capture_output=True, text=True, check=True, timeout=120
        )
        assert module in done.stdout


def test_a_missing_program_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask_carafe", "nowhere.py"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1
    assert done.stderr == "flask_carafe: there is no file 'nowhere.py'\n"


@contextmanager
def served(command: list[str | Path], settings: dict[str, str] | None = None) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    process = subprocess.Popen(
        command, env=os.environ | (settings or {}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        ready = re.search(r":(\d+)$", process.stdout.readline())
        assert ready
        yield int(ready.group(1)), process
    finally:
        process.kill()
        process.wait()
