"""Write `testdata/vectors/`: known answers, made by the real libraries under a stopped clock.

    python3 interop/make_vectors.py [--check] [NAME …]

NAME is a file without its suffix; the default is all files. `--check` compares with the existing
files and writes nothing. Output is the same on every run. Existing lines must not change or
disappear; files only grow.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import environments

TARGET = Path(__file__).resolve().parent.parent / "testdata" / "vectors"
NAMES = (
    "flask_environment",
    "flask_session",
    "itsdangerous",
    "parse_cookie",
    "python_floats",
    "quart",
    "session_accepted",
    "session_rejected",
    "set_cookie",
    "signer_settings",
    "starlette",
)


def main() -> int:
    arguments = parse(sys.argv[1:])
    complaints = [complaint for name in arguments.names or NAMES for complaint in make(name, arguments.check)]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--check", action="store_true", help="compare only")
    return parser.parse_args(arguments)


def make(name: str, check: bool) -> list[str]:
    """Write or compare one file; return its problems."""
    path = TARGET / f"{name}.jsonl"
    rows = list(importlib.import_module(f"vectors.{name}").rows())
    if twice := [key for key, count in Counter(row.get("id", row.get("bits")) for row in rows).items() if count > 1]:
        return [f"{path.name}: more than one line is called {', '.join(twice)}"]
    lines = [line(row) for row in rows]
    before = path.read_text("ascii").splitlines() if path.exists() else []
    if check:
        return [f"{path.name}: differs from what the libraries say"] if lines != before else []
    if lost := set(before) - set(lines):
        return [f"{path.name}: these lines would change or go: {text[:200]}" for text in sorted(lost)]
    path.write_text("".join(f"{text}\n" for text in lines), "ascii")
    print(f"{path.name}: {len(lines)} lines, {len(lines) - len(before)} new")
    return []


def line(row: dict[str, Any]) -> str:
    """Return one line of strict JSON, so that no reader needs Python's extensions."""
    return json.dumps(row, allow_nan=False)


if __name__ == "__main__":
    environments.enter()
    sys.exit(main())
