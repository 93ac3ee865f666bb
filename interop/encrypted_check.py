"""A second implementation of encrypted session cookies, which seals and opens the test vectors.

    python3 interop/encrypted_check.py            # checks testdata/vectors/encrypted.jsonl
    python3 interop/encrypted_check.py --write    # writes the file; never changes existing lines

Requires the package `cryptography`. Written from docs/wire-format.md §4 alone, without code of
Carafe.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VECTORS = pathlib.Path(__file__).parent.parent / "testdata/vectors/encrypted.jsonl"
NOON = 1_700_000_000
SECRET = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e"


def expand(prk: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand with SHA-256 (RFC 5869 §2.3)."""
    out, block = b"", b""
    for number in range(1, 256):
        if len(out) >= length:
            break
        block = hmac.digest(prk, block + info + bytes([number]), hashlib.sha256)
        out += block
    return out[:length]


def derive(secret: str, nonce: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the key id, the message key, and the commitment to it."""
    prk = hmac.digest(b"carafe v1", secret.encode(), hashlib.sha256)
    both = expand(prk, b"encrypted session" + nonce, 64)
    return expand(prk, b"key id", 4), both[:32], both[32:]


def context(application: str, cookie: str) -> bytes:
    parts = [b"carafe session", cookie.encode(), application.encode()]
    return b"\x01" + b"".join(struct.pack(">Q", len(part)) + part for part in parts)


def seal(case: dict) -> str:
    nonce = bytes.fromhex(case["nonce"])
    key_id, key, commitment = derive(case["secret"], nonce)
    plain = struct.pack(">qq", case["issued"], case["expires"]) + case["payload"].encode()
    sealed = AESGCM(key).encrypt(bytes(12), plain, context(case["application"], case["cookie"]))
    token = b"\x01" + key_id + nonce + commitment + sealed
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def open_token(case: dict) -> tuple[int, int, str]:
    """Return the content; raise if any byte is wrong. Times are not compared with a clock."""
    text = case["token"]
    token = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    key_id, key, commitment = derive(case["secret"], token[5:29])
    if token[0] != 1 or token[1:5] != key_id or not hmac.compare_digest(token[29:61], commitment):
        raise InvalidTag
    plain = AESGCM(key).decrypt(bytes(12), token[61:], context(case["application"], case["cookie"]))
    return (*struct.unpack(">qq", plain[:16]), plain[16:].decode())


def cases() -> list[dict]:
    base = {
        "secret": SECRET, "application": "shop", "cookie": "__Host-Http-session", "nonce": bytes(range(24)).hex(),
        "issued": NOON, "expires": NOON + 31 * 86_400, "payload": '{"user_id":42}',
    }
    changes = [
        {},
        {"payload": "{}"},
        {"payload": ""},
        {"payload": '{"name":"Zo\\u00eb"}'},
        {"payload": '{"name":"Zoë 日本 😀"}'},
        {"payload": '{"large":"' + "x" * 2_800 + '"}'},
        *({"payload": "y" * length} for length in range(1, 34)),
        {"application": ""},
        {"application": "größe"},
        {"application": "b", "cookie": "a"},
        {"application": "", "cookie": "ab"},
        {"application": "ab", "cookie": ""},
        {"application": "shop\0"},
        {"cookie": "session"},
        {"secret": "clé-秘密-clé-秘密-clé-秘密"},
        {"secret": "k"},
        {"secret": SECRET * 3},
        {"nonce": "00" * 24},
        {"nonce": "ff" * 24},
        {"issued": 0, "expires": 0},
        {"issued": -1, "expires": NOON},
        {"issued": NOON, "expires": NOON - 1},
        {"issued": NOON, "expires": 2**63 - 1},
        {"issued": -(2**63), "expires": 2**63 - 1},
        {"expires": NOON},
    ]
    return [{"id": f"X{number:02}", **base, **change} for number, change in enumerate(changes, 1)]


def write() -> None:
    known = VECTORS.read_text().splitlines() if VECTORS.exists() else []
    lines = [json.dumps({**case, "token": seal(case)}) for case in cases()]
    if lines[: len(known)] != known:
        sys.exit("a line would change; cases are only ever added at the end")
    VECTORS.write_text("".join(line + "\n" for line in lines))
    print(f"{len(lines)} tokens, {len(lines) - len(known)} of them new")


def check() -> None:
    count = 0
    for case in map(json.loads, VECTORS.read_text().splitlines()):
        assert seal(case) == case["token"], f"{case['id']}: another token is made"
        inside = (case["issued"], case["expires"], case["payload"])
        assert open_token(case) == inside, f"{case['id']}: something else is inside"
        for change in ({"cookie": case["cookie"] + "x"}, {"application": case["application"] + "x"}):
            try:
                open_token({**case, **change})
            except InvalidTag:
                continue
            sys.exit(f"{case['id']}: opens with {change}")
        count += 1
    print(f"{count} tokens are made and opened alike")


if __name__ == "__main__":
    write() if "--write" in sys.argv else check()
