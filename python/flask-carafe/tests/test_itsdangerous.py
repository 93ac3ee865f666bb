"""The signers: itsdangerous' formats with the engine's signatures."""

from __future__ import annotations

import hashlib
from typing import Any

import itsdangerous
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_carafe import itsdangerous as ours

KEYS = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=3)


@settings(deadline=None)
@given(
    keys=KEYS,
    salt=st.text(st.characters(codec="utf-8"), max_size=12),
    value=st.binary(max_size=60),
    derivation=st.sampled_from(["concat", "django-concat", "hmac", "none"]),
    digest=st.sampled_from([hashlib.sha1, hashlib.sha256, hashlib.sha384, hashlib.sha512, hashlib.md5]),
)
def test_both_sign_the_same_and_accept_each_other(
    keys: list[bytes], salt: str, value: bytes, derivation: str, digest: Any
) -> None:
    arguments = {"salt": salt, "key_derivation": derivation, "digest_method": digest}
    signer, theirs = ours.Signer(keys, **arguments), itsdangerous.Signer(keys, **arguments)
    signed = signer.sign(value)
    assert signed == theirs.sign(value)
    assert signer.unsign(signed) == value
    for key in keys:
        assert signer.unsign(itsdangerous.Signer(key, **arguments).sign(value)) == value
    with pytest.raises(ours.BadSignature):
        signer.unsign(b"x" + signed)


def test_a_signature_has_one_spelling() -> None:
    signer, theirs = ours.Signer("key"), itsdangerous.Signer("key")
    signed = signer.sign("value").decode()
    last = signed[-1]
    other = next(
        sign
        for sign in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        if spells(signed[:-1] + sign, signed)
    )
    assert other != last
    assert theirs.unsign(signed[:-1] + other) == b"value"
    with pytest.raises(ours.BadSignature):
        signer.unsign(signed[:-1] + other)


def spells(text: str, signed: str) -> bool:
    decode = itsdangerous.base64_decode
    return text != signed and decode(text.rsplit(".", 1)[1]) == decode(signed.rsplit(".", 1)[1])


def test_settings_may_change_after_a_signature() -> None:
    signer = ours.Signer("first")
    before = signer.sign("value")
    signer.secret_keys.append(b"second")
    assert signer.sign("value") == itsdangerous.Signer("second").sign("value")
    assert signer.unsign(before) == b"value"


def test_links_expire_and_tell_their_time() -> None:
    links = ours.URLSafeTimedSerializer("key", salt="reset")
    value, time = links.loads(links.dumps({"user": 7}), max_age=60, return_timestamp=True)
    assert value == {"user": 7}
    assert time.tzinfo is not None
    with pytest.raises(ours.SignatureExpired):
        links.loads(links.dumps(1), max_age=-1)
