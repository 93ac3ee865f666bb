"""The Python environments that the real libraries live in, one per requirements file.

An environment is made with pip on first use, below `.carafe/interop/` (not in version control), and found again by the
hash of its requirements file; after that nothing here needs the network.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOME = HERE.parent / ".carafe" / "interop"

CURRENT = "requirements.txt"
OLDEST = "requirements-oldest.txt"
OLD_PARSER = "requirements-old-parser.txt"


def python(requirements: str) -> Path:
    """The interpreter that has exactly these requirements; made when it is missing."""
    wanted = HERE / requirements
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()[:12]
    home = HOME / f"{wanted.stem}-{digest}"
    interpreter = home / "bin" / "python"
    ready = home / "ready"
    if not ready.exists():
        venv.create(home, clear=True, with_pip=True)
        subprocess.run([interpreter, "-m", "pip", "install", "--quiet", "-r", wanted], check=True)
        ready.touch()
    return interpreter


def enter(requirements: str = CURRENT) -> None:
    """Go on in that environment: replaces this process unless it already runs there."""
    interpreter = python(requirements)
    if Path(sys.prefix).resolve() != interpreter.parent.parent.resolve():
        os.execv(interpreter, [str(interpreter), *sys.argv])
