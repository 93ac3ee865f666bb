use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::json::{JsonDialect, tag::Bytes, to_text};

fn read<'de, T: Deserialize<'de>>(text: &'de str) -> T {
    from_text(text, true).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn fails<T: for<'de> Deserialize<'de>>(text: &str) -> bool {
    from_text::<T>(text, true).is_err()
}

type Map<V> = BTreeMap<String, V>;

fn map<V>(key: &str, value: V) -> Map<V> {
    BTreeMap::from([(key.to_owned(), value)])
}

#[test]
fn tags_read_as_plain_types() {
    assert_eq!(read::<Vec<u8>>(r#"{" t":[1,2]}"#), [1, 2]);
    assert_eq!(
        read::<(u8, String)>(r#" { " t" : [ 1 , "a" ] } "#),
        (1, "a".to_owned())
    );
    assert_eq!(read::<&str>(r#"{" m":"<b>"}"#), "<b>");
    assert_eq!(
        read::<&str>(r#"{" u":"12345678123456781234567812345678"}"#),
        "12345678123456781234567812345678"
    );
    assert_eq!(
        read::<&str>(r#"{" d":"Tue, 14 Nov 2023 22:13:20 GMT"}"#),
        "Tue, 14 Nov 2023 22:13:20 GMT"
    );
    assert_eq!(read::<Bytes>(r#"{" b":"aGk="}"#), Bytes(b"hi".to_vec()));
    assert_eq!(read::<Vec<u8>>(r#"{" b":"aGk="}"#), b"hi");
    assert_eq!(read::<String>(r#"{" b":"aGk="}"#), "aGk=");
    assert_eq!(read::<Map<u8>>(r#"{" di":{" t__":5}}"#), map(" t", 5));
    assert_eq!(
        read::<Map<Map<u8>>>(r#"{" di":{" di__":{" di":{" t__":5}}}}"#),
        map(" di", map(" t", 5))
    );
    assert_eq!(read::<Map<u8>>(r#"{" zz":1}"#), map(" zz", 1));
    assert_eq!(read::<Map<u8>>(r#"{" t":1,"x":2}"#).len(), 2);
    assert_eq!(
        read::<Vec<(String, String)>>(r#"[{" t":["error","Bad <thing>"]}]"#).len(),
        1
    );
}

#[test]
fn a_date_that_is_none_is_none() {
    assert_eq!(read::<Option<String>>(r#"{" d":"bad"}"#), None);
    assert_eq!(read::<Option<String>>(r#"{" d":null}"#), None);
    assert!(fails::<String>(r#"{" d":"bad"}"#));
    assert_eq!(
        read::<(Option<u8>, u8)>(r#"[{" d":"2023-01-01"},1]"#),
        (None, 1)
    );
}

#[test]
fn odd_tags_read_as_flask_reads_them() {
    assert_eq!(read::<Vec<String>>(r#"{" t":"abé"}"#), ["a", "b", "é"]);
    assert_eq!(read::<Vec<String>>(r#"{" t":{"x":1,"y":2}}"#), ["x", "y"]);
    assert_eq!(read::<Vec<u8>>(r#"{" t":{" b":"aGk="}}"#), b"hi");
    assert_eq!(read::<String>(r#"{" m":5}"#), "5");
    assert_eq!(read::<Bytes>(r#"{" b":"!!!"}"#), Bytes(vec![]));
    assert_eq!(
        read::<Bytes>(r#"{" b":{" m":"aGk="}}"#),
        Bytes(b"hi".to_vec())
    );
    assert_eq!(read::<Vec<u8>>(r#"{" b":{" m":"aGk="}}"#), b"hi");
    assert_eq!(read::<Map<u8>>(r#"{" di":{"a":1}}"#), map("", 1));
    assert_eq!(read::<Map<u8>>(r#"{" di":{"abc":1,"d":2}}"#), map("a", 1));
    assert_eq!(
        read::<Map<u8>>(r#"{" di":{" di":{"abcde":1}}}"#),
        map("a", 1)
    );
    assert_eq!(read::<Vec<u8>>(r#"{" t":5," t":[1]}"#), [1]);
}

#[test]
fn bad_tags_are_errors() {
    assert!(fails::<String>(r#"{" u":"bad"}"#));
    assert!(fails::<String>(r#"{" b":"YQ"}"#));
    assert!(fails::<Vec<u8>>(r#"{" t":5}"#));
    assert!(fails::<Map<u8>>(r#"{" di":{}}"#));
    assert!(fails::<String>(r#"{" d":5}"#));
    let untagged: Map<u8> = from_text(r#"{" t": 5}"#, false).expect("a map");
    assert_eq!(untagged, map(" t", 5));
}

#[test]
fn numbers() {
    assert_eq!(read::<u8>("255"), 255);
    assert!(fails::<u8>("256"));
    assert_eq!(read::<i64>("-0"), 0);
    assert_eq!(read::<i128>(&i128::MIN.to_string()), i128::MIN);
    assert_eq!(read::<u128>(&u128::MAX.to_string()), u128::MAX);
    assert_eq!(read::<i128>("7"), 7);
    let big = format!("{}0", u128::MAX);
    assert!(fails::<u128>(&big));
    assert_eq!(read::<f64>(&big), 3.402_823_669_209_384_6e39);
    assert_eq!(read::<f64>("5"), 5.0);
    assert_eq!(read::<f32>("-1.5"), -1.5);
    assert!(read::<f64>("NaN").is_nan());
    assert_eq!(read::<f64>("1e400"), f64::INFINITY);
    assert_eq!(read::<f64>("-Infinity"), f64::NEG_INFINITY);
    assert!(fails::<i64>("1.0"));
    assert!(fails::<f64>("null"));
    assert_eq!(read::<Option<f64>>("null"), None);
}

#[test]
fn strings() {
    assert_eq!(read::<&str>("\"plain\""), "plain");
    assert!(fails::<String>(r#""\ud800""#));
    assert_eq!(read::<char>(r#""\u00e9""#), 'é');
    assert_eq!(
        from_text::<&str>(r#""\n""#, true).ok(),
        None,
        "an escape cannot be borrowed"
    );
}

#[test]
fn keys_read_from_their_text() {
    assert_eq!(
        read::<BTreeMap<i32, u8>>(r#"{"-1":1,"10":2}"#),
        BTreeMap::from([(-1, 1), (10, 2)])
    );
    assert_eq!(
        read::<BTreeMap<bool, u8>>(r#"{"true":1}"#),
        BTreeMap::from([(true, 1)])
    );
    assert_eq!(
        read::<BTreeMap<Option<u8>, u8>>(r#"{"null":1,"2":1}"#).len(),
        2
    );
    assert!(fails::<BTreeMap<i32, u8>>(r#"{"x":1}"#));
    assert_eq!(read::<Map<u8>>(r#"{"a":1,"a":2}"#), map("a", 2));
}

#[test]
fn what_is_not_python_is_an_error() {
    for text in [
        "",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[01]",
        "[1",
        "1]",
        "[1]x",
        "[-]",
        "{\"a\":1}",
        "['a']",
    ] {
        assert!(fails::<Vec<u8>>(text), "{text}");
    }
    for text in [
        "{",
        "{}}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
    ] {
        assert!(fails::<Map<u8>>(text), "{text}");
    }
    assert!(fails::<(u8, u8)>("[1,2,3]"));
    assert!(fails::<(u8, u8)>("[1]"));
}

#[test]
fn nesting_ends_at_the_limit() {
    #[derive(Deserialize)]
    struct Deep(#[expect(dead_code)] Vec<Deep>);
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(from_text::<Deep>(&nested(MAX_DEPTH), true).is_ok());
    let error = from_text::<Deep>(&nested(MAX_DEPTH + 1), true).map(drop);
    assert_eq!(error, Err(DecodeError::Scan(ScanError::TooDeep)));
    assert!(from_text::<de::IgnoredAny>(&nested(MAX_DEPTH + 1), true).is_err());
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Choice {
    Unit,
    New(Box<Node>),
    Pair(u8, i64),
    Fields {
        z: String,
        a: f64,
    },
    #[serde(rename = " t")]
    Looks(u8),
    #[serde(rename = " di")]
    LooksToo {
        a: Option<bool>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Node {
    list: Vec<Choice>,
    map: BTreeMap<String, Choice>,
    numbers: BTreeMap<i16, ()>,
}

fn choice() -> impl Strategy<Value = Choice> {
    let leaf = prop_oneof![
        Just(Choice::Unit),
        any::<(u8, i64)>().prop_map(|(a, b)| Choice::Pair(a, b)),
        (any::<String>(), -1e20..1e20_f64).prop_map(|(z, a)| Choice::Fields { z, a }),
        any::<u8>().prop_map(Choice::Looks),
        any::<Option<bool>>().prop_map(|a| Choice::LooksToo { a }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..3);
        let map = prop::collection::btree_map(" [tbmud]| di|[a-z]{0,3}", inner, 0..3);
        let numbers = prop::collection::btree_map(any::<i16>(), Just(()), 0..3);
        (list, map, numbers)
            .prop_map(|(list, map, numbers)| Choice::New(Box::new(Node { list, map, numbers })))
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(value in choice()) {
        for style in [JsonDialect::FLASK, JsonDialect::QUART, JsonDialect::STARLETTE, JsonDialect::COMPACT] {
            let text = to_text(&value, style).expect("it can be written");
            prop_assert_eq!(from_text::<Choice>(&text, style.tags), Ok(value.clone()), "{}", text);
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>(), json in "[\\[\\]{}:,\"\\\\ tbmudia-e0-9.\\-]{0,40}") {
        for text in [&text, &json] {
            let _ = from_text::<Choice>(text, true);
            let _ = from_text::<Map<Option<Vec<f64>>>>(text, true);
            let _ = from_text::<serde_json::Value>(text, true);
        }
    }
}
