"""Flask's session format with every salt, key derivation and digest that a subclass may set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from flask.json.tag import TaggedJSONSerializer
from itsdangerous import URLSafeTimedSerializer

from clock import T, stopped
from flask_side import SECRET, payload_of

SALTS = ("cookie-session", "itsdangerous", "", "a.b", "sälz-塩", "s" * 130)
DERIVATIONS = ("hmac", "concat", "django-concat", "none")
DIGESTS = ("sha1", "sha256", "sha384", "sha512")
SECRETS = (SECRET, "k" * 129)
SESSIONS: tuple[dict[str, Any], ...] = ({"user_id": 42}, {"data": "a" * 200, "t": (1, b"\xff")})
SPECIFIED = {"sha256 hmac": "C1", "sha512 hmac": "C2", "sha1 concat": "C4", "sha1 django-concat": "C5", "sha1 none": "C6"}


def rows() -> Iterator[dict[str, Any]]:
    combinations = product(SECRETS, SALTS, DERIVATIONS, DIGESTS, SESSIONS)
    for number, (secret, salt, derivation, digest, session) in enumerate(combinations):
        plain = (secret, salt, session) == (SECRET, SALTS[0], SESSIONS[0])
        identifier = SPECIFIED.get(f"{digest} {derivation}") if plain else None
        cookie = written(secret, salt, derivation, digest, session)
        yield {
            "id": identifier or f"C{100 + number}",
            "secret": secret,
            "salt": salt,
            "key_derivation": derivation,
            "digest": digest,
            "now": T,
            "payload": payload_of(cookie),
            "cookie": cookie,
        }


def written(secret: str, salt: str, derivation: str, digest: str, session: dict[str, Any]) -> str:
    how = {"key_derivation": derivation, "digest_method": getattr(hashlib, digest)}
    serializer = URLSafeTimedSerializer(secret, salt=salt, serializer=TaggedJSONSerializer(), signer_kwargs=how)
    with stopped(T):
        cookie = serializer.dumps(session)
        if serializer.loads(cookie, max_age=0) != session:
            raise ValueError(f"not read back: {json.dumps(cookie)}")
    return str(cookie)
