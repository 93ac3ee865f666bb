use proptest::prelude::*;

use super::*;
use crate::json::{from_text, tag::Uuid, validate};

fn parse(text: &str) -> Value {
    Value::parse(text, true).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn flask(text: &str) -> String {
    to_text(&parse(text), JsonDialect::FLASK).expect("it can be written")
}

#[test]
fn real_payloads_come_back_as_they_were() {
    for payload in [
        r#"{"cart":{"items":[{"id":1,"qty":2},{"id":2,"qty":1}],"total":{"amt":9.99,"cur":"EUR"}}}"#,
        r#"{"b":{" b":"AP/+aGVsbG8="},"e":{" b":""}}"#,
        r#"{"u":{" u":"12345678123456781234567812345678"}}"#,
        r#"{"d":{" d":"Tue, 14 Nov 2023 22:13:20 GMT"}}"#,
        r#"{"m":{" m":"<b>hi &amp; bye</b>"}}"#,
        r#"{"d":{" di":{" t__":[1]}},"e":{" t__":1},"f":{" di":{" di__":{" di":{" t__":5}}}},"g":{" di":{" b__":{" b":"eA=="}}},"h":{" t":1,"x":2},"i":{" zz":1}}"#,
        r#"{"_flashes":[{" t":["message","Hello"]},{" t":["error","Bad <thing>"]}]}"#,
        r#"{"f":[0.0001,1e-05,1e+16,-0.0,NaN,Infinity,-Infinity],"s":"\ud800\u007f\ud83c\udf77"}"#,
        r#"{"big":340282366920938463463374607431768211456,"bigger":-99999999999999999999999999999999999999999999}"#,
    ] {
        assert_eq!(flask(payload), payload);
    }
}

#[test]
fn other_spellings_become_flasks() {
    for (text, expected) in [
        (
            r#" { "b" : 1E5 , "a" : "\u00E9\/" } "#,
            r#"{"a":"\u00e9/","b":100000.0}"#,
        ),
        (
            r#"["é🍷",-0,1.50,1e400]"#,
            r#"["\u00e9\ud83c\udf77",0,1.5,Infinity]"#,
        ),
        (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
        (r#"{" t":"ab"}"#, r#"{" t":["a","b"]}"#),
        (r#"{" t":{"x":1,"y":2}}"#, r#"{" t":["x","y"]}"#),
        (r#"{" b":"!!!"}"#, r#"{" b":""}"#),
        (
            r#"{" u":"{12345678-1234-5678-1234-567812345678}"}"#,
            r#"{" u":"12345678123456781234567812345678"}"#,
        ),
        (r#"{" di":{"abc":1,"d":2}}"#, r#"{"a":1}"#),
        (r#"{" d":0}"#, "null"),
        // The text is kept, although Flask reads None and a string, so that no data is lost.
        (r#"{" d":"bad"}"#, r#"{" d":"bad"}"#),
        (r#"{" m":5}"#, r#"{" m":5}"#),
    ] {
        assert_eq!(flask(text), expected, "{text}");
    }
}

#[test]
fn values_are_what_python_holds() {
    assert_eq!(parse("null"), Value::Null);
    assert_eq!(parse("\"a\""), Value::from("a"));
    assert_eq!(parse("7"), Value::from(7));
    assert_eq!(parse("0.5"), Value::from(0.5));
    assert_eq!(parse(r#"{" t":[true]}"#), Value::Tuple(vec![true.into()]));
    assert_eq!(parse(r#"{" b":"aGk="}"#), Value::Bytes(b"hi".to_vec()));
    let uuid = Uuid::from_u128(0x12345678123456781234567812345678);
    assert_eq!(
        parse(r#"{" u":"12345678123456781234567812345678"}"#),
        Value::Uuid(uuid)
    );
    assert_eq!(parse(r#"{" m":"x"}"#).as_str().as_deref(), Some("x"));
    assert_eq!(parse(r#""\ud800""#).as_str(), None);
    let date = parse(r#"{" d":"Tue, 14 Nov 2023 22:13:20 GMT"}"#).date();
    assert_eq!(
        date.map(|date| date.timestamp().unix()),
        Some(1_700_000_000)
    );
    assert_eq!(parse(r#"{" d":"bad"}"#).date(), None);
    assert_eq!(parse(r#"{" t":5,"x":1}"#).to_string(), r#"{" t":5,"x":1}"#);
    let Value::Number(number) = parse("123456789012345678901234567890") else {
        panic!("a number")
    };
    assert_eq!(number.as_text(), "123456789012345678901234567890");
    assert_eq!(
        number.as_i128(),
        Some(123_456_789_012_345_678_901_234_567_890)
    );
}

#[test]
fn without_tags_an_object_is_an_object() {
    let value = Value::parse(r#"{" t":5}"#, false).expect("an object");
    assert_eq!(value, Value::Dict(vec![(Text::new(" t"), 5.into())]));
    assert_eq!(value.to_string(), r#"{" di":{" t__":5}}"#);
}

#[test]
fn other_formats_see_the_plain_value() {
    let value = parse(
        r#"{"a":[{" t":[1,2.5]},"\ud800\u00e9",{" m":"<"},{" d":"bad"},12345678901234567890]}"#,
    );
    assert_eq!(
        serde_json::to_string(&value).expect("serde_json writes it"),
        "{\"a\":[[1,2.5],\"\u{fffd}é\",\"<\",\"bad\",12345678901234567890]}"
    );
}

/// Generates any JSON, with tags around both valid and invalid contents.
fn json() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        "null|true|false|0|-?[1-9][0-9]{0,40}|[0-9]\\.[0-9]e-?[1-9]|NaN",
        "\"(a|YQ==|!|é|🍷|\\\\ud800|\\\\n){0,4}\"",
        Just("\"12345678123456781234567812345678\"".to_owned()),
        Just("\"Tue, 14 Nov 2023 22:13:20 GMT\"".to_owned()),
    ];
    scalar.prop_recursive(5, 40, 4, |inner| {
        let object = |members: Vec<(String, String)>| {
            let members = members
                .into_iter()
                .map(|(key, value)| format!("\"{key}\":{value}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        };
        let tag = "( (t|b|m|u|d|di|t__))|\\\\u0020t";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            (tag, inner.clone()).prop_map(move |member| object(vec![member])),
            prop::collection::btree_map(" t|[ab]{0,3}", inner, 0..4)
                .prop_map(move |members| object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// The check uses summaries, the parser values: two implementations of Flask's rules.
    #[test]
    fn parses_what_passes_the_check(text in json()) {
        let value = Value::parse(&text, true);
        prop_assert_eq!(value.as_ref().map(drop).map_err(|&error| error), validate(&text, true));
        let Ok(value) = value else { return Ok(()) };
        let written = to_text(&value, JsonDialect::FLASK).expect("it can be written");
        let again = Value::parse(&written, true).expect("we wrote it");
        prop_assert_eq!(to_text(&again, JsonDialect::FLASK).expect("it can be written"), written);
        // A typed read accepts the same texts, except for strings that Rust cannot represent.
        let typed = from_text::<serde::de::IgnoredAny>(&text, true);
        prop_assert!(typed.is_ok());
    }

    #[test]
    fn no_text_panics(text in any::<String>(), json in "[\\[\\]{}:,\"\\\\ tbmudia-e0-9.\\-]{0,40}") {
        for text in [&text, &json] {
            let _ = Value::parse(text, true).map(|value| value.to_string());
        }
    }
}

#[test]
fn what_is_read_can_be_shown_however_deep() {
    let text = "[".repeat(crate::json::MAX_DEPTH) + &"]".repeat(crate::json::MAX_DEPTH);
    assert_eq!(parse(&text).to_string(), "(nested too deeply)");
}
