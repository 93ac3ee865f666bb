"""Invalid session cookies, and Flask's result for each: an empty session, an error, or acceptance.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from typing import Any

from clock import T
from flask_side import LIFETIME, SECRET, Application, payload_of, sign_body, sign_text, sign_value

GOOD = sign_text('{"user_id":42}')
BODY = "eyJ1c2VyX2lkIjo0Mn0"
SIGNATURE = GOOD.rpartition(".")[2]
SMALL = b'{"a":1}'

Case = tuple[str, str, dict[str, Any]]


def rows() -> Iterator[dict[str, Any]]:
    for identifier, note, case in cases():
        yield row(identifier, note, {"secret": SECRET, "fallbacks": [], "lifetime": LIFETIME, "now": T} | case)


def row(identifier: str, note: str, case: dict[str, Any]) -> dict[str, Any]:
    header = case.get("cookie_header", f"session={case.get('cookie')}")
    application = Application(case["secret"], case["fallbacks"], case["lifetime"])
    answer = application.read(header, case["now"])
    error = application.why(header, case["now"])
    seen = repr(answer.session) if answer.session is not None else None
    accepted = error is None
    payload = {"payload": payload_of(application.value(header))} if accepted else {}
    return (
        {"id": identifier, "note": note}
        | case
        | {"status": answer.status, "session": seen, "error": error, "accepted": accepted}
        | payload
    )


def cases() -> Iterator[Case]:
    yield from signatures()
    yield from keys()
    yield from ages()
    yield from timestamps()
    yield from bodies()
    yield from texts()
    yield from tags()
    yield from compressed()
    yield from headers()
    yield from sizes()
    yield from traps()


def with_signature(signature: str) -> dict[str, Any]:
    return {"cookie": f"{BODY}.ZVPxAA.{signature}"}


def signatures() -> Iterator[Case]:
    head = SIGNATURE[:-1]
    yield "R01", "good", {"cookie": GOOD}
    yield "R02", "sig last char +1 (trailing bits)", with_signature(head + "x")
    yield "R03", "sig last char +2", with_signature(head + "y")
    yield "R04", "sig last char +3", with_signature(head + "z")
    yield "R05", "sig last char other", with_signature(head + "0")
    yield "R06", "sig with = pad", with_signature(SIGNATURE + "=")
    yield "R07", "sig with == pad", with_signature(SIGNATURE + "==")
    yield "R08", "sig with ==== pad", with_signature(SIGNATURE + "====")
    yield "R09", "sig with junk !! in middle", with_signature(SIGNATURE[:-5] + "!!!!" + SIGNATURE[-5:])
    yield "R10", "sig with one junk character", with_signature(SIGNATURE + "!")
    yield "R11", "sig std alphabet + instead of -", with_signature(SIGNATURE.replace("-", "+"))
    yield "R12", "sig in the other case", with_signature(SIGNATURE.swapcase())
    yield "R13", "payload with = pad", {"cookie": GOOD.replace(BODY, BODY + "=")}
    yield "R14", "timestamp with == pad", {"cookie": GOOD.replace("ZVPxAA", "ZVPxAA==")}
    yield "R15", "truncated -1", {"cookie": GOOD[:-1]}
    yield "R16", "truncated -2", {"cookie": GOOD[:-2]}
    yield "R17", "no sig", {"cookie": f"{BODY}.ZVPxAA"}
    yield "R18", "empty sig", with_signature("")
    yield "R19", "only payload", {"cookie": BODY}
    yield "R20", "empty", {"cookie": ""}
    yield "R21", "dots", {"cookie": ".."}
    yield "R22", "one dot", {"cookie": "."}
    yield "R23", "three dots", {"cookie": "..."}
    yield "R110", "one more segment at the end", {"cookie": GOOD + "."}
    yield "R111", "one more segment in front", {"cookie": "." + GOOD}
    yield "R112", "body of one cookie, signature of another", {
        "cookie": sign_text('{"user_id":43}').rpartition(".")[0] + "." + SIGNATURE
    }  # fmt: skip
    yield "R113", "another timestamp", {"cookie": GOOD.replace("ZVPxAA", "ZVPxAQ")}
    yield "R114", "junk in front of the signature", with_signature("!!!!" + SIGNATURE)
    yield "R115", "the whole signature as standard base64 with padding", with_signature(
        SIGNATURE.replace("-", "+").replace("_", "/") + "="
    )  # fmt: skip
    yield "R116", "one letter of the body changed", {"cookie": "f" + GOOD[1:]}


def keys() -> Iterator[Case]:
    yield "R24", "wrong key", {"secret": "other", "cookie": GOOD}
    yield "R25", "wrong salt", {"cookie": sign_text('{"user_id":42}', salt="other")}
    yield "R26", "wrong key derivation django-concat", {"cookie": sign_body(BODY, key_derivation="django-concat")}
    yield "R27", "sha256 digest", {"cookie": sign_body(BODY, digest_method=hashlib.sha256)}
    yield "R28", "wrong key derivation concat", {"cookie": sign_body(BODY, key_derivation="concat")}
    yield "R29", "wrong key derivation none", {"cookie": sign_body(BODY, key_derivation="none")}
    yield "R37", "fallback accept", {"secret": "new", "fallbacks": ["a", SECRET, "b"], "cookie": GOOD}
    yield "R38", "no fallback fits", {"secret": "new", "fallbacks": ["a", "b"], "cookie": GOOD}
    yield "R39", "fallback str (iterated chars!)", {"secret": "new", "fallbacks": list(SECRET), "cookie": GOOD}
    yield "R117", "key with a blank more", {"secret": SECRET + " ", "cookie": GOOD}
    yield "R118", "key in composed and decomposed form", {"secret": "cle\u0301", "cookie": sign_text("{}", secret="cl\u00e9")}
    yield "R119", "fallback accept, expired all the same", {
        "secret": "new", "fallbacks": [SECRET], "now": T + LIFETIME + 1, "cookie": GOOD,
    }  # fmt: skip


def ages() -> Iterator[Case]:
    yield "R30", "last second of the lifetime", {"now": T + LIFETIME, "cookie": GOOD}
    yield "R31", "PERMANENT_SESSION_LIFETIME=0 same second", {"lifetime": 0, "cookie": GOOD}
    yield "R32", "PERMANENT_SESSION_LIFETIME=0 next second", {"lifetime": 0, "now": T + 1, "cookie": GOOD}
    yield "R33", "PERMANENT_SESSION_LIFETIME=-1", {"lifetime": -1, "cookie": GOOD}
    yield "R34", "one second past the lifetime", {"now": T + LIFETIME + 1, "cookie": GOOD}
    yield "R35", "one second before it was signed", {"now": T - 1, "cookie": GOOD}
    yield "R36", "sub-second: read at T+2678400.999", {"now": T + LIFETIME + 0.999, "cookie": GOOD}
    yield "R120", "a part of a second before it was signed", {"now": T - 0.001, "cookie": GOOD}
    yield "R121", "five seconds before it was signed", {"now": T - 5, "cookie": GOOD}
    yield "R122", "six seconds before it was signed", {"now": T - 6, "cookie": GOOD}
    yield "R123", "fraction of the lifetime is cut", {"lifetime": 1.9, "now": T + 2, "cookie": GOOD}
    yield "R124", "a year past the lifetime", {"now": T + LIFETIME + 31_536_000, "cookie": GOOD}


def timestamps() -> Iterator[Case]:
    for identifier, note, timestamp in (
        ("R41", "ts 9 bytes", "AQEBAQEBAQEB"),
        ("R42", "ts 8 bytes, far in the future", "AQEBAQEBAQE"),
        ("R43", "ts leading zero bytes", "AAAAAGVT8QA"),
        ("R44", "ts bad b64 len 1", "Z"),
        ("R45", "ts empty", ""),
        ("R46", "ts padded", "ZVPxAA=="),
        ("R47", "timestamp !!ZVPxAA!! correctly signed: junk skipped", "!!ZVPxAA!!"),
        ("R125", "ts 8 bytes of ff", "__________8"),
        ("R126", "ts 5 bytes, one too large for the calendar", "OwAAAAAA"),
        ("R127", "ts trailing bits", "ZVPxAB"),
        ("R128", "ts 9 bytes with leading zero bytes", "AAAAAABlU_EA"),
        ("R129", "ts is one zero byte", "AA"),
        ("R130", "ts standard alphabet", "ZVPx++=="),
        ("R131", "ts only junk", "!!!!"),
    ):
        yield identifier, note, {"cookie": sign_value(f"{BODY}.{timestamp}")}
    yield "R40", "ts missing, signed", {"cookie": sign_value(BODY)}
    yield "R132", "ts of the last second of the year 9999", {"cookie": sign_text("{}", now=253402300799)}


def bodies() -> Iterator[Case]:
    for identifier, note, body in (
        ("R48", "signed: bad b64 payload len%4==1", "abcde"),
        ("R49", "signed: payload padded", BODY + "="),
        ("R50", "signed: payload is junk", "!!!!"),
        ("R51", "signed: payload empty", ""),
        ("R93", "signed: payload with embedded dots", "eyJh.IjoxfQ"),
        ("R133", "signed: payload in the standard alphabet", "eyJhIjoiPz8/fn5+In0"),
        ("R134", "signed: payload with trailing bits", "eyJ1c2VyX2lkIjo0Mn1"),
        ("R135", "signed: payload with junk inside", "eyJ1c2V!!!!yX2lkIjo0Mn0"),
        ("R136", "signed: payload with a blank", "eyJ1c2VyX2lk IjozM30"),
    ):
        yield identifier, note, {"cookie": sign_body(body)}


def texts() -> Iterator[Case]:
    for identifier, note, text in (
        ("R52", "signed: not json", "not json"),
        ("R53", "signed: json null", "null"),
        ("R54", "signed: json []", "[]"),
        ("R55", "signed: json [[a,1]]", '[["a",1]]'),
        ("R56", "signed: json 5", "5"),
        ("R57", "signed: json string ''", '""'),
        ("R58", "signed: json string 'abc'", '"abc"'),
        ("R59", "signed: dup keys", '{"a":1,"a":2}'),
        ("R60", "signed: blanks around", ' \t\r\n{ "a" : 1 } \n'),
        ("R61", "signed: trailing text", '{"a":1}x'),
        ("R62", "signed: raw utf8 json", '{"a":"é"}'),
        ("R63", "signed: trailing comma", '{"a":1,}'),
        ("R64", "signed: single quotes", "{'a':1}"),
        ("R137", "signed: json true", "true"),
        ("R138", "signed: empty object", "{}"),
        ("R139", "signed: cut off", '{"a":1'),
        ("R140", "signed: raw control character in a string", '{"a":"\x01"}'),
        ("R141", "signed: raw DEL in a string", '{"a":"\x7f"}'),
        ("R142", "signed: raw line break in a string", '{"a":"\n"}'),
        ("R143", "signed: unknown escape", '{"a":"\\x41"}'),
        ("R144", "signed: short unicode escape", '{"a":"\\u12"}'),
        ("R145", "signed: unicode escape with a sign", '{"a":"\\u+123"}'),
        ("R146", "signed: unicode escape with an underscore", '{"a":"\\u1_23"}'),
        ("R147", "signed: leading zero", '{"a":01}'),
        ("R148", "signed: leading plus", '{"a":+1}'),
        ("R149", "signed: number ends in a point", '{"a":1.}'),
        ("R150", "signed: number starts with a point", '{"a":.5}'),
        ("R151", "signed: number ends in e", '{"a":1e}'),
        ("R152", "signed: minus alone", '{"a":-}'),
        ("R153", "signed: minus zero", '{"a":-0}'),
        ("R154", "signed: hexadecimal", '{"a":0x10}'),
        ("R155", "signed: 1e400", '{"a":1e400}'),
        ("R156", "signed: 1e-400", '{"a":1e-400}'),
        ("R157", "signed: nan in lower case", '{"a":nan}'),
        ("R158", "signed: -NaN", '{"a":-NaN}'),
        ("R159", "signed: Infinity with a plus", '{"a":+Infinity}'),
        ("R160", "signed: comment", '{"a":1/**/}'),
        ("R161", "signed: two values", "{}{}"),
        ("R162", "signed: key without quotes", "{a:1}"),
        ("R163", "signed: key is a number", "{1:1}"),
        ("R164", "signed: empty key", '{"":1}'),
        ("R165", "signed: no value", '{"a":}'),
        ("R166", "signed: no colon", '{"a" 1}'),
        ("R167", "signed: no comma", '{"a":1 "b":2}'),
        ("R168", "signed: only blanks", "  "),
        ("R169", "signed: no-break space around", '\u00a0{"a":1}'),
        ("R170", "signed: form feed around", '\x0c{"a":1}'),
        ("R171", "signed: True", '{"a":True}'),
        ("R172", "signed: escaped solidus and every short escape", '{"a":"\\/\\b\\f\\n\\r\\t\\"\\\\"}'),
        ("R173", "signed: upper-case escapes", '{"a":"\\u00E9\\uD83D\\uDE00"}'),
        ("R174", "signed: two high surrogates, then a low one", '{"a":"\\ud83d\\ud83d\\ude00"}'),
        ("R175", "signed: low surrogate first", '{"a":"\\ude00\\ud83d"}'),
        ("R176", "signed: high surrogate before a letter", '{"a":"\\ud83dx"}'),
        ("R177", "signed: duplicate key, once escaped", '{"a":1,"\\u0061":2}'),
        ("R178", "signed: duplicate keys keep the first place", '{"a":1,"b":2,"a":3}'),
        ("R179", "signed: list of three-element lists", '[["a",1,2]]'),
        ("R180", "signed: list of two-letter strings", '["ab","cd"]'),
        ("R181", "signed: list with a number as key", "[[1,2]]"),
        ("R182", "signed: list with an unhashable key", "[[[1],2]]"),
        ("R183", "signed: NUL in a key", '{"\\u0000":1}'),
    ):
        yield identifier, note, {"cookie": sign_text(text)}
    for identifier, note, data in (
        ("R65", "signed: invalid UTF-8", b'{"a":"\xff"}'),
        ("R66", "signed: byte order mark", b'\xef\xbb\xbf{"a":1}'),
        ("R184", "signed: overlong UTF-8", b'{"a":"\xc0\xaf"}'),
        ("R185", "signed: surrogate in UTF-8", b'{"a":"\xed\xa0\x80"}'),
        ("R186", "signed: UTF-16", '{"a":1}'.encode("utf-16-le")),
        ("R187", "signed: UTF-32", '{"a":1}'.encode("utf-32-be")),
        ("R188", "signed: cut UTF-8", b'{"a":"\xc3'),
        ("R189", "signed: past the last character", b'{"a":"\xf4\x90\x80\x80"}'),
        ("R190", "signed: trailing NUL", b'{"a":1}\x00'),
    ):
        yield identifier, note, {"cookie": sign_text(data)}


def tags() -> Iterator[Case]:
    for identifier, note, tagged in (
        ("R67", "signed: {' d':'bad'}", '{" d":"bad"}'),
        ("R68", "signed: {' d':5}", '{" d":5}'),
        ("R69", "signed: {' d':'2023-01-01'}", '{" d":"2023-01-01"}'),
        ("R70", "signed: {' d':null}", '{" d":null}'),
        ("R71", "signed: {' b':'!!!'}", '{" b":"!!!"}'),
        ("R72", "signed: {' b':'YQ'} (no padding)", '{" b":"YQ"}'),
        ("R73", "signed: {' b':5}", '{" b":5}'),
        ("R74", "signed: {' t':5}", '{" t":5}'),
        ("R75", "signed: {' t':'abc'}", '{" t":"abc"}'),
        ("R76", "signed: {' t':null}", '{" t":null}'),
        ("R77", "signed: {' t':{..}}", '{" t":{"x":1,"y":2}}'),
        ("R78", "signed: {' m':5}", '{" m":5}'),
        ("R79", "signed: {' di':{}}", '{" di":{}}'),
        ("R80", "signed: {' di':{'a':1}}", '{" di":{"a":1}}'),
        ("R81", "signed: {' di':{'abc':1,'d':2}}", '{" di":{"abc":1,"d":2}}'),
        ("R82", "signed: {' di':5}", '{" di":5}'),
        ("R191", "signed: {' u':'bad'}", '{" u":"bad"}'),
        ("R192", "signed: {' u':5}", '{" u":5}'),
        ("R193", "signed: {' u':with dashes}", '{" u":"12345678-1234-5678-1234-567812345678"}'),
        ("R194", "signed: {' u':urn}", '{" u":"urn:uuid:{12345678-1234-5678-1234-567812345678}"}'),
        ("R195", "signed: {' u':upper case}", '{" u":"ABCDEFABCDEFABCDEFABCDEFABCDEFAB"}'),
        ("R196", "signed: {' u':with underscores}", '{" u":"1234567812345678_1234567812345_8"}'),
        ("R197", "signed: {' u':full-width digits}", '{" u":"１２３４５６７８１２３４５６７８１２３４５６７８１２３４５６７８"}'),
        ("R198", "signed: {' u':31 digits}", '{" u":"1234567812345678123456781234567"}'),
        ("R199", "signed: {' b':url-safe alphabet}", '{" b":"-_-_"}'),
        ("R200", "signed: {' b':padding inside}", '{" b":"YQ==YQ=="}'),
        ("R201", "signed: {' b':blanks}", '{" b":"Y Q = ="}'),
        ("R202", "signed: {' b':not ASCII}", '{" b":"YQ==é"}'),
        ("R203", "signed: {' b':one letter}", '{" b":"Y"}'),
        ("R204", "signed: {' b':trailing bits}", '{" b":"YR=="}'),
        ("R205", "signed: {' b':more padding}", '{" b":"YQ===="}'),
        ("R206", "signed: {' m':null}", '{" m":null}'),
        ("R207", "signed: {' m':[..]}", '{" m":["a",1]}'),
        ("R208", "signed: {' m':1.0}", '{" m":1.0}'),
        ("R209", "signed: {' m':true}", '{" m":true}'),
        ("R210", "signed: {' t':[[..]]}", '{" t":[[1,{" t":[]}]]}'),
        ("R211", "signed: {' t':true}", '{" t":true}'),
        ("R212", "signed: tag beside another key", '{" t":[1],"x":2}'),
        ("R213", "signed: tag twice", '{" t":[1]," t":[2]}'),
        ("R214", "signed: two tags", '{" t":[1]," b":"YQ=="}'),
        ("R215", "signed: {' di':'abc'}", '{" di":"abc"}'),
        ("R216", "signed: {' di':[]}", '{" di":[]}'),
        ("R217", "signed: {' di':[['ab',1]]}", '{" di":[["abc"]]}'),
        ("R218", "signed: {' di':{' t':[1]}}", '{" di":{" t":[1]}}'),
        ("R219", "signed: {' di':{'__':1}}", '{" di":{"__":1}}'),
        ("R220", "signed: {' di':{' zz__':1}}", '{" di":{" zz__":1}}'),
        ("R221", "signed: {' x':1}", '{" x":1}'),
        ("R222", "signed: tag without its blank", '{"t":[1]}'),
        ("R223", "signed: tag in upper case", '{" T":[1]}'),
        ("R224", "signed: tag written with an escape", '{"\\u0020t":[1]}'),
    ):
        yield identifier, note, {"cookie": sign_text(f'{{"a":{tagged}}}')}
    yield from dates()
    yield "R83", "signed: root tuple", {"cookie": sign_text('{" t":[["a",1]]}')}
    yield "R84", "signed: root bytes", {"cookie": sign_text('{" b":"YQ=="}')}
    yield "R85", "signed: root escaped dict", {"cookie": sign_text('{" di":{" u__":1}}')}
    yield "R225", "signed: root empty bytes", {"cookie": sign_text('{" b":""}')}
    yield "R226", "signed: root datetime", {"cookie": sign_text('{" d":"Tue, 14 Nov 2023 22:13:20 GMT"}')}
    yield "R227", "signed: root markup", {"cookie": sign_text('{" m":""}')}
    yield "R228", "signed: root unparsable datetime", {"cookie": sign_text('{" d":"bad"}')}


def dates() -> Iterator[Case]:
    for number, text in enumerate(
        (
            "Tue, 14 Nov 2023 22:13:20 +0200",
            "Tue, 14 Nov 2023 22:13:20 -0000",
            "Tue, 14 Nov 2023 22:13:20 EST",
            "Tue, 14 Nov 2023 22:13:20 Z",
            "Tue, 14 Nov 2023 22:13:20 UTC",
            "Tue, 14 Nov 2023 22:13:20",
            "Tue, 14 Nov 2023 22:13",
            "14 Nov 2023 22:13:20 GMT",
            "Wed, 14 Nov 2023 22:13:20 GMT",
            "Tuesday, 14-Nov-23 22:13:20 GMT",
            "Tue Nov 14 22:13:20 2023",
            "tue, 14 nov 2023 22:13:20 gmt",
            "Tue, 14 November 2023 22:13:20 GMT",
            "Tue, 31 Nov 2023 22:13:20 GMT",
            "Tue, 14 Nov 2023 24:13:20 GMT",
            "Tue, 14 Nov 2023 22:13:60 GMT",
            "Tue, 14 Nov 0045 22:13:20 GMT",
            "Tue, 14 Nov 0070 22:13:20 GMT",
            "Tue, 14 Nov 0999 22:13:20 GMT",
            "Tue, 14 Nov 99 22:13:20 GMT",
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "Fri, 31 Dec 10000 23:59:59 GMT",
            "Tue, 14 Nov 2023 22:13:20 +2500",
            "Tue, 14 Nov 2023 22:13:20 +0160",
            "  Tue, 14 Nov 2023 22:13:20 GMT  ",
            "Tue,14 Nov 2023 22:13:20 GMT",
            "Tue, 14 Nov 2023 22:13:20 GMT (comment)",
            "Tue, 14 Nov 2023 22.13.20 GMT",
            "",
        )
    ):
        yield f"R{300 + number}", f"signed: date {text!r}", {"cookie": sign_text(f'{{"a":{{" d":"{text}"}}}}')}


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def compressed() -> Iterator[Case]:
    stream = zlib.compress(SMALL)
    raw = zlib.compressobj(wbits=-15)
    for identifier, note, body in (
        ("R86", "zlib truncated signed", "." + encoded(stream)[:-4]),
        ("R87", "zlib with trailing bytes", "." + encoded(stream + b"xyz")),
        ("R88", "zlib bad adler", "." + encoded(stream[:-1] + b"\0")),
        ("R89", "'.' flag and nothing", "."),
        ("R90", "gzip payload", "." + encoded(gzip.compress(SMALL, mtime=0))),
        ("R91", "'.' flag but not zlib", "." + encoded(SMALL)),
        ("R92", "'..' double flag", ".." + encoded(stream)),
        ("R229", "raw deflate (no header)", "." + encoded(raw.compress(SMALL) + raw.flush())),
        ("R230", "zlib without the flag", encoded(stream)),
        ("R231", "zlib, stored blocks", "." + encoded(zlib.compress(SMALL, 0))),
        ("R232", "zlib, best compression", "." + encoded(zlib.compress(SMALL, 9))),
        ("R233", "zlib, window of 512 bytes", "." + encoded(_windowed(9))),
        ("R234", "zlib twice", "." + encoded(zlib.compress(stream))),
        ("R235", "zlib of not JSON", "." + encoded(zlib.compress(b"not json"))),
        ("R236", "zlib of nothing", "." + encoded(zlib.compress(b""))),
        ("R237", "zlib with a preset dictionary", "." + encoded(_with_dictionary())),
        ("R238", "two streams after each other", "." + encoded(stream + stream)),
        ("R239", "zlib cut inside the checksum", "." + encoded(stream[:-2])),
    ):
        yield identifier, note, {"cookie": sign_body(body)}


def _windowed(bits: int) -> bytes:
    squeeze = zlib.compressobj(wbits=bits)
    return squeeze.compress(SMALL) + squeeze.flush()


def _with_dictionary() -> bytes:
    squeeze = zlib.compressobj(zdict=SMALL)
    return squeeze.compress(SMALL) + squeeze.flush()


def headers() -> Iterator[Case]:
    other = sign_text('{"user_id":43}')
    for identifier, note, header in (
        ("R94", "quoted cookie value", f'session="{GOOD}"'),
        ("R95", "quoted, one character as octal escape", f'session="\\145{GOOD[1:]}"'),
        ("R96", "blank behind the value", f"session={GOOD} "),
        ("R97", "raw byte E9 appended to the signature (outside the base64 alphabet, skipped)", f"session={GOOD}\xe9"),
        ("R240", "two good ones: the first", f"session={GOOD}; session={other}"),
        ("R241", "a bad one, then a good one", f"session=bad; session={GOOD}"),
        ("R242", "an empty one, then a good one", f"session=; session={GOOD}"),
        ("R243", "name in another case", f"Session={GOOD}"),
        ("R244", "among others", f"a=b; session={GOOD}; c=d"),
        ("R245", "blanks around the equals sign", f"session = {GOOD}"),
        ("R246", "a cookie that 3.1.9 drops in front", f"x=1 2; session={GOOD}"),
        ("R247", "no cookie", ""),
        ("R248", "name without a value", "session"),
        ("R249", "unclosed quotation mark", f'session="{GOOD}'),
        ("R250", "text behind the value", f"session={GOOD} x"),
        ("R251", "name in quotation marks", f'"session"={GOOD}'),
        ("R252", "comma instead of a semicolon", f"a=b, session={GOOD}"),
    ):
        yield identifier, note, {"cookie_header": header}


def sizes() -> Iterator[Case]:
    bomb = "." + encoded(zlib.compress(b'{"a":"' + b"A" * 100_000 + b'"}', 9))
    yield "R98", "deep nesting 1000 signed", {"cookie": sign_body(encoded(nested(1000)))}
    yield "R99", "deep nesting 100 signed", {"cookie": sign_body(encoded(nested(100)))}
    yield "R100", "int 5000 digits", {"cookie": sign_body(encoded(digits(5000)))}
    yield "R101", "zlib 'bomb' 100,000 x 'A' (zlib level 9), correctly signed: expanded and accepted, no limit", {
        "cookie": sign_body(bomb)
    }  # fmt: skip
    yield "R102", "same bomb with a bad signature: never decompressed", {"cookie": f"{bomb}.ZVPxAA.AAAA"}
    yield "R253", "int 4300 digits", {"cookie": sign_body(encoded(digits(4300)))}
    yield "R254", "int 4301 digits", {"cookie": sign_body(encoded(digits(4301)))}
    yield "R255", "objects nested 100 deep", {"cookie": sign_text('{"a":' * 100 + "1" + "}" * 100)}
    yield "R256", "float with 5000 digits", {"cookie": sign_text('{"a":0.' + "1" * 5000 + "}")}


def nested(depth: int) -> bytes:
    return b'{"a":' + b"[" * depth + b"]" * depth + b"}"


def digits(count: int) -> bytes:
    return b'{"a":' + b"1" * count + b"}"


def traps() -> Iterator[Case]:
    yield "R103", "SECRET_KEY_FALLBACKS given as a str 'oldkey' -> iterated per character; forged with the key 'k'", {
        "fallbacks": list("oldkey"), "cookie": sign_text('{"admin":true}', secret="k"),
    }  # fmt: skip
    yield "R104", "SECRET_KEY_FALLBACKS=[''] -> cookie signed with the empty key IS ACCEPTED", {
        "fallbacks": [""], "cookie": sign_text('{"admin":true}', secret=""),
    }  # fmt: skip
