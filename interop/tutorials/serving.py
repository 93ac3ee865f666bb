"""Serves a tutorial like its Rust twin: on `127.0.0.1:$PORT`, announced once it is ready."""

from __future__ import annotations

import os

from flask import Flask
from werkzeug.serving import make_server


def serve(app: Flask) -> None:
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "5000")), app, threaded=True)
    print(f"listening on http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()
