"""Session cookies that Flask writes, and the session that Flask reads from each."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import random
import string
from collections import OrderedDict, namedtuple
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from markupsafe import Markup

from clock import T
from flask_side import LIFETIME, PREFIX, SECRET, Application, is_compressed, payload_of, sign_text, value_of

UTC = dt.UTC
U = UUID("12345678-1234-5678-1234-567812345678")

Case = tuple[str, str, dict[Any, Any]]


def rows() -> Iterator[dict[str, Any]]:
    for identifier, note, session in [*basics(), *texts(), *numbers(), *tagged(), *dates(), *structures(), *borders()]:
        yield written(identifier, note, session)
    yield from settings()
    for identifier, note, text in payloads():
        yield verdict({"id": identifier, "note": note, "secret": SECRET, "fallbacks": [], "now": T}, sign_text(text))
    for number, session in enumerate(mixtures(300)):
        yield written(f"V{1000 + number}", "a mixture", session)


def written(identifier: str, note: str, session: dict[Any, Any], **how: Any) -> dict[str, Any]:
    """Return a row for the response of an application to a request that creates this session."""
    now = how.pop("now", T)
    json_options = how.pop("json", {})
    secret, fallbacks = how.pop("secret", SECRET), how.pop("fallbacks", [])
    application = Application(secret, fallbacks, **how)
    for option, value in json_options.items():
        setattr(application.flask.json, option, value)
    answer = application.write(session, now)
    if answer.set_cookie is None:
        raise ValueError(f"{identifier}: no session was written (status {answer.status})")
    row = {"id": identifier, "note": note, "secret": secret, "fallbacks": fallbacks, "now": now}
    extra = {"json": json_options} if json_options else {}
    return verdict(row | extra, value_of(answer.set_cookie)) | {"set_cookie": answer.set_cookie}


def verdict(row: dict[str, Any], cookie: str) -> dict[str, Any]:
    """Return the row with the session that Flask reads from the cookie in the same second."""
    answer = Application(row["secret"], row["fallbacks"]).read(PREFIX + cookie, row["now"])
    if answer.status != 200 or answer.session is None:
        raise ValueError(f"{row['id']}: Flask does not accept it (status {answer.status})")
    about = {"cookie": cookie, "payload": payload_of(cookie), "zlib": is_compressed(cookie)}
    return row | about | {"python": repr(answer.session)}


def basics() -> Iterator[Case]:
    yield "V01", "simple", {"user_id": 42}
    yield "V02", "unicode", {"name": "Zoë 日本 😀"}
    yield "V03", "every JSON type", {"n": None, "t": True, "f": False, "i": -1, "x": 1.5, "s": "", "l": [], "d": {}}
    yield "V04", "nested", {"cart": {"items": [{"id": 1, "qty": 2}, {"id": 2, "qty": 1}], "total": {"cur": "EUR", "amt": 9.99}}}
    yield "V05", "tuple", {"t": (1, "a", (2, [3, ()])), "e": ()}
    yield "V06", "bytes", {"b": b"\x00\xff\xfehello", "e": b""}
    yield "V07", "uuid", {"u": U}
    yield "V08", "datetime", {"d": dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)}
    yield "V09", "markup", {"m": Markup("<b>hi &amp; bye</b>")}
    yield (
        "V10",
        "tag-escape",
        {"d": {" t": [1]}, "e": {" t__": 1}, "f": {" di": {" t": 5}}, "g": {" b": b"x"}, "h": {" t": 1, "x": 2}, "i": {" zz": 1}},
    )
    yield "V11", "root dict escape", {" u": "not-a-uuid"}
    yield "V12", "compressed", {"data": "a" * 200}
    yield "V13", "compressed list", {"ids": list(range(60))}
    yield "V14", "permanent", {"user_id": 42, "_permanent": True}
    yield "V15", "flash", {"_flashes": [("message", "Hello"), ("error", "Bad <thing>")]}
    yield "V16", "keys sort by code point, not by UTF-16 unit", {"\uffff": 1, "\U00010000": 2, "a": 3, "B": 4, "é": 5, "": 6}
    yield (
        "V19",
        "numbers",
        {
            "big": 2**70, "neg0": -0.0, "e16": 1e16, "e15": 123456789012345.0, "small": 1e-05, "s4": 0.0001, "e22": 1e22,
            "e100": 1e100, "third": 1 / 3, "nan": float("nan"), "inf": float("inf"), "ninf": float("-inf"),
        },
    )  # fmt: skip
    yield "V20", "int keys", {"d": {1: "a", 10: "b", 2: "c"}}
    yield "V21", "date/decimal default()", {"date": dt.date(2024, 2, 29), "dec": decimal.Decimal("1.10")}
    yield "V26", "permanent only", {"_permanent": True}
    yield "V27", "permanent False only", {"_permanent": False}
    yield "V28", "lone surrogate", {"s": "\ud800x"}
    yield "V31", "truthy permanent that is no boolean", {"_permanent": 1}
    yield "V32", "permanent is an empty list", {"_permanent": [], "a": 1}


def texts() -> Iterator[Case]:
    for byte in range(128):
        yield f"V{100 + byte}", f"the character {byte:02x} in a value", {"s": f"a{chr(byte)}b"}
    yield "V230", "every control character in a key", {"".join(map(chr, range(32))): 1}
    yield (
        "V231",
        "first and last character of each UTF-8 length",
        {"s": "\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"},
    )
    yield "V232", "lone surrogates", {"high": "\ud83d", "low": "\ude00", "swapped": "\ude00\ud83d", "between": "a\udc00b"}
    yield "V233", "lone surrogate in a key", {"\ud800": 1, "\ud7ff": 2, "\ue000": 3, "\U00010000": 4}
    yield "V234", "line separators", {"s": "\u2028\u2029\u0085\ufeff"}
    yield "V235", "combining characters stay as they are", {"e\u0301": "\u00e9", "\u00e9": "e\u0301"}
    yield "V236", "text that looks like JSON", {"s": '{"a":[1,"\\u0041"]}', '"': "\\"}
    yield "V237", "text that looks like a cookie", {"s": 'a; session=b, c="d"\r\n'}
    yield "V238", "HTML", {"s": "</script><!-- & ' \" -->"}
    yield "V239", "keys that differ in case and blanks", {"A": 1, "a": 2, " a": 3, "a ": 4, "Ä": 5, "ä": 6}
    yield "V240", "keys that are prefixes of each other", {"ab": 1, "a": 2, "abc": 3, "a\x00": 4, "": 5}
    yield "V241", "long text, all different", {"s": "".join(chr(0x4E00 + n) for n in range(700))}


def numbers() -> Iterator[Case]:
    powers = [2**n for n in (31, 32, 53, 63, 64, 127, 128, 1024)]
    for offset in (-1, 0, 1):
        yield (
            f"V{251 + offset}",
            f"powers of two {offset:+d}",
            {"n": [sign * (power + offset) for power in powers for sign in (1, -1)]},
        )
    yield "V260", "integer of 4300 digits", {"n": int("9" * 4300)}
    yield "V261", "floats at the borders of the positional form", {
        "n": [1e15, 9999999999999998.0, 1e16, 1.5e16, 0.0001, 0.00012, 0.00009999, 1e-5, 1e-7, 123456.789, 1e21, 1e22, 1e23]
    }  # fmt: skip
    yield "V262", "extreme floats", {"n": [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -5e-324, 2.0**-1074, 4.35, 0.1]}
    yield "V263", "integral floats keep their point", {"n": [0.0, 1.0, -1.0, 100.0, 1e10, 4294967296.0, 9007199254740993.0]}
    yield "V264", "true, false and null among numbers", {"n": [True, 1, False, 0, None, 0.0, 1.0]}
    yield (
        "V265",
        "keys that are numbers, booleans, null",
        {"i": {-1: 1, 2: 2}, "f": {0.5: 1, 1e16: 2}, "b": {True: 1, False: 2}, "n": {None: 1}},
    )
    yield "V266", "nan and infinities in lists", {"n": [float("nan"), float("inf"), float("-inf")]}


def tagged() -> Iterator[Case]:
    for number, length in enumerate((1, 2, 3, 4, 57, 255, 256)):
        yield f"V{270 + number}", f"{length} bytes", {"b": bytes((7 * n) % 256 for n in range(length))}
    yield "V280", "uuids", {"u": [UUID(int=0), UUID(int=2**128 - 1), U]}
    yield "V281", "markup", {"m": [Markup(""), Markup("é<i>"), Markup('" m"'), Markup("\ud800")]}
    yield "V282", "every tag in every tag", {"x": ({"a": (b"", [U, (Markup("m"),)])}, [dt.datetime(2000, 1, 1, tzinfo=UTC)])}
    for number, key in enumerate((" di", " t", " b", " m", " u", " d")):
        yield f"V{283 + number}", f"a dictionary whose only key is {key!r}", {"x": {key: [1, (2,)]}}
        yield f"V{293 + number}", f"a session whose only key is {key!r}", {key: {key: {key: None}}}
        yield f"V{303 + number}", f"a dictionary with {key!r} and one more key", {"x": {key: [1], "y": 2}}
        yield f"V{313 + number}", f"an escaped key {key + '__'!r}", {"x": {key + "__": 1}}
    yield "V320", "unknown tags", {"x": {" x": [1]}, "y": {" T": [1]}, "z": {"t": [1]}, "e": {"": 1}, "b": {" ": 1}}
    yield "V321", "escaped escapes", {"x": {" di": {" di__": {" di": 1}}}, "y": {" di__": {" t__": (1,)}}}
    yield "V322", "tags in flashed messages", {"_flashes": [("info", Markup("<b>x</b>")), ("é", "😀")]}
    yield "V323", "an object with __html__", {"m": _Html()}
    yield "V324", "subclasses", {
        "list": _List([1, 2]), "tuple": Point(1, 2), "dict": OrderedDict(b=1, a=2), "str": Colour.RED, "int": Level.HIGH,
    }  # fmt: skip
    yield "V325", "a dataclass", {"p": Place("Köln", (50, 7))}


Point = namedtuple("Point", "x y")


class _Html:
    def __html__(self) -> str:
        return "<hr>"


class _List(list):  # type: ignore[type-arg]
    pass


class Colour(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Place:
    name: str
    at: tuple[int, int]


def dates() -> Iterator[Case]:
    east = dt.timezone(dt.timedelta(hours=5, minutes=30))
    for number, moment in enumerate(
        (
            dt.datetime(1970, 1, 1, tzinfo=UTC),
            dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
            dt.datetime(2024, 2, 29, 1, 2, 3, 999999, tzinfo=UTC),
            dt.datetime(2024, 2, 29, 1, 2, 3),
            dt.datetime(2024, 3, 1, 1, 2, 3, tzinfo=east),
            dt.datetime(100, 1, 1, tzinfo=UTC),
            dt.datetime(999, 12, 31, 23, 59, 59, tzinfo=UTC),
            dt.datetime(1, 1, 1, tzinfo=UTC),
            dt.datetime(45, 6, 7, tzinfo=UTC),
            dt.datetime(68, 6, 7, tzinfo=UTC),
            dt.datetime(69, 6, 7, tzinfo=UTC),
            dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
            dt.datetime(1900, 2, 28, 12, tzinfo=UTC),
            dt.datetime(2000, 2, 29, 12, tzinfo=UTC),
        )
    ):
        yield f"V{330 + number}", f"datetime {moment.isoformat()}", {"d": moment}
    for month in range(1, 13):
        yield f"V{350 + month}", f"datetime in month {month}", {"d": dt.datetime(2025, month, 2 * month, month, tzinfo=UTC)}


def structures() -> Iterator[Case]:
    yield (
        "V370",
        "keys of inner objects are sorted too",
        {"z": {"b": {"d": 1, "c": 2}, "a": [{"y": 1, "x": 2}]}, "a": ({"n": 1, "m": 2},)},
    )
    yield "V371", "lists nested 60 deep", {"a": nest(60, lambda x: [x])}
    yield "V372", "objects nested 60 deep", {"a": nest(60, lambda x: {"k": x})}
    yield "V373", "tuples nested 60 deep", {"a": nest(60, lambda x: (x,))}
    yield "V374", "escapes nested 20 deep", {"a": nest(20, lambda x: {" t": x})}
    yield "V375", "300 keys", {f"key{number}": number for number in range(300)}
    yield "V376", "empty containers", {"a": [[], {}, (), [[]], [{}], {"b": []}, ([],)]}
    yield "V377", "a session of 4 kB that does not shrink", {"s": incompressible(4000)}
    yield "V378", "a session of 100 kB", {"s": incompressible(60_000) + "x" * 40_000}


def nest(depth: int, wrap: Any) -> Any:
    value: Any = None
    for _ in range(depth):
        value = wrap(value)
    return value


def incompressible(length: int) -> str:
    chance = random.Random(length)
    return "".join(chance.choices(string.ascii_letters + string.digits + "-_", k=length))


def borders() -> Iterator[Case]:
    """Yield sessions around the size from which zlib shortens them."""
    for length in range(40):
        yield f"V{400 + length}", f"{length} equal letters", {"a": "x" * length}
    for length in range(30):
        yield (
            f"V{440 + length}",
            f"{length} different letters, then as many equal ones",
            {"a": string.ascii_letters[:length] + "x" * length},
        )
    for count in range(1, 31):
        yield f"V{470 + count}", f"{count} numbers", {"a": list(range(count))}


def settings() -> Iterator[dict[str, Any]]:
    unsorted, raw = {"sort_keys": False}, {"ensure_ascii": False}
    yield written("V17", "unicode secret key", {"user_id": 42}, secret="clé-秘密")
    yield written(
        "V18",
        "SECRET_KEY_FALLBACKS=['old1','old2']: signs with SECRET_KEY, same bytes as V01",
        {"user_id": 42},
        fallbacks=["old1", "old2"],
    )
    yield written("V22", "timestamp 0: an empty segment", {"user_id": 42}, now=0)
    yield written("V23", "timestamp of five bytes", {"user_id": 42}, now=2**32)
    yield written("V24", "timestamp of one byte", {"user_id": 42}, now=1)
    yield written("V29", "fraction of a second is cut", {"user_id": 42}, now=T + 0.999)
    yield written("V30", "SECRET_KEY_FALLBACKS=[]", {"a": 1})
    yield written("V510", "key of one letter", {"a": 1}, secret="k")
    yield written("V511", "key as long as SHA-1's block", {"a": 1}, secret="k" * 64)
    yield written("V512", "key longer than SHA-1's block", {"a": 1}, secret="k" * 65)
    yield written("V513", "key with a NUL and blanks", {"a": 1}, secret=" \x00k ")
    yield written("V514", "unsorted", {"z": 1, "a": {"y": 1, "b": 2}, "m": ({"q": 1, "p": 2},)}, json=unsorted)
    yield written("V515", "raw UTF-8", {"ä": "日本😀", "b": '\x7f\x1f"\\/'}, json=raw)
    yield written("V516", "raw UTF-8, unsorted", {"日": "é", "a": [("ü",)]}, json=unsorted | raw)
    yield written("V517", "every attribute", {"a": 1, "_permanent": True}, **EVERY_ATTRIBUTE)
    yield written("V518", "permanent, a lifetime of one hour", {"a": 1, "_permanent": True}, lifetime=3600)
    yield written("V519", "permanent, a lifetime with a fraction", {"a": 1, "_permanent": True}, lifetime=59.9, now=T + 0.5)
    yield written("V520", "the last second of 32 bits", {"user_id": 42}, now=2**32 - 1)


EVERY_ATTRIBUTE = {
    "lifetime": LIFETIME,
    "SESSION_COOKIE_DOMAIN": "example.com",
    "SESSION_COOKIE_PATH": "/app",
    "SESSION_COOKIE_SECURE": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SESSION_COOKIE_PARTITIONED": True,
}


def payloads() -> Iterator[tuple[str, str, str]]:
    """Yield JSON texts that Flask reads but does not write."""
    for number, (note, text) in enumerate(
        (
            ("unsorted", '{"b":1,"a":2}'),
            ("blanks everywhere", ' { "a" : [ 1 , 2 ] , "b" : { } } '),
            ("tabs and line breaks", '{\r\n\t"a":\n1\t}\n'),
            ("raw UTF-8", '{"ä":"日本😀"}'),
            ("short escapes and solidus", '{"a":"\\/\\b\\f\\n\\r\\t"}'),
            ("upper-case escapes", '{"\\u00E9":"\\uD83D\\uDE00"}'),
            ("escaped ASCII", '{"\\u0061":"\\u0062\\u0022\\u005c"}'),
            ("half of a pair escaped", '{"a":"\\ud83d"}'),
            ("numbers in other forms", '{"a":[1E5,1e+5,1.50,-0,0e0,1E-2,100e-2,1.0E+2]}'),
            ("float with too many digits", '{"a":0.1000000000000000055511151231257827021181583404541015625}'),
            ("float half way between two", '{"a":9007199254740993.0}'),
            ("overflow and underflow", '{"a":[1e400,-1e400,1e-400]}'),
            ("duplicate keys", '{"a":1,"b":2,"a":3}'),
            ("an unknown tag", '{"a":{" x":{" t":[1]}}}'),
            ("a tag with blanks", '{"a":{ " t" : [ 1 , 2 ] }}'),
            ("a tag of another application", '{"a":{" od":[["z",1],["a",2]]}}'),
            ("a uuid with dashes", '{"a":{" u":"12345678-1234-5678-1234-567812345678"}}'),
            ("a date with an offset", '{"a":{" d":"Tue, 14 Nov 2023 22:13:20 +0200"}}'),
            ("bytes with blanks", '{"a":{" b":"aGVs bG8="}}'),
            ("an empty session", "{}"),
            ("permanent and nothing else, with blanks", '{ "_permanent" : true }'),
            ("an escaped tag key", '{"a":{"\\u0020t":[1]}}'),
            ("an empty key", '{"":{"":""}}'),
            ("a root that is an escaped dictionary", '{" di":{" t__":[1]}}'),
            ("NaN and infinities", '{"a":[NaN,Infinity,-Infinity]}'),
            ("zlib by its length, spaced out", '{"a": "' + "x" * 100 + '"}'),
        )
    ):
        yield f"V{530 + number}", note, text


def mixtures(count: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(1)
    for _ in range(count):
        yield {text(chance): mixture(chance, 3) for _ in range(chance.randint(1, 6))}


def mixture(chance: random.Random, depth: int) -> Any:
    kind = chance.randrange(12 if depth else 8)
    if kind < 8:
        return leaf(chance, kind)
    items = [mixture(chance, depth - 1) for _ in range(chance.randrange(4))]
    if kind == 8:
        return tuple(items)
    if kind == 9:
        return {text(chance): item for item in items}
    if kind == 10:
        return {chance.choice((" t", " b", " di", " u__", " x")): items}
    return items


def leaf(chance: random.Random, kind: int) -> Any:
    makers = (
        lambda: chance.choice((None, True, False)),
        lambda: chance.randint(-(10 ** chance.randint(1, 25)), 10 ** chance.randint(1, 25)),
        lambda: chance.choice((1, -1)) * chance.random() * 10.0 ** chance.randint(-30, 30),
        lambda: text(chance),
        lambda: chance.randbytes(chance.randrange(12)),
        lambda: Markup(text(chance)),
        lambda: UUID(int=chance.getrandbits(128)),
        lambda: dt.datetime.fromtimestamp(chance.randint(-(10**10), 10**11), UTC),
    )
    return makers[kind]()


def text(chance: random.Random) -> str:
    alphabet = chance.choice((string.ascii_lowercase, "aé日😀", string.printable, '\x00\x1f"\\/\x7f\u2028'))
    return "".join(chance.choices(alphabet, k=chance.randrange(8)))
