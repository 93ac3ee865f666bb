"""The Python environments of the real libraries, one per requirements file.

They are below `target/venv/`, where `cargo xtask setup` creates them too. An environment that is
missing or was created from other requirements is created with pip at the first use. After that no
network is necessary.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))

CURRENT, OLDEST, OLD_PARSER, FLASK_LOGIN, TOKENS = "interop", "oldest", "old-parser", "flask-login", "tokens"
REQUIREMENTS = {
    CURRENT: "requirements.txt",
    OLDEST: "requirements-oldest.txt",
    OLD_PARSER: "requirements-old-parser.txt",
    FLASK_LOGIN: "requirements-flask-login.txt",
    TOKENS: "requirements-tokens.txt",
}


def python(name: str) -> Path:
    """Return the interpreter of the environment, creating the environment if necessary."""
    wanted = HERE / REQUIREMENTS[name]
    home = TARGET / "venv" / name
    interpreter, stamp = home / "bin" / "python", home / "requirements.stamp"
    if not (interpreter.exists() and stamp.exists() and stamp.read_text() == wanted.read_text()):
        venv.create(home, clear=True, with_pip=True)
        install: list[str | Path] = [
            interpreter,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
            wanted,
        ]
        subprocess.run(install, check=True)
        stamp.write_text(wanted.read_text())
    return interpreter


def enter(name: str = CURRENT) -> None:
    """Continue in that environment: replaces this process unless it already runs there."""
    interpreter = python(name)
    if Path(sys.prefix).resolve() != interpreter.parent.parent.resolve():
        os.execv(interpreter, [str(interpreter), *sys.argv])
