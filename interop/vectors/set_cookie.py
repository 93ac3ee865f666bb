"""`Set-Cookie` as `werkzeug.http.dump_cookie` writes it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.http import dump_cookie

from clock import T, stopped

NOW = T + 0.9
EVERYTHING: dict[str, Any] = {
    "max_age": 60,
    "expires": 0,
    "path": "/p",
    "domain": "example.com",
    "secure": True,
    "httponly": True,
    "samesite": "Lax",
    "partitioned": True,
}


def rows() -> Iterator[dict[str, Any]]:
    for identifier, note, name, value, options in cases():
        row = {"id": identifier, "note": note, "name": name, "value": value, "options": options, "now": NOW}
        yield row | outcome(name, value, options)


def outcome(name: str, value: str, options: dict[str, Any]) -> dict[str, str]:
    """Return Werkzeug's header (one character per byte) or error, and its warning."""
    with stopped(NOW), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            header = dump_cookie(name, value, **options)
            Headers().add("Set-Cookie", header)
        except (ValueError, UnicodeError) as error:
            return {"error": f"{type(error).__name__}: {error}"}
    warned = {"warning": str(caught[0].message)} if caught else {}
    return {"set_cookie": header} | warned


def cases() -> Iterator[tuple[str, str, str, str, dict[str, Any]]]:
    for identifier, note, value in values():
        yield identifier, note, "k", value, {}
    for identifier, note, options in attributes():
        yield identifier, note, "k", "v", options
    yield from names()
    yield from sizes()
    yield "D60", "what delete_cookie sends, with every attribute", "k", "", EVERYTHING | {"max_age": 0, "expires": 0}
    yield "D61", "what delete_cookie sends for the session of a plain application", "session", "", {
        "max_age": 0, "expires": 0, "httponly": True, "path": "/",
    }  # fmt: skip
    for byte in range(128):
        yield f"D{200 + byte}", f"value is the byte {byte:02x}", "k", chr(byte), {}
    for byte in range(128):
        yield f"D{400 + byte}", f"the byte {byte:02x} in the path", "k", "v", {"path": f"/a{chr(byte)}b"}


def values() -> Iterator[tuple[str, str, str]]:
    yield "D01", "simple", "v"
    yield "D02", "empty value", ""
    yield "D03", "comma", "a,b"
    yield "D04", "space", "a b"
    yield "D05", "semicolon", "a;b"
    yield "D06", "quotation mark", 'a"b'
    yield "D07", "backslash", "a\\b"
    yield (
        "D08",
        "every ASCII character that needs no quotation",
        "".join(map(chr, range(33, 127))).translate({ord(c): None for c in '",;\\'}),
    )
    yield "D09", "utf8", "é日😀"
    yield "D10", "ctrl", "\x00\t\n\r\x1f\x7f"
    yield "D11", "x1a-x1f", "\x19\x1a\x1b\x1c\x1d\x1e\x1f "
    yield "D12", "already quoted", '"v"'
    yield "D13", "quoted and escaped already", '"a\\073b"'
    yield "D62", "equals signs", "a=b==c="
    yield "D63", "blanks at both ends", " v "
    yield "D64", "one blank", " "
    yield "D65", "first and last character of each UTF-8 length", "\x7f\x80߿ࠀ\uffff\U00010000\U0010ffff"
    yield "D66", "all of latin-1's upper half", "".join(map(chr, range(128, 256)))
    yield "D67", "percent escapes stay", "a%20b%3B"
    yield "D68", "JSON", '{"k":[1,2]}'
    yield "D69", "blank, then text that needs escapes", 'x y;"\\,é'


def attributes() -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield from paths()
    yield from domains()
    yield from times()
    yield from flags()


def paths() -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "D14", "no path", {"path": None}
    yield "D15", "path empty", {"path": ""}
    yield "D16", "path is encoded", {"path": '/a b;c"d<é>日'}
    yield "D17", "escapes in a path stay", {"path": "/a%20b%3B%zz%"}
    yield "D70", "safe characters of a path", {"path": "/%!$&'()*+,/:=@-._~"}
    yield "D71", "path without a slash", {"path": "app"}
    yield "D72", "query and fragment in a path", {"path": "/a?b=c#d"}


def domains() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for identifier, note, domain in (
        ("D18", "domain", "example.com"),
        ("D19", "domain with a leading dot", ".example.com"),
        ("D20", "domain with many leading dots", "...example.com"),
        ("D21", "domain port", "example.com:5000"),
        ("D22", "domain empty", ""),
        ("D23", "localhost", "localhost"),
        ("D24", "IPv4", "127.0.0.1"),
        ("D25", "domain upper", "EXAMPLE.com"),
        ("D26", "domain IDN", "straße.de"),
        ("D27", "domain long label", "a" * 64 + ".com"),
        ("D28", "domain trailing dot", "example.com."),
        ("D29", "IPv6", "[::1]:80"),
        ("D73", "domain umlaut", "bücher.example"),
        ("D74", "domain in Japanese, ideographic full stop", "日本語。JP"),
        ("D75", "domain upper IDN", "BÜCHER.Example"),
        ("D76", "domain with a blank", "exa mple.com"),
        ("D77", "domain with a semicolon", "example.com; Secure"),
        ("D78", "domain with an empty label", "example..com"),
        ("D79", "domain is one dot", "."),
        ("D80", "domain label of 63", "a" * 63 + ".com"),
        ("D81", "domain with a line break", "example.com\r\nX: y"),
        ("D82", "domain is only a port", ":80"),
        ("D83", "domain of five labels and a port", ".a.b.c.example.com:80"),
        ("D84", "domain IDN label that gets too long", "ü" * 63 + ".com"),
    ):
        yield identifier, note, {"domain": domain}


def times() -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "D30", "max_age int", {"max_age": 60}
    yield "D31", "max_age zero", {"max_age": 0}
    yield "D32", "max_age negative", {"max_age": -1}
    yield "D34", "max_age no sync", {"max_age": 60, "sync_expires": False}
    yield "D35", "expires zero", {"expires": 0}
    yield "D36", "expires int", {"expires": T}
    yield "D37", "expires float", {"expires": T + 0.9}
    yield "D38", "expires str", {"expires": "whatever"}
    yield "D41", "expires negative", {"expires": -1}
    yield "D42", "expires and max_age", {"expires": 0, "max_age": 60}
    yield "D43", "year 10000-ish", {"expires": 253402300800}
    yield "D85", "last second of the year 9999", {"expires": 253402300799}
    yield "D86", "leap day", {"expires": 1709210096}
    yield "D87", "expires str empty", {"expires": ""}
    yield "D88", "expires str with a line break", {"expires": "x\r\ny"}
    yield "D89", "max_age past the year 9999", {"max_age": 253402300800}
    yield "D90", "31 days", {"max_age": 2678400}
    yield "D91", "400 days", {"max_age": 400 * 86400}
    for number in range(12):
        yield f"D{600 + number}", f"{number} mean months after T", {"expires": T + number * 2_629_800}
    for number in range(7):
        yield f"D{620 + number}", f"{number} days after the epoch", {"expires": number * 86400}


def flags() -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "D44", "secure httponly", {"secure": True, "httponly": True}
    yield "D45", "secure=1", {"secure": 1}
    yield "D46", "samesite lax", {"samesite": "lax"}
    yield "D47", "samesite STRICT", {"samesite": "STRICT"}
    yield "D48", "samesite none", {"samesite": "none"}
    yield "D49", "samesite bad", {"samesite": "bogus"}
    yield "D50", "samesite ''", {"samesite": ""}
    yield "D51", "partitioned forces secure", {"partitioned": True}
    yield "D52", "everything", EVERYTHING
    yield "D92", "secure=0", {"secure": 0}
    yield "D93", "secure='False'", {"secure": "False"}
    yield "D94", "httponly=0", {"httponly": 0}
    yield "D95", "partitioned=0", {"partitioned": 0}
    yield "D96", "partitioned=1", {"partitioned": 1}
    yield "D97", "all flags false", {"secure": False, "httponly": False, "partitioned": False}
    yield "D98", "samesite with a blank", {"samesite": "Lax "}


def names() -> Iterator[tuple[str, str, str, str, dict[str, Any]]]:
    yield "D53", "name unicode", "é", "v", {}
    yield "D54", "name special", "a b;c=d", "v", {}
    yield "D55", "name empty", "", "v", {}
    yield "D99", "name with a line break", "a\nb", "v", {}
    yield "D100", "host prefix is not checked", "__Host-a", "v", {"path": "/x"}
    yield "D101", "secure prefix is not checked", "__Secure-a", "v", {}
    yield "D102", "name with a quotation mark", 'a"b', "v", {}


def sizes() -> Iterator[tuple[str, str, str, str, dict[str, Any]]]:
    attributes = len("k=; Path=/")
    yield "D56", "4093 ok", "k", "v" * (4093 - attributes), {}
    yield "D57", "4094 warns", "k", "v" * (4094 - attributes), {}
    yield "D58", "max_size=0", "k", "v" * 5000, {"max_size": 0}
    yield "D59", "the limit counts what is sent, escapes included", "k", "é" * 600, {"max_size": 4093}
    yield "D103", "escapes pass the limit", "k", "é" * 520, {}
    yield "D104", "max_size=10", "k", "vv", {"max_size": 10}
