"""Times Flask's own session serializer from inside: one line in, one line out.

The first line is the secret, as JSON. "loads COUNT COOKIE" or "dumps COUNT PAYLOAD" then returns
the CPU time of COUNT calls, in nanoseconds. The serializer runs in an application context, as in a
request.
"""

import json
import platform
import sys
import time
import zlib
from importlib.metadata import version
from itertools import repeat

from flask import Flask

app = Flask(__name__)
app.secret_key = json.loads(sys.stdin.readline())
app.app_context().push()
serializer = app.session_interface.get_signing_serializer(app)
max_age = int(app.permanent_session_lifetime.total_seconds())


def loads(count: int, cookie: str) -> int:
    call = serializer.loads
    start = time.thread_time_ns()
    for _ in repeat(None, count):
        call(cookie, max_age=max_age)
    return time.thread_time_ns() - start


def dumps(count: int, payload: str) -> int:
    call, session = serializer.dumps, json.loads(payload)
    start = time.thread_time_ns()
    for _ in repeat(None, count):
        call(session)
    return time.thread_time_ns() - start


packages = ", ".join(f"{name} {version(name)}" for name in ("flask", "itsdangerous", "werkzeug"))
print(f"CPython {platform.python_version()}, {packages}, zlib {zlib.ZLIB_RUNTIME_VERSION}", flush=True)
for line in sys.stdin:
    verb, count, text = line.rstrip("\n").split(" ", 2)
    print({"loads": loads, "dumps": dumps}[verb](int(count), text), flush=True)
