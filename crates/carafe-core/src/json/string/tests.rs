use proptest::prelude::*;

use super::*;

fn written(text: &str, ascii: bool) -> String {
    let mut out = String::new();
    write(text, ascii, &mut out);
    out
}

#[test]
fn escapes_are_pythons() {
    let text = "\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f} ~\u{7f}\u{80}é秘\u{ffff}🍷<&";
    assert_eq!(
        written(text, true),
        r#""\"\\/\b\f\n\r\t\u0000\u001f ~\u007f\u0080\u00e9\u79d8\uffff\ud83c\udf77<&""#
    );
    assert_eq!(
        written(text, false),
        "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f ~\u{7f}\u{80}é秘\u{ffff}🍷<&\""
    );
}

#[test]
fn decoding_joins_pairs_and_refuses_halves() {
    for (raw, text) in [
        (r#""""#, Some("")),
        (r#""plain""#, Some("plain")),
        (r#""\ud83c\udf77""#, Some("🍷")),
        (r#""\uD83C\uDF77""#, Some("🍷")),
        (r#""a\/\"\\b""#, Some("a/\"\\b")),
        (r#""\ud83c""#, None),
        (r#""\udf77\ud83c""#, None),
        (r#""\ud83c\ud83c\udf77""#, None),
        (r#""\ud83cx""#, None),
    ] {
        assert_eq!(decode(raw).ok().as_deref(), text, "{raw}");
    }
    assert_eq!(decode_lossy(r#""a\ud800b""#), "a\u{fffd}b");
}

#[test]
fn halves_survive_rewriting() {
    let rewritten = |raw, ascii| {
        let mut out = String::new();
        rewrite(raw, ascii, &mut out);
        out
    };
    assert_eq!(rewritten(r#""\uD800\/é""#, true), r#""\ud800/\u00e9""#);
    assert_eq!(rewritten(r#""\uD800\/\u00e9""#, false), r#""\ud800/é""#);
    assert_eq!(rewritten("\"\u{7f}\"", true), r#""\u007f""#);
}

#[test]
fn keys_compare_by_code_point() {
    let sorted = [
        r#""""#,
        r#"" ""#,
        r#""A""#,
        r#""a""#,
        r#""a ""#,
        r#""a\"""#,
        r#""ab""#,
        r#""\u00e9""#,
        r#""\ud7ff""#,
        r#""\ud800""#,
        r#""\udfff""#,
        r#""\uff5e""#,
        "\"🍷\"",
        r#""\ud83c\udf78""#,
    ];
    for (n, a) in sorted.iter().enumerate() {
        for (m, b) in sorted.iter().enumerate() {
            assert_eq!(compare(a, b), n.cmp(&m), "{a} {b}");
        }
    }
    assert!(compare(r#""\u0061""#, r#""a""#).is_eq());
}

#[test]
fn a_backslash_in_a_key_is_not_an_escape() {
    assert!(key_equals(r#""a\\b""#, r"a\b"));
    assert!(!key_equals(r#""a\\b""#, r"a\\b"));
    assert!(!key_equals(r#""ab""#, "a"));
}

#[test]
fn the_last_two_characters() {
    assert_eq!(without_last_two(r#"" t__""#), r#"" t""#);
    assert_eq!(without_last_two(r#""a\ud83c\udf77\n""#), r#""a""#);
    assert_eq!(without_last_two(r#""a""#), r#""""#);
    assert_eq!(
        characters(r#""é\ud800\n""#).collect::<Vec<_>>(),
        [r#""\u00e9""#, r#""\ud800""#, r#""\n""#]
    );
}

proptest! {
    #[test]
    fn what_is_written_decodes(text in any::<String>(), ascii in any::<bool>()) {
        let raw = written(&text, ascii);
        prop_assert_eq!(decode(&raw).expect("a string"), text.as_str());
        prop_assert!(key_equals(&raw, &text));
        prop_assert!(!ascii || raw.is_ascii());
        let standard: String = serde_json::from_str(&raw).expect("JSON");
        prop_assert_eq!(standard, text);
    }

    #[test]
    fn order_does_not_depend_on_spelling(a in "[a-cé🍷\\\\\"]{0,4}", b in "[a-cé🍷\\\\\"]{0,4}", x in any::<bool>(), y in any::<bool>()) {
        prop_assert_eq!(compare(&written(&a, x), &written(&b, y)), a.cmp(&b));
    }

    #[test]
    fn the_next_special_byte_is_found(bytes in prop::collection::vec(any::<u8>(), 0..40), from in 0..45_usize) {
        let slow = (from..bytes.len()).find(|&at| needs_escape(bytes[at], false));
        prop_assert_eq!(next_special(&bytes, from), slow.unwrap_or(bytes.len().max(from)));
    }

    #[test]
    fn no_text_panics(a in any::<String>(), b in "[\"\\\\udD8-9a-f]{0,20}") {
        for raw in [&a, &b] {
            let _ = decode(raw);
            let _ = decode_lossy(raw);
            let _ = key_equals(raw, &a);
            let _ = without_last_two(raw);
            rewrite(raw, true, &mut String::new());
        }
        let _ = compare(&a, &b);
    }
}
