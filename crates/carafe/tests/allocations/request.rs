//! Memory costs of a request in the core: nothing is allocated before a tag is verified or for an
//! unused session, and little for a decompression bomb.

use futures_executor::block_on;
use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use carafe_core::{
    clock::Timestamp,
    json::scan_root,
    key::{KeyRing, SecretKey},
    session::{ClientSide, SessionConfig, SessionManager},
    token::{
        Compression, INFLATED_LIMIT, PayloadError, TokenError,
        encrypted::EncryptedSessions,
        signed::{SignedFormat, SignedSessions},
    },
};

const NOON: Timestamp = Timestamp::from_unix(1_700_000_000);

fn ring() -> KeyRing {
    let text = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e";
    SecretKey::new(text).unwrap().into()
}

fn flask() -> SignedSessions {
    let format = SignedFormat::flask().with_compression(Compression::WhenShorter);
    SignedSessions::new(&ring(), &format)
}

/// Returns a cookie of 4 KB that inflates to 3 MB.
fn bomb() -> String {
    let cookie = flask().seal(&"a".repeat(3 << 20), NOON);
    assert!(cookie.len() < 8 << 10, "{} bytes", cookie.len());
    cookie
}

/// Returns the cookie with another last letter of the signature.
fn broken(cookie: &str) -> String {
    let mut broken = cookie.to_owned();
    let last = broken.pop().unwrap();
    broken.push(if last == 'A' { 'E' } else { 'A' });
    broken
}

/// Returns the allocations of the second run of `work`, because the first run may fill caches of
/// the thread.
fn cost(work: impl Fn()) -> AllocationInfo {
    work();
    measure(work)
}

/// Decoding, inflating and parsing all allocate; rejecting a signature does not.
#[test]
fn a_bad_signature_costs_no_allocation() {
    let (sessions, bomb) = (flask(), bomb());
    let small = sessions.seal(r#"{"user":42}"#, NOON);
    for cookie in [
        broken(&bomb),
        broken(&small),
        "A".repeat(60_000),
        "a.b.c".to_owned(),
        ".".repeat(60_000),
    ] {
        let cost = cost(|| assert!(sessions.open(cookie.as_bytes(), None, NOON).is_err()));
        assert_eq!(cost.count_total, 0, "{cookie:.40}…");
    }
    // A valid cookie allocates, which shows that the counter works.
    let good = cost(|| assert!(sessions.open(small.as_bytes(), None, NOON).is_ok()));
    assert!(good.count_total > 0);
}

#[test]
fn an_expired_cookie_is_not_decoded() {
    let (sessions, bomb) = (flask(), bomb());
    let (day, late) = (
        std::time::Duration::from_secs(86_400),
        NOON.saturating_add(86_401),
    );
    let cost = cost(|| {
        let opened = sessions.open(bomb.as_bytes(), Some(day), late);
        assert!(matches!(opened, Err(TokenError::Expired { .. })));
    });
    assert_eq!(cost.count_total, 0);
}

/// The token must be decoded to find its tag, which takes one allocation of the token's size.
#[test]
fn a_bad_encrypted_token_costs_its_own_bytes() {
    let sessions = EncryptedSessions::new(&ring(), "shop", "session");
    let token = sessions.seal(&"a".repeat(3_000), NOON, NOON).unwrap();
    let cost = cost(|| {
        let opened = sessions.open(broken(&token).as_bytes(), None, NOON);
        assert!(opened.is_err());
    });
    // `broken` itself makes one copy of the same length.
    assert!(cost.count_total <= 2, "{} allocations", cost.count_total);
    assert!(cost.bytes_total <= 2 * u64::try_from(token.len()).unwrap());
}

/// A correctly signed bomb, from a stolen key or a careless program.
#[test]
fn a_compression_bomb_never_holds_more_than_256_kib() {
    let (sessions, bomb) = (flask(), bomb());
    let cost = cost(|| {
        let opened = sessions.open(bomb.as_bytes(), None, NOON);
        assert_eq!(opened, Err(PayloadError::TooLarge.into()));
    });
    assert!(
        cost.bytes_max < 256 << 10,
        "{} bytes at once",
        cost.bytes_max
    );
    assert!(
        cost.bytes_total < 512 << 10,
        "{} bytes in all",
        cost.bytes_total
    );
    assert!(cost.bytes_max >= u64::try_from(INFLATED_LIMIT).unwrap() / 2);
}

/// CKR-6: other applications' cookies cost nothing, however many the request has.
#[test]
fn a_header_without_our_cookie_costs_a_constant() {
    let side = ClientSide::signed(ring());
    let manager = Arc::new(SessionManager::new(side, SessionConfig::default()).unwrap());
    let open = |line: &str| {
        cost(|| {
            assert!(
                block_on(manager.open(&manager.begin(), [line.as_bytes()], NOON))
                    .unwrap()
                    .is_empty()
            );
        })
        .count_total
    };
    let one = open("a=b");
    assert_eq!(open(&"theme=dark; ".repeat(100)), one);
    assert_eq!(open(&"theme=dark; ".repeat(100_000)), one);
    assert_eq!(open(&";".repeat(1 << 20)), one);
    assert!(one <= 2, "{one} allocations");
}

#[test]
fn an_untouched_session_costs_one_allocation() {
    let side = ClientSide::encrypted(ring(), "shop");
    let manager = Arc::new(SessionManager::new(side, SessionConfig::default()).unwrap());
    let line = format!("{}=junk", manager.cookie().name());
    let cost = cost(|| {
        let slot = manager.begin();
        block_on(manager.commit(&slot, [line.as_bytes()], 200, NOON)).unwrap();
    });
    assert_eq!(cost.count_total, 1);
}

fn assert_bounded(name: &str, input: usize, cost: &AllocationInfo, times: u64, constant: u64) {
    let bound = times * u64::try_from(input).unwrap() + constant;
    assert!(
        cost.bytes_max <= bound,
        "{name}: {input} bytes cost {} at once",
        cost.bytes_max
    );
}

/// The text of a payload may come from a client with a stolen key.
#[test]
fn a_scan_costs_a_multiple_of_its_text() {
    const COUNT: usize = 20_000;
    let distinct = |spelled: &str| {
        let members = (0..COUNT).map(|n| format!("\"{spelled}{n}\":1"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    };
    let repeated = |open: &str, content: &str, close: &str| {
        format!("{}{content}{}", open.repeat(COUNT), close.repeat(COUNT))
    };
    for (name, text) in [
        ("members", distinct("k")),
        ("members with escapes", distinct("\\u006b")),
        (
            "duplicates",
            format!("{{{}\"a\":1}}", "\"a\":1,".repeat(COUNT)),
        ),
        ("deep lists", format!("{{\"a\":{}", "[".repeat(COUNT))),
        ("closed deep lists", repeated("[", "", "]")),
        ("deep dictionaries", repeated("{\"a\":", "1", "}")),
        ("deep tags", repeated("{\" t\":[", "1", "]}")),
        (
            "tags",
            format!("{{\"a\":[{}1]}}", "{\" t\":[]},".repeat(COUNT)),
        ),
        (
            "escaped tags",
            format!("{{\"a\":[{}1]}}", "{\" d__\":1},".repeat(COUNT)),
        ),
        ("digits", format!("{{\"a\":{}}}", "9".repeat(COUNT))),
        (
            "escapes",
            format!("{{\"a\":\"{}\"}}", "\\u0000".repeat(COUNT)),
        ),
    ] {
        for tags in [false, true] {
            let cost = cost(|| drop(std::hint::black_box(scan_root(&text, tags))));
            assert_bounded(name, text.len(), &cost, 16, 4 << 10);
        }
    }
}

/// Records of Flask-Session's layout, in a store that other programs can write to.
mod stored {
    use carafe_core::{
        flask::stored::{FlaskSession, Format},
        store::{KeyScheme, Record, StoreError},
        token::SessionId,
    };

    use super::*;

    fn read(value: &[u8]) -> Result<Record, StoreError> {
        let id = SessionId::parse(&[b'A'; 43]).unwrap();
        let key = id.store_key_as(KeyScheme::RawId);
        FlaskSession::new(Format::MsgPack).record(&key, value, NOON.saturating_add(60), NOON)
    }

    fn cost_of_reading(value: &[u8]) -> AllocationInfo {
        cost(|| drop(std::hint::black_box(read(value))))
    }

    /// A declared length alone causes no allocation, and a key inside a key is not rendered.
    #[test]
    fn a_short_record_costs_little_whatever_it_declares() {
        let huge: [&[u8]; 8] = [
            b"\xc6\xff\xff\xff\xff",
            b"\xc9\xff\xff\xff\xff\x01",
            b"\xdb\xff\xff\xff\xff",
            b"\xdd\xff\xff\xff\xff",
            b"\xdf\xff\xff\xff\xff",
            b"\xc5\xff\xff",
            b"\xda\xff\xff",
            b"\xde\xff\xff",
        ];
        let mut values: Vec<Vec<u8>> = Vec::new();
        for declared in huge {
            for before in [
                &b""[..],
                b"\x81",
                b"\x81\xa1a",
                b"\x81\xa1a\x92\xc0",
                b"\x81\x92\xc0",
            ] {
                values.push([before, declared].concat());
                values.push([before, &declared.repeat(4)].concat());
            }
        }
        for depth in 1..=24 {
            let nulls = vec![0xc0; depth];
            // Dictionaries as keys of dictionaries, lists of dictionaries as keys, dictionaries as
            // values.
            values.push([&vec![0x81; depth][..], b"\xa1\"", &nulls].concat());
            values.push([&b"\x81\x91".repeat(depth)[..], b"\xa1\"", &nulls].concat());
            values.push([&b"\x81\xa1\"".repeat(depth)[..], b"\xc0"].concat());
            values.push([b"\x81", &vec![0x91; depth][..], b"\xa1\"\xc0"].concat());
        }
        for value in &values {
            let cost = cost_of_reading(value);
            assert_bounded(&format!("{value:x?}"), value.len(), &cost, 64, 128 << 10);
        }
        assert!(values.iter().any(|value| read(value).is_ok()));
    }

    #[test]
    fn a_long_record_costs_a_multiple_of_its_bytes() {
        const COUNT: usize = 40_000;
        let list = |items: &[u8]| {
            let count = u32::try_from(COUNT).unwrap().to_be_bytes();
            [b"\x81\xa1a\xdd", &count[..], &items.repeat(COUNT)].concat()
        };
        for (name, value, is_good) in [
            ("nulls", list(b"\xc0"), true),
            ("empty texts", list(b"\xa0"), true),
            ("empty dictionaries", list(b"\x80"), true),
            ("bytes", list(b"\xc4\x01a"), true),
            ("escapes", list(b"\xa1\x01"), true),
            ("timestamps", list(b"\xd6\xff\0\0\0\0"), true),
            ("dictionaries", list(b"\x81\x91\xa1\"\xc0"), true),
            (
                "deep lists",
                [&b"\x81\xa1a"[..], &[0x91; COUNT]].concat(),
                false,
            ),
            ("deep dictionaries", b"\x81\xa1a".repeat(COUNT), false),
            ("deep keys", vec![0x81; COUNT], false),
        ] {
            assert_eq!(read(&value).is_ok(), is_good, "{name}");
            let cost = cost_of_reading(&value);
            assert_bounded(name, value.len(), &cost, 256, 128 << 10);
        }
    }

    /// The content is copied once for each enclosing level, and not kept.
    #[test]
    fn depth_does_not_multiply_what_a_record_costs_at_once() {
        let text = [&b"\xc5\xff\xff"[..], &[b'a'; 0xffff]].concat();
        for open in [&b"\x91"[..], b"\x81\xa1a"] {
            let value = [b"\x81\xa1a", &open.repeat(150)[..], &text].concat();
            assert!(read(&value).is_ok());
            let cost = cost_of_reading(&value);
            assert_bounded("a deep text", value.len(), &cost, 16, 128 << 10);
        }
    }
}
