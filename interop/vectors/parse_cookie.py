"""The `Cookie` header as Werkzeug parses it.

`new` is 3.1.9's strict grammar, `old` the lenient one of 3.1.8 and earlier.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from typing import Any

from werkzeug.sansio.http import parse_cookie

import environments

WORKER = environments.HERE / "old_parser.py"


def rows() -> Iterator[dict[str, Any]]:
    headers = {**dict(typed()), **dict(made(500))}
    for (identifier, header), old in zip(headers.items(), old_answers(list(headers.values())), strict=True):
        yield {"id": identifier, "header": header, "new": list(parse_cookie(header).items(multi=True)), "old": old}


def old_answers(headers: list[str]) -> list[Any]:
    worker = [environments.python(environments.OLD_PARSER), WORKER]
    done = subprocess.run(worker, input=json.dumps(headers), capture_output=True, text=True, check=True)
    answers: list[Any] = json.loads(done.stdout)
    return answers


def typed() -> Iterator[tuple[str, str]]:
    for number, header in TYPED.items():
        yield f"P{number:02}", header
    for byte in range(128):
        yield f"P{200 + byte}", f"a=b{chr(byte)}c; d=e"
        yield f"P{400 + byte}", f"a{chr(byte)}b=c; d=e"
        yield f"P{600 + byte}", f'a="b\\{chr(byte)}c"; d=e'
        yield f"P{800 + byte}", f"{chr(byte)}a=b{chr(byte)}; d=e"


TYPED = {
    1: "a=b",
    2: "a=b; c=d",
    3: "a=b;c=d",
    4: "a=b ;  c=d  ",
    5: "  a=b",
    6: "a = b",
    7: "a=",
    8: "a",
    9: "=b",
    10: "=",
    11: "",
    12: " ",
    13: ";",
    14: "; ;a=b;;",
    15: "a=b=c",
    16: "a=b; a=c",
    17: "A=1; a=2",
    18: 'a="b"',
    19: 'a=""',
    20: 'a=b"',
    21: 'a="b"c',
    22: 'a="b" c; d=e',
    23: 'a="b',
    24: 'a="',
    25: 'a=x"y"z',
    26: 'a="b;c"; d=e',
    27: 'a="b\\";c"; d=e',
    28: 'a="b\\073c\\054d"',
    29: "a=b\\073c",
    30: 'a="\\303\\251"',
    31: 'a="\\377"',
    32: 'a="\\400"',
    33: 'a="\\7"',
    34: 'a="\\\\"',
    35: 'a="\\"',
    36: 'a="x\\y"',
    37: "a=b c",
    38: "a=b,c=d",
    39: "a=b,c; d=e",
    40: "a=b\tc",
    41: "a=é",
    42: "é=b",
    43: 'a="é"',
    44: "a=%20%3B",
    45: "a[]=1",
    46: "a.b=1",
    47: "$Version=1; a=b; $Path=/",
    48: "expires=Tue, 14 Nov 2023 22:13:20 GMT; a=b",
    49: "Path=/; HttpOnly; a=b",
    50: "a=b\r\nc=d",
    51: "a=b;\u00a0c=d",
    52: "a=b\u00a0; c=d",
    53: "\u2003a\u2003=\u2003b\u2003",
    54: 'a={"k":1}; d=e',
    55: "a=<b>",
    56: "session=x; session=y; session=z",
    57: "a=b; c",
    58: "c; a=b",
    59: "a=b; =c; d=e",
    60: 'a=b; "c"=d; e=f',
    61: 'a="b"; a=c',
    62: "a=b; c=d;",
    63: "x=1, y=2; z=3",
    64: "a==b",
    65: "a= b",
    66: "a\t=\tb",
    67: "a ; b=c",
    68: "a=b\x00c",
    69: 'a="\\342\\202\\254"',
    70: "a=b;c d;e=f",
    71: 'a=";"',
    72: 'a="b"; c="d;e"',
    73: "a='b;c'; d=e",
    74: "a=;b=1",
    75: "a=1;;b=2",
    76: 'a="b"; "',
    77: 'a="b\nc"',
    78: "a=b\f; d=e",
    79: "a=b\v; d=e",
    80: "a=b\x85; d=e",
    81: "a=b\x1c; d=e",
    82: 'a="\\303"',
    83: 'a="\\303\\050"',
    84: 'a="\\0731"',
    85: 'a="\\08"',
    86: 'a="\\128"',
    87: 'a="x" ;b=1',
    88: '"a"',
    89: '"a=b"; c=d',
    90: "a=b;" * 50,
    91: "__Host-a=1; __Secure-b=2",
    92: " __Host-a=1",
    93: "\u2000__Host-a=1",
    94: "a=😀; b=1",
    95: 'a="\\360\\237\\230\\200"',
    96: 'a="\\000"',
    97: 'a = "b" ; c = "d" ',
    98: 'a=""b""',
    99: "a=" + "x" * 5000,
}


def made(count: int) -> Iterator[tuple[str, str]]:
    """Yield headers of a few significant characters, the same on every run."""
    chance = random.Random(2)
    alphabet = [*'ab= ;"\\,07\t', "\\073", '"x"', "; ", "é", "\u00a0", "\r", "\x1f", "a=", "\\", "\u2028"]
    for number in range(count):
        yield f"P{1000 + number}", "".join(chance.choices(alphabet, k=chance.randint(2, 14)))
