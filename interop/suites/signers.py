"""itsdangerous alone: its two signers and two URL-safe serializers, with every setting, both ways.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from itsdangerous import BadSignature, Signer, TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer

from backends import Setting
from clock import stopped
from description import describe
from peer_process import Peer, Response
from random_sessions import Sessions
from shrink import smaller_value
from suites.suite import Suite, first_difference, random_now, random_secret

CLASSES: dict[str, Any] = {
    "Signer": Signer,
    "TimestampSigner": TimestampSigner,
    "URLSafeSerializer": URLSafeSerializer,
    "URLSafeTimedSerializer": URLSafeTimedSerializer,
}


@dataclass(frozen=True)
class Signed:
    class_name: str
    content: Any
    """Text for a signer, any value for a serializer."""
    setting: Setting


class Signers(Suite[Signed]):
    name = "itsdangerous"
    claim = "both sign alike, to the byte but for zlib, and take what the other signed"

    def __init__(self, peer: Peer, chance: Random):
        super().__init__(peer, chance)
        self.sessions = Sessions(chance, tags=False)

    def cases(self, count: int) -> list[Signed]:
        class_name = self.chance.choice(list(CLASSES))
        setting = Setting(
            random_secret(self.chance),
            random_now(self.chance),
            salt=self.chance.choice(("itsdangerous.Signer", "itsdangerous", "password-reset", "", "sälz", "s" * 200)),
            key_derivation=self.chance.choice(("hmac", "concat", "django-concat", "none")),
            digest=self.chance.choice(("sha1", "sha256", "sha384", "sha512")),
        )
        return [Signed(class_name, self._content(class_name), setting) for _ in range(count)]

    def _content(self, class_name: str) -> Any:
        """Return content that UTF-8 can represent: these serializers do not escape."""
        while not sendable(content := self._any_content(class_name)):
            pass
        return content

    def _any_content(self, class_name: str) -> Any:
        if class_name.endswith("Signer"):
            return self.sessions.key() + self.chance.choice(("", ".", ".x", self.sessions.key()))
        return self.sessions.session() if self.chance.random() < 0.7 else self.sessions.value(2)

    def smaller(self, case: Signed) -> Iterator[Signed]:
        kept = str if case.class_name.endswith("Signer") else object
        yield from (replace(case, setting=setting) for setting in case.setting.smaller())
        yield from (replace(case, content=less) for less in smaller_value(case.content) if isinstance(less, kept))

    def check(self, cases: list[Signed]) -> list[str | None]:
        library = Library(cases[0])
        theirs = [library.sign(case.content) for case in cases]
        request = cases[0].setting.request() | {"class": cases[0].class_name}
        answers = self.peer.ask(
            [request | {"op": "unsign", "signed": signed} for signed in theirs]
            + [request | {"op": "sign", "content": describe(case.content)} for case in cases]
        )
        unsigned, signed = answers[: len(cases)], answers[len(cases) :]
        return [
            self._read(answer, case) or self._written(other, token, library, case)
            for case, token, answer, other in zip(cases, theirs, unsigned, signed, strict=True)
        ]

    def _read(self, answer: Response, case: Signed) -> str | None:
        if not answer["ok"]:
            return f"Carafe refuses it: {answer['error']}"
        return first_difference("the content as read", answer["content"], describe(case.content))

    def _written(self, answer: Response, theirs: str, library: Library, case: Signed) -> str | None:
        if not answer["ok"]:
            return f"Carafe cannot sign it: {answer['error']}"
        ours = answer["signed"]
        if not (ours.startswith(".") or theirs.startswith(".")) or case.class_name.endswith("Signer"):
            return first_difference("the signed text", ours, theirs)
        return first_difference("what Carafe signed, as they read it", library.unsign(ours), describe(case.content))


class Library:
    """One of itsdangerous' classes with one setting."""

    def __init__(self, case: Signed):
        setting = case.setting
        how = {"key_derivation": setting.key_derivation, "digest_method": getattr(hashlib, setting.digest)}
        made = CLASSES[case.class_name]
        self.signs_text = case.class_name.endswith("Signer")
        self.now = setting.now
        self.instance = (
            made(setting.secret, salt=setting.salt, **how)
            if self.signs_text
            else made(setting.secret, salt=setting.salt, signer_kwargs=how)
        )

    def sign(self, content: Any) -> str:
        with stopped(self.now):
            return self.instance.sign(content).decode() if self.signs_text else self.instance.dumps(content)  # type: ignore[no-any-return]

    def unsign(self, signed: str) -> Any:
        with stopped(self.now):
            try:
                return describe(self.instance.unsign(signed).decode() if self.signs_text else self.instance.loads(signed))
            except BadSignature as error:
                return repr(error)


def sendable(content: Any) -> bool:
    try:
        repr_without_escapes(content).encode()
    except UnicodeEncodeError:
        return False
    return True


def repr_without_escapes(content: Any) -> str:
    """Return all text of a value as one string."""
    if isinstance(content, dict):
        return "".join(key + repr_without_escapes(value) for key, value in content.items())
    return "".join(map(repr_without_escapes, content)) if isinstance(content, list) else str(content)
