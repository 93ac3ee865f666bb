"""Compares the tutorial programs: each Flask original and its Rust twin answer the same requests.

Compared are status, body (not of redirects), content type, location, `Vary`, every `Set-Cookie` in
order with its attributes in order, and the printed lines. Session values are compared by the text
inside, dates within two seconds. Between requests the two browsers swap their session cookies, so
each program continues with the other's session.

Allowed: Carafe's `Cache-Control: no-store` on a response that sets the session cookie.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import islice, zip_longest
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

from itsdangerous import BadSignature

import flask_side
from browser import Answer, Browser, SetCookie
from environments import HERE

SECRET = "a key for the tutorials, 40 letters long"
TOLERANCE = 2
WALKS, STEPS = 3, 60
READY = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")
SWAP = "swap"

Step = tuple[Any, ...] | str
"""A path to GET; ("POST", path, form); ("COOKIE", path, header); or SWAP."""


@dataclass
class Finding:
    """The result of a comparison."""

    claim: str
    answers: int
    problems: list[str]


class DifferenceError(Exception):
    """The twin differs from the original."""


def visit(*paths: str) -> list[Step]:
    return list(paths)


COOKIES_STEPS: list[Step] = [
    *visit("/get_cookie", "/get_session", "/del_session", "/set_cookie", "/get_cookie", SWAP, "/get_cookie", "/del_cookie"),
    *visit("/get_cookie", "/del_cookie2", "/get_cookie", "/set_session", "/get_session", SWAP, "/get_session", "/set_cookie"),
    *visit("/del_session", "/get_session", "/set_session", SWAP, "/del_session", "/get_session", "/nowhere"),
]
PERMANENT_STEPS: list[Step] = [
    *visit("/username/", "/delete_user/", "/", "/username/", "/nowhere", SWAP, "/username/", "/delete_user/"),
    *visit("/username/", SWAP, "/delete_user/", "/", SWAP, "/delete_user/", "/nowhere"),
]
LOGIN_STEPS: list[Step] = [
    *visit("/", "/login", "/logout"),
    ("POST", "/login", {"username": "Ada"}),
    *visit("/", SWAP, "/", "/login", "/logout", "/"),
    ("POST", "/login", {"username": "<b>é & 日本</b> \"'😀"}),
    *visit(SWAP, "/"),
    ("POST", "/login", {"username": ""}),
    *visit("/", SWAP, "/logout", "/nowhere"),
]
BLUEPRINT_STEPS: list[Step] = [
    *visit("/cookie/get", "/session/get", "/session/del", "/cookie/set", "/cookie/get", SWAP, "/cookie/get", "/cookie/del"),
    *visit("/cookie/get", "/session/set", "/session/get", SWAP, "/session/get", "/session/del", "/session/get"),
    *visit("/session/set", SWAP, "/session/set", "/session/del", "/nowhere"),
]
CLIENT_SIDE_STEPS: list[Step] = [
    *visit("/", "/get_cookie", "/get_session", "/set_cookie", "/get_cookie", "/set_session", "/get_session", SWAP),
    *visit("/get_session", "/get_cookie", "/set_session", SWAP, "/get_session", "/", "/nowhere"),
]
PROGRAMS: dict[str, list[Step]] = {
    "cookies": COOKIES_STEPS,
    "permanent": PERMANENT_STEPS,
    "login": LOGIN_STEPS,
    "blueprint": BLUEPRINT_STEPS,
    "client_side": CLIENT_SIDE_STEPS,
}


TWINS = {program: program for program in PROGRAMS} | {"actix_cookies": "cookies", "actix_login": "login"}
"""The examples, each with its original."""


def run(examples: Path, seed: int) -> Iterator[Finding]:
    """Yield a finding per twin in signed mode, one for encrypted mode, and one for a missing key.
    """
    for twin, program in TWINS.items():
        yield compare(program, examples / twin, Random(f"{seed} {twin}"))
    yield compare("client_side", examples / "client_side", Random(f"{seed} encrypted"), encrypted=True)
    yield without_a_key(examples)


def compare(program: str, twin: Path, chance: Random, encrypted: bool = False) -> Finding:
    claim = f"{twin.name} answers and prints as its Flask original" + (", encrypted as well" if encrypted else "")
    environment = {"MODE": "encrypted"} if encrypted else {}
    try:
        with (
            started([sys.executable, "-u", HERE / "tutorials" / f"{program}.py"], {}) as original,
            started([twin], environment) as rust,
        ):
            pair = Pair(original, rust, encrypted)
            pair.go(PROGRAMS[program])
            for _ in range(WALKS):
                pair.forget()
                pair.go(walk(program, chance))
            if not encrypted:
                pair.forged(program)
    except DifferenceError as difference:
        return Finding(claim, 0, [str(difference)])
    return Finding(claim, pair.answers, pair.problems())


def walk(program: str, chance: Random) -> list[Step]:
    """Return random steps of the program, some with a header that no browser would send."""
    steps: list[Step] = []
    for _ in range(STEPS):
        step = chance.choice(PROGRAMS[program])
        odd = chance.random() < 0.1 and isinstance(step, str) and step != SWAP
        steps.append(("COOKIE", step, chance.choice(ODD_HEADERS)) if odd else step)
    return steps


ODD_HEADERS = (
    "session=",
    "session=x; username=y",
    "session=a.b.c; test1=1; user=2; user_id=3",
    'username="a\\054b"; user="\\303\\251"; test1="x\\"y"; user_id="settings cookie"',
    "username=first; username=second; user=; test1=1; test1=2; user_id",
    "username = spaced ; user\t=\ttabbed; user_id=a=b==",
    "user=a b; username=kept",
    ";;; user=x;;",
)


class Program:
    """A running program: its address, and the lines that it has printed since."""

    def __init__(self, process: subprocess.Popen[str], errors: Any):
        self._process, self._errors = process, errors
        self.lines: list[str] = []
        assert process.stdout is not None
        ready = READY.search(process.stdout.readline())
        if ready is None:
            raise DifferenceError(f"{process.args!r} did not start: {self.complaints()}")
        self.port = int(ready.group(1))
        self._reader = Thread(target=lambda: self.lines.extend(process.stdout or ()), daemon=True)
        self._reader.start()

    def complaints(self) -> str:
        self._process.kill()
        self._process.wait()
        self._errors.seek(0)
        return str(self._errors.read()[-2000:])

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join()


@contextmanager
def started(command: list[str | Path], environment: dict[str, str]) -> Iterator[Program]:
    """Run the program on a free port; stop it on exit, once all its lines are read."""
    everything = os.environ | {"PORT": "0", "SECRET_KEY": SECRET, "PYTHONIOENCODING": "utf-8"} | environment
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, env=everything, stdout=subprocess.PIPE, stderr=errors, text=True, encoding="utf-8")
        program = Program(process, errors)
        try:
            yield program
        finally:
            program.stop()


class Pair:
    """The two programs, each with its own browser."""

    def __init__(self, original: Program, twin: Program, encrypted: bool):
        self._original, self._twin, self._encrypted = original, twin, encrypted
        self.answers = 0
        self._problems: dict[str, list[Step]] = {}
        """Each difference once, with the preceding steps."""
        self.forget()

    def forget(self) -> None:
        self.browsers = [Browser(self._original.port), Browser(self._twin.port)]
        self.trail: list[Step] = []

    def go(self, steps: list[Step]) -> None:
        for step in steps:
            self.trail.append(step)
            if step == SWAP:
                self._swap()
                continue
            try:
                self._both(step)
            except DifferenceError as difference:
                self._problems.setdefault(str(difference), self.trail[:-1])

    def _swap(self) -> None:
        """Swap the cookies of the two programs; encrypted mode shares none."""
        if not self._encrypted:
            first, second = self.browsers
            first.cookies, second.cookies = second.cookies, first.cookies

    def _both(self, step: Step) -> None:
        theirs, ours = (ask(browser, step) for browser in self.browsers)
        self.answers += 1
        views = [self._view(answer) for answer in (theirs, ours)]
        if views[0] != views[1]:
            differing = [
                f"{key}: Flask {views[0][key]!r}, Carafe {views[1][key]!r}" for key in views[0] if views[0][key] != views[1][key]
            ]
            raise DifferenceError("\n    ".join([f"the answer to {step!r} differs", *differing]))
        if not self._encrypted:
            self._check_times(theirs, ours)
            check_cache_control(ours, step)

    def _view(self, answer: Answer) -> dict[str, Any]:
        """Return the part of a response that must be equal."""
        redirect = 300 <= answer.status < 400
        view: dict[str, Any] = {"status": answer.status, "location": answer.one("location")}
        if not redirect and answer.status < 400:
            view |= {"body": answer.body.decode(), "content-type": answer.one("content-type")}
        if not self._encrypted:
            view |= {"vary": answer.one("vary"), "set-cookie": [shape(cookie) for cookie in answer.set_cookies()]}
        return view

    def _check_times(self, theirs: Answer, ours: Answer) -> None:
        for one, other in zip(theirs.set_cookies(), ours.set_cookies(), strict=True):
            if any(abs(a - b) > TOLERANCE for a, b in zip(moments(one), moments(other), strict=True)):
                raise DifferenceError(f"the times differ: Flask {one!r}, Carafe {other!r}")

    def forged(self, program: str) -> None:
        """Send cookies of other keys, of the past, and changed ones."""
        paths = [step for step in PROGRAMS[program] if isinstance(step, str) and step != SWAP]
        now = int(time.time())
        text = '{"info":{"age":16,"name":"xiaohong"},"test2":"234","username":"\\u8427"}'
        for cookie in (
            flask_side.sign_text(text, now, "another key"),
            flask_side.sign_text(text, now - 12, SECRET),
            flask_side.sign_text(text, now - 8 * 86_400, SECRET),
            flask_side.sign_text(text, now - 32 * 86_400, SECRET),
            flask_side.sign_text(text, now + 3600, SECRET),
            flask_side.sign_text(text, now, SECRET)[:-2],
            flask_side.sign_text('{ "_permanent" : true , "username":"\\u8427"}', now, SECRET),
        ):
            self.forget()
            self.go([("COOKIE", path, f"session={cookie}") for path in dict.fromkeys(paths)])

    def problems(self) -> list[str]:
        """Return the differences, including printed lines; requires that both programs have exited.
        """
        answers = [f"{what}\n    after {before!r}" for what, before in self._problems.items()]
        return answers + self._printed_otherwise()

    def _printed_otherwise(self) -> list[str]:
        lines = zip_longest(self._original.lines, self._twin.lines)
        differing = (
            f"line {number} differs: Flask {one!r}, Carafe {other!r}"
            for number, (one, other) in enumerate(lines, 1)
            if one != other
        )
        return list(islice(differing, 1))


def ask(browser: Browser, step: Step) -> Answer:
    if isinstance(step, str):
        return browser.request("GET", step)
    method, path, what = step
    if method == "COOKIE":
        return browser.request("GET", path, cookie=what)
    return browser.request(method, path, form=what)


def shape(cookie: SetCookie) -> tuple[Any, ...]:
    """Return a cookie for comparison: the session by the text inside, dates by their presence."""
    value = content(cookie.value) if cookie.name == "session" and cookie.value else cookie.value
    return cookie.name, value, tuple((key, "a date" if key == "Expires" else text) for key, text in cookie.attributes)


def content(value: str) -> str:
    try:
        return str(flask_side.text_serializer(SECRET).loads(value))
    except BadSignature as error:
        raise DifferenceError(f"Flask refuses the session cookie {value!r}: {error}") from error


def moments(cookie: SetCookie) -> list[float]:
    """Return the times in a cookie: its expiry, and the time of the session's signature."""
    expires = cookie.get("Expires")
    times = [parsedate_to_datetime(expires).timestamp()] if expires else []
    if cookie.name == "session" and cookie.value:
        _, signed = flask_side.text_serializer(SECRET).loads(cookie.value, return_timestamp=True)
        times.append(signed.timestamp())
    return times


def check_cache_control(ours: Answer, step: Step) -> None:
    sets_session = any(cookie.name == "session" for cookie in ours.set_cookies())
    allowed = (None, "no-store") if sets_session else (None,)
    if ours.one("cache-control") not in allowed:
        raise DifferenceError(f"Cache-Control {ours.one('cache-control')!r} on the answer to {step!r}")


def without_a_key(examples: Path) -> Finding:
    """Check that each twin fails with one line that names SECRET_KEY."""
    environment = {key: value for key, value in os.environ.items() if key not in ("SECRET_KEY", "RUST_BACKTRACE")} | {"PORT": "0"}
    problems = []
    for program in TWINS:
        done = subprocess.run([examples / program], env=environment, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode == 0 or "SECRET_KEY" not in done.stderr or len(done.stderr.strip().splitlines()) != 1:
            problems.append(f"{program} ends with {done.returncode} and says {done.stderr!r}")
    return Finding("a twin without SECRET_KEY stops with one line", len(TWINS), problems)
