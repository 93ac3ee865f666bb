"""Worker in the environment of the oldest Flask: writes and describes sessions of cookies.

Input lines: {"secret", "now", "max_age", and "write": [session, ..] or "read": [cookie, ..]};
output lines: the list of answers.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature

from clock import stopped
from description import describe_session, revive_session


def answer(request: dict[str, Any]) -> list[Any]:
    app = Flask("oldest")
    app.secret_key = request["secret"]
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None

    def read(cookie: str) -> Any:
        try:
            return describe_session(dict(serializer.loads(cookie, max_age=request["max_age"])))
        except BadSignature:
            return None

    with app.app_context(), stopped(request["now"]):
        if "write" in request:
            return [serializer.dumps(revive_session(pairs)) for pairs in request["write"]]
        return [read(cookie) for cookie in request["read"]]


for text in sys.stdin:
    print(json.dumps(answer(json.loads(text))), flush=True)
