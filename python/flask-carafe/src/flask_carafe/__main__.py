"""Runs a program with flask-carafe activated: `python -m flask_carafe program.py [arguments]`."""

from __future__ import annotations

import os
import runpy
import sys

from . import activate


def main() -> None:
    """Run the program as `__main__`, as Python itself would."""
    if len(sys.argv) < 2:
        sys.exit("usage: python -m flask_carafe program.py [arguments]")
    program, arguments = sys.argv[1], sys.argv[2:]
    if not os.path.exists(program):
        sys.exit(f"flask_carafe: there is no file {program!r}")
    activate()
    keep_in_reloader([program, *arguments])
    sys.argv = [program, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(program))
    runpy.run_path(program, run_name="__main__")


def keep_in_reloader(arguments: list[str]) -> None:
    """Let Werkzeug's reloader start the program in the same way again."""
    from werkzeug import _reloader

    if hasattr(_reloader, "_get_args_for_reloading"):
        command = [sys.executable, "-m", "flask_carafe", *arguments]
        _reloader._get_args_for_reloading = lambda: command


main()
