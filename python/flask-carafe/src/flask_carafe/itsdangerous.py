"""itsdangerous' signers and serializers, with the signatures of Carafe's engine.

Import from here instead of from `itsdangerous`: the classes have the same names, arguments and
formats. The engine computes and compares every HMAC with SHA-1, SHA-256, SHA-384 or SHA-512 and one
of itsdangerous' four key derivations; with any other algorithm, itsdangerous itself signs.

The engine accepts only the canonical spelling of a signature. itsdangerous also accepts spellings with
padding or unused bits, so that one value has several valid texts.

>>> from flask_carafe.itsdangerous import URLSafeTimedSerializer
>>> links = URLSafeTimedSerializer("4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1", salt="password-reset")
>>> links.loads(links.dumps(42), max_age=3600)
42
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import itsdangerous as theirs
from itsdangerous import (
    BadData,
    BadHeader,
    BadPayload,
    BadSignature,
    BadTimeSignature,
    HMACAlgorithm,
    NoneAlgorithm,
    SignatureExpired,
    base64_decode,
    base64_encode,
    want_bytes,
)

from ._config import DIGESTS
from ._native import MacSigner

__all__ = [
    "BadData",
    "BadHeader",
    "BadPayload",
    "BadSignature",
    "BadTimeSignature",
    "HMACAlgorithm",
    "NoneAlgorithm",
    "Serializer",
    "SignatureExpired",
    "Signer",
    "TimedSerializer",
    "TimestampSigner",
    "URLSafeSerializer",
    "URLSafeTimedSerializer",
    "base64_decode",
    "base64_encode",
    "want_bytes",
]

DERIVATIONS = ("concat", "django-concat", "hmac", "none")

if TYPE_CHECKING:
    _Base = theirs.Signer
else:
    _Base = object


class _Engine(_Base):
    """A signer whose signatures the engine computes, if it knows the algorithm."""

    _known: tuple[Any, MacSigner | None] = ((), None)

    def _engine(self) -> MacSigner | None:
        settings = (tuple(self.secret_keys), self.salt, self.key_derivation, self.digest_method, self.algorithm)
        if self._known[0] != settings:
            self._known = (settings, self._prepare())
        return self._known[1]

    def _prepare(self) -> MacSigner | None:
        algorithm = self.algorithm
        is_theirs = type(self).derive_key is theirs.Signer.derive_key
        is_hmac = type(algorithm) is HMACAlgorithm and algorithm.digest_method == self.digest_method
        if not (is_theirs and is_hmac and all(self.secret_keys) and self.key_derivation in DERIVATIONS):
            return None
        digest = getattr(self.digest_method(), "name", None)
        try:
            salt = self.salt.decode()
        except UnicodeDecodeError:
            return None
        if digest not in DIGESTS:
            return None
        return MacSigner(self.secret_keys, salt, self.key_derivation, digest)

    def get_signature(self, value: str | bytes) -> bytes:
        """Return the signature of a value."""
        engine = self._engine()
        if engine is None:
            return super().get_signature(value)
        value = want_bytes(value)
        return engine.sign(value)[len(value) + 1 :]

    def verify_signature(self, value: str | bytes, sig: str | bytes) -> bool:
        """Return whether the signature is one that a key of this signer has made."""
        engine = self._engine()
        if engine is None:
            return super().verify_signature(value, sig)
        try:
            return engine.unsign(want_bytes(value) + b"." + want_bytes(sig)) is not None
        except UnicodeEncodeError:
            return False


class Signer(_Engine, theirs.Signer):
    """Signs a value: itsdangerous' `Signer`."""


class TimestampSigner(_Engine, theirs.TimestampSigner):
    """Signs a value with the time: itsdangerous' `TimestampSigner`."""


class Serializer(theirs.Serializer):
    """Signs data: itsdangerous' `Serializer`."""

    default_signer = Signer


class TimedSerializer(theirs.TimedSerializer):
    """Signs data with the time: itsdangerous' `TimedSerializer`."""

    default_signer = TimestampSigner


class URLSafeSerializer(theirs.URLSafeSerializer):
    """Signs data that fits into a URL: itsdangerous' `URLSafeSerializer`."""

    default_signer = Signer


class URLSafeTimedSerializer(theirs.URLSafeTimedSerializer):
    """Signs data that fits into a URL with the time: itsdangerous' `URLSafeTimedSerializer`."""

    default_signer = TimestampSigner
