"""The signers and serializers of itsdangerous, with its own defaults for missing settings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import product
from typing import Any

from itsdangerous import Signer, TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer

from clock import T, stopped
from flask_side import SECRET, payload_of

SIGNERS: dict[str, type[Signer]] = {"Signer": Signer, "TimestampSigner": TimestampSigner}
SERIALIZERS: dict[str, Any] = {
    "URLSafeSerializer": URLSafeSerializer,
    "URLSafeTimedSerializer": URLSafeTimedSerializer,
}
DEFAULT_SALT = {
    "Signer": "itsdangerous.Signer",
    "TimestampSigner": "itsdangerous.Signer",
    "URLSafeSerializer": "itsdangerous",
    "URLSafeTimedSerializer": "itsdangerous",
}
SETTINGS: tuple[tuple[str, str], ...] = (
    ("django-concat", "sha1"),
    ("hmac", "sha256"),
    ("concat", "sha512"),
    ("none", "sha384"),
)
VALUES = ("", "value", "a.b", ".", "é日😀", 'with blanks ; and "quotes"', "x" * 300)
PAYLOADS: tuple[Any, ...] = ({}, {"user_id": 42}, [1, "é", None], "text", 5, None, {"z": 1, "a": {"y": [True, 1.0]}}, "x" * 300)
MOMENTS = (0, 1, T, T + 0.9, 2**32)


def rows() -> Iterator[dict[str, Any]]:
    for number, row in enumerate([*signed_values(), *signed_payloads()]):
        yield {"id": f"I{number + 1:03}"} | row


def signed_values() -> Iterator[dict[str, Any]]:
    for name, (derivation, digest), salt, value in product(SIGNERS, SETTINGS, (None, "sälz"), VALUES):
        for now in moments(name, value == "value"):
            head, how = about(name, salt, derivation, digest, now)
            signer = SIGNERS[name](SECRET, **how)
            with stopped(now):
                yield head | {"value": value, "signed": signer.sign(value).decode()}
    yield from separators()


def separators() -> Iterator[dict[str, Any]]:
    for name, separator in product(SIGNERS, (":", "..", "|")):
        head, how = about(name, None, "django-concat", "sha1", T)
        with stopped(T):
            signed = SIGNERS[name](SECRET, sep=separator, **how).sign("value").decode()
        yield head | {"sep": separator, "value": "value", "signed": signed}


def signed_payloads() -> Iterator[dict[str, Any]]:
    for name, (derivation, digest), salt, payload in product(SERIALIZERS, SETTINGS, (None, "sälz"), PAYLOADS):
        for now in moments(name, payload == {"user_id": 42}):
            head, how = about(name, salt, derivation, digest, now)
            named = {"salt": how.pop("salt")} if "salt" in how else {}
            with stopped(now):
                signed = str(SERIALIZERS[name](SECRET, signer_kwargs=how, **named).dumps(payload))
            text = payload_of(signed if "Timed" in name else signed.rpartition(".")[0] + "..")
            yield head | {"payload": text, "signed": signed}


def moments(name: str, all_of_them: bool) -> tuple[float, ...]:
    return MOMENTS if all_of_them and "Time" in name else (T,)


def about(name: str, salt: str | None, derivation: str, digest: str, now: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the row's description, and the same as arguments for the library."""
    head = {
        "class": name,
        "secret": SECRET,
        "salt": DEFAULT_SALT[name] if salt is None else salt,
        "key_derivation": derivation,
        "digest": digest,
    } | ({"now": now} if "Time" in name else {})
    how: dict[str, Any] = {"key_derivation": derivation, "digest_method": getattr(hashlib, digest)}
    return head, how if salt is None else how | {"salt": salt}
