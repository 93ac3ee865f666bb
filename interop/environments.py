"""The Python environments that the real libraries live in, one per requirements file.

They are below `target/venv/`, where `cargo xtask setup` puts them too; what is missing or was made from other
requirements is made here with pip on first use. After that nothing needs the network.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))

CURRENT, OLDEST, OLD_PARSER = "interop", "oldest", "old-parser"
REQUIREMENTS = {
    CURRENT: "requirements.txt",
    OLDEST: "requirements-oldest.txt",
    OLD_PARSER: "requirements-old-parser.txt",
}


def python(name: str) -> Path:
    """The interpreter of the environment, made when it is missing."""
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
    """Go on in that environment: replaces this process unless it already runs there."""
    interpreter = python(name)
    if Path(sys.prefix).resolve() != interpreter.parent.parent.resolve():
        os.execv(interpreter, [str(interpreter), *sys.argv])
