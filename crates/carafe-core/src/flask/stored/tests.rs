//! Tests of both formats: `msgspec`'s output survives a round trip byte for byte, and values of
//! handlers are written as `msgspec` would write them.

use proptest::prelude::*;

use super::{FlaskSession, Format, Unreadable, Unwritable, format};
use crate::{
    clock::Timestamp,
    error::ErrorChain,
    json::{self, Value, tag},
    session::{Patch, SessionData},
    store::{PublicId, Record, StoreError, StoreKey},
};

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);
const LATER: Timestamp = Timestamp::from_unix(1_700_000_000 + 31 * 86_400);
const KEY: StoreKey = StoreKey::from_bytes([0; 32]);

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}

fn layout(format: Format) -> FlaskSession {
    FlaskSession::new(format)
}

fn read(value: &[u8]) -> Record {
    let record = layout(Format::MsgPack).record(&KEY, value, LATER, NOW);
    record.expect("it can be read")
}

fn record(text: &str) -> Record {
    let mut record = read(b"\x80");
    record.data = SessionData::parse(text.to_owned(), Record::STYLE).expect("good JSON");
    record
}

fn unreadable(value: &[u8]) -> Unreadable {
    format::Format::read(value).expect_err("it is refused")
}

fn written(format: Format, text: &str) -> Result<Vec<u8>, String> {
    let value = layout(format).value(&KEY, &record(text));
    value.map_err(|error| error.to_string())
}

fn msgpack(text: &str) -> String {
    hex(&written(Format::MsgPack, text).expect("it can be written"))
}

fn json_text(text: &str) -> String {
    String::from_utf8(written(Format::Json, text).expect("it can be written")).expect("UTF-8")
}

#[test]
fn messagepack_comes_back_to_the_byte() {
    for (stored, text) in [
        ("80", "{}"),
        (
            "83aa5f7065726d616e656e74c3a7757365725f69642aa46e616d65a45a6fc3ab",
            r#"{"_permanent":true,"user_id":42,"name":"Zo\u00eb"}"#,
        ),
        (
            "83a27531d8000102030405060708090a0b0c0d0e0f10a16d81c403000102c0a162c40200ff",
            r#"{"u1":{"\u0065\u0078\u0074":[0,{" b":"AQIDBAUGBwgJCgsMDQ4PEA=="}]},"m":{"\u007b\u0022\u0020\u0062\u0022\u003a\u0022\u0041\u0041\u0045\u0043\u0022\u007d":null},"b":{" b":"AP8="}}"#,
        ),
        (
            "84a161cf8000000000000000a162d38000000000000000a163cb7ff8000000000000a164cb8000000000000000",
            r#"{"a":9223372036854775808,"b":-9223372036854775808,"c":NaN,"d":-0.0}"#,
        ),
        (
            "82a161d7ff1d6f28006553f100a162d6ff6553f100",
            r#"{"a":{" d":"Tue, 14 Nov 2023 22:13:20 GMT (.123456)"},"b":{" d":"Tue, 14 Nov 2023 22:13:20 GMT"}}"#,
        ),
        (
            "82a16184cb3ff800000000000001c0029101030404 01a102",
            r#"{"a":{"\u0031\u002e\u0035":1,"\u006e\u0075\u006c\u006c":2,"\u005b\u0031\u005d":3,"\u0034":4},"\u0031":{}}"#,
        ),
        ("81a16181a22074a178", r#"{"a":{" di":{" t__":"x"}}}"#),
        ("81a22074a178", r#"{" t":"x"}"#),
    ] {
        let stored = stored.replace(' ', "").replace("01a102", "0180");
        let record = read(&bytes(&stored));
        let shown: Vec<_> = record
            .data
            .iter()
            .map(|(k, v)| format!("{k}:{v}"))
            .collect();
        assert_eq!(format!("{{{}}}", shown.join(",")), text, "{stored}");
        let again = layout(Format::MsgPack).value(&KEY, &record);
        assert_eq!(hex(&again.expect("it can be written")), stored);
    }
}

#[test]
fn json_comes_back_to_the_byte() {
    for stored in [
        "{}",
        r#"{"_permanent":true,"name":"Zoë","b":"AP8=","f":1e16,"g":0.00001,"big":9223372036854775808}"#,
        r#"{"tag":{" t":[1]},"deeper":{" di":{" t__":1}},"s":"\u0000\u001f\"\\/\b\f\n\r\t😀"}"#,
        r#"{"huge":123456789012345678901234567890,"i":{"42":1}}"#,
        r#"{" t":"x"}"#,
    ] {
        let record = read(stored.as_bytes());
        let again = layout(Format::Json).value(&KEY, &record);
        assert_eq!(
            String::from_utf8(again.expect("it can be written")).as_deref(),
            Ok(stored)
        );
    }
    // The stored text contains no tags, so none is read.
    let plain = read(br#"{"a":{" b":"AP8="}}"#);
    let value = Value::parse(plain.data.text_of("a").expect("it is there"), true);
    assert!(matches!(value, Ok(Value::Dict(_))));
}

#[test]
fn what_handlers_write_is_what_msgspec_would_write() {
    let rich = r#"{"t":{" t":[1,"x"]},"b":{" b":"AP8="},"u":{" u":"12345678123456781234567812345678"},"m":{" m":"<i>"},"d":{" d":"Tue, 14 Nov 2023 22:13:20 GMT"},"n":NaN,"f":1e+16,"no":{" d":"never"}}"#;
    assert_eq!(
        msgpack(rich),
        "88a1749201a178a162c40200ffa175d92431323334353637382d313233342d353637382d313233342d353637383132333435363738a16da33c693ea164d6ff6553f100a16ecb7ff8000000000000a166cb4341c37937e08000a26e6fc0"
    );
    assert_eq!(
        json_text(rich),
        r#"{"t":[1,"x"],"b":"AP8=","u":"12345678-1234-5678-1234-567812345678","m":"<i>","d":"2023-11-14T22:13:20Z","n":null,"f":1e+16,"no":null}"#
    );
    for (integer, stored) in [
        ("127", "7f"),
        ("128", "cc80"),
        ("65535", "cdffff"),
        ("4294967296", "cf0000000100000000"),
        ("18446744073709551615", "cfffffffffffffffff"),
        ("-1", "ff"),
        ("-0", "00"),
        ("-33", "d0df"),
        ("-32769", "d2ffff7fff"),
        ("-9223372036854775808", "d38000000000000000"),
    ] {
        assert_eq!(
            msgpack(&format!(r#"{{"a":{integer}}}"#)),
            format!("81a161{stored}")
        );
    }
}

#[test]
fn what_a_format_lacks_is_an_error_that_says_so() {
    for (format, text, reason) in [
        (
            Format::MsgPack,
            r#"{"a":18446744073709551616}"#,
            Unwritable::Integer,
        ),
        (
            Format::MsgPack,
            r#"{"a":[-9223372036854775809]}"#,
            Unwritable::Integer,
        ),
        (Format::MsgPack, r#"{"a":"\ud800"}"#, Unwritable::Surrogate),
        (Format::MsgPack, r#"{"\ud800":1}"#, Unwritable::Surrogate),
        (Format::Json, r#"{"a":"\ud800"}"#, Unwritable::Surrogate),
        (
            Format::Json,
            r#"{"a":{"\u006e\u0075\u006c\u006c":2}}"#,
            Unwritable::Key,
        ),
        (
            Format::Json,
            r#"{"a":{"\u0065\u0078\u0074":[5,{" b":""}]}}"#,
            Unwritable::Extension,
        ),
    ] {
        let told = written(format, text).expect_err("it cannot be written");
        assert_eq!(told, StoreError::unstorable(reason).to_string(), "{text}");
    }
}

#[test]
fn a_format_is_converted_as_msgspec_would() {
    let stored =
        bytes("84a16281012ca162c40200ffa164d7ff1d6f28006553f100a16681cb3ff800000000000002");
    let mut stored = stored;
    stored[2] = b'a';
    let record = read(&stored);
    let json = layout(Format::Json)
        .value(&KEY, &record)
        .expect("it can be written");
    assert_eq!(
        String::from_utf8_lossy(&json),
        r#"{"a":{"1":44},"b":"AP8=","d":"2023-11-14T22:13:20.123456Z","f":{"1.5":2}}"#
    );
}

#[test]
fn two_keys_that_are_one_here_are_refused() {
    assert_eq!(
        unreadable(&bytes("81a1618201a131a13102")),
        Unreadable::TwoKeys
    );
    assert_eq!(unreadable(&bytes("8201a131a13102")), Unreadable::TwoKeys);
    assert_eq!(read(&bytes("82a16101a16102")).data.text_of("a"), Some("2"));
}

#[test]
fn depth_ends() {
    let deep = [&b"\x81\xa1a"[..], &b"\x91".repeat(100_000), b"\xc0"].concat();
    assert_eq!(unreadable(&deep), Unreadable::TooDeep);
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(unreadable(deep.as_bytes()), Unreadable::TooDeep);
}

/// A session that is written but cannot be read would be lost.
#[test]
fn what_can_be_written_can_be_read_at_any_depth() {
    let nested = |open: &str, close: &str, depth| {
        format!("{{\"a\":{}1{}}}", open.repeat(depth), close.repeat(depth))
    };
    for format in [Format::MsgPack, Format::Json] {
        for (open, close) in [("[", "]"), ("{\"b\":", "}"), ("[{\"b\":", "}]")] {
            let mut depths = 0;
            for depth in 1.. {
                let text = nested(open, close, depth);
                if SessionData::parse(text.clone(), Record::STYLE).is_err() {
                    break;
                }
                let value = written(format, &text).expect("it can be written");
                let back = layout(format).record(&KEY, &value, LATER, NOW);
                let back = back.unwrap_or_else(|error| panic!("{depth} × {open}: {error}"));
                assert_eq!(back.data.payload(Record::STYLE), text);
                depths = depth;
            }
            assert!(depths >= 99, "{depths} × {open}");
        }
    }
}

/// The text of the key is parsed again when the key is written.
#[test]
fn a_key_that_is_too_deep_is_refused() {
    let key = |depth: usize, content: &[u8]| {
        [b"\x81", &b"\x91".repeat(depth)[..], content, b"\x01"].concat()
    };
    for content in [&b"\xc0"[..], b"\xa1a", b"\xc4\x01a", b"\xd4\x05a"] {
        let mut refused = 0;
        for depth in 190..210 {
            match layout(Format::MsgPack).record(&KEY, &key(depth, content), LATER, NOW) {
                Ok(read) => {
                    let value = layout(Format::MsgPack).value(&KEY, &read);
                    assert_eq!(value.expect("it can be written"), key(depth, content));
                }
                Err(_) => {
                    let error = unreadable(&key(depth, content));
                    assert_eq!(error, Unreadable::TooDeep, "{depth}");
                    refused += 1;
                }
            }
        }
        assert!((5..20).contains(&refused), "{refused}");
    }
}

#[test]
fn a_refused_value_says_why_and_shows_nothing() {
    let pickle = b"\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01secret\x94K\x01s.";
    let error = layout(Format::MsgPack)
        .record(&KEY, pickle, LATER, NOW)
        .expect_err("a pickle");
    assert!(matches!(error, StoreError::Corrupt(_)));
    let text = ErrorChain::of(&error).to_string();
    assert!(
        text.contains("Python pickle") && text.contains("never reads"),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn facts_have_one_key_and_only_where_there_are_any() {
    let plain = record(r#"{"a":1}"#);
    assert_eq!(msgpack(r#"{"a":1}"#), "81a16101");
    let mut log_in = plain.clone();
    log_in.meta.user = Some("42".to_owned());
    log_in.meta.authenticated = Some(NOW);
    log_in.meta.device = Some("A phone — “Zoë’s”".to_owned());
    for format in [Format::MsgPack, Format::Json] {
        let value = layout(format)
            .value(&KEY, &log_in)
            .expect("it can be written");
        let back = layout(format)
            .record(&KEY, &value, LATER, NOW)
            .expect("it can be read");
        assert_eq!(
            (&back.meta.user, &back.meta.device),
            (&log_in.meta.user, &log_in.meta.device)
        );
        assert_eq!(
            (back.meta.authenticated, back.meta.public_id),
            (log_in.meta.authenticated, log_in.meta.public_id)
        );
        assert_eq!(back.data.len(), 1, "handlers do not see it");
        assert_eq!(
            layout(format)
                .value(&KEY, &back)
                .expect("it can be written"),
            value
        );
    }
    let kept = layout(Format::Json)
        .keeping_facts()
        .value(&KEY, &plain)
        .expect("it can be written");
    let kept = String::from_utf8(kept).expect("UTF-8");
    let public_id = plain.meta.public_id;
    assert_eq!(
        kept,
        format!(
            r#"{{"a":1,"_carafe":{{"handle":"{public_id}","created":1700000000,"renewed":1700000000}}}}"#
        )
    );
    // Stored metadata is used, with or without the option.
    let other = kept.replace(&public_id.to_string(), "AAAAAAAAAAAAAAAA");
    let back = read(other.as_bytes());
    assert_eq!(back.meta.public_id, PublicId::from_bytes([0; 12]));
    assert_eq!(
        layout(Format::Json)
            .value(&KEY, &back)
            .expect("it can be written"),
        other.as_bytes()
    );
    let refused = layout(Format::Json)
        .record(&KEY, br#"{"_carafe":1}"#, LATER, NOW)
        .expect_err("refused");
    assert_eq!(
        ErrorChain::of(&refused).to_string(),
        ErrorChain::of(&StoreError::corrupt(Unreadable::Facts)).to_string()
    );
}

#[test]
fn the_last_use_follows_from_the_expiry() {
    let hour = layout(Format::MsgPack).with_lifetime(std::time::Duration::from_secs(3600));
    let seen = |expires| {
        hour.record(&KEY, b"\x80", expires, NOW)
            .expect("it can be read")
            .meta
            .last_seen
    };
    assert_eq!(seen(NOW.saturating_add(3000)), NOW.saturating_add(-600));
    assert_eq!(seen(NOW.saturating_add(9999)), NOW, "never in the future");
}

#[test]
fn a_handle_follows_the_id_until_somebody_is_noted() {
    let to = StoreKey::from_bytes([7; 32]);
    let base = record(r#"{"a":1}"#);
    let mut patch = Patch::default();
    let next = |patch: &Patch, base: &Record| {
        let next = layout(Format::MsgPack).next(&KEY, base, base, patch, Some((&to, NOW)));
        next.expect("it can be written")
            .expect("nobody else was there")
            .record
    };
    assert_ne!(next(&patch, &base).meta.public_id, base.meta.public_id);
    patch.facts.user = Some("42".to_owned());
    let bound = next(&patch, &base);
    assert_eq!(bound.meta.public_id, base.meta.public_id);
}

#[test]
fn a_change_of_one_key_leaves_the_others_alone() {
    let stored = bytes("83a161d7ff1d6f28006553f100a16281012ca163c40200ff");
    let base = read(&stored);
    let mut patch = Patch::default();
    patch.set("new", "{\" t\":[1]}".to_owned());
    let next = layout(Format::MsgPack).next(&KEY, &base, &base, &patch, None);
    let next = next
        .expect("it can be written")
        .expect("nobody else was there");
    assert_eq!(
        hex(&next.value),
        "84a161d7ff1d6f28006553f100a16281012ca163c40200ffa36e65779101"
    );
}

#[test]
fn typed_values_are_read_from_either() {
    let record = read(&bytes(
        "83a161d7ff1d6f28006553f100a16282012c0203a163c40200ff",
    ));
    let text = |key| record.data.text_of(key).expect("it is there");
    let date: tag::DateTime = json::from_text(text("a"), true).expect("a date");
    assert_eq!(date.timestamp(), NOW);
    let cart: std::collections::BTreeMap<u32, u32> =
        json::from_text(text("b"), true).expect("a map");
    assert_eq!(cart, [(1, 44), (2, 3)].into());
    let content: tag::Bytes = json::from_text(text("c"), true).expect("bytes");
    assert_eq!(content.0, [0, 255]);
}

/// Keeps one member per key.
fn distinct(pairs: Vec<(rmpv::Value, rmpv::Value)>) -> rmpv::Value {
    let mut kept: Vec<(rmpv::Value, rmpv::Value)> = Vec::new();
    for (key, value) in pairs {
        if kept.iter().all(|(known, _)| *known != key) {
            kept.push((key, value));
        }
    }
    rmpv::Value::Map(kept)
}

fn packed() -> impl Strategy<Value = rmpv::Value> {
    use rmpv::Value as P;
    let leaf = prop_oneof![
        Just(P::Nil),
        any::<bool>().prop_map(P::Boolean),
        any::<i64>().prop_map(P::from),
        any::<u64>().prop_map(P::from),
        any::<f64>()
            .prop_filter("one NaN", |f| !f.is_nan())
            .prop_map(P::F64),
        "\\PC{0,6}".prop_map(P::from),
        " (di|t|b|m|u|d)(__)?".prop_map(P::from),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(P::Binary),
        (
            any::<i8>().prop_filter("no timestamp", |&n| n != -1),
            prop::collection::vec(any::<u8>(), 0..9)
        )
            .prop_map(|(kind, bytes)| P::Ext(kind, bytes)),
        (0..=253_402_300_799_i64, 0..1_000_000_u32).prop_map(|(seconds, micros)| {
            let moment = super::date::Moment {
                seconds,
                nanos: micros * 1000,
            };
            P::Ext(-1, moment.bytes())
        }),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(P::Array),
            prop::collection::vec((inner.clone(), inner), 0..4).prop_map(distinct),
        ]
    })
}

proptest! {
    /// Every output of `msgspec` survives a round trip byte for byte, or is rejected for its keys.
    #[test]
    fn any_messagepack_comes_back(value in packed(), key in " ?[a-z]{0,3}_?") {
        let root = rmpv::Value::Map(vec![(key.into(), value)]);
        let mut stored = Vec::new();
        rmpv::encode::write_value(&mut stored, &root).expect("it is written");
        match layout(Format::MsgPack).record(&KEY, &stored, LATER, NOW) {
            Ok(record) => prop_assert_eq!(hex(&layout(Format::MsgPack).value(&KEY, &record).expect("it was read")), hex(&stored)),
            Err(error) => {
                let text = ErrorChain::of(&error).to_string();
                prop_assert!(text.contains("two keys") || text.contains("one of its keys contains"), "{}", text);
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        drop(layout(Format::MsgPack).record(&KEY, &bytes, LATER, NOW));
    }
}
