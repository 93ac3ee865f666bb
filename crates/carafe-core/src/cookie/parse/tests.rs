//! Tests of the parser for each row of the security checklist (CKR), with counted work.

use std::borrow::Cow;

use proptest::prelude::*;

use super::{MAX_HEADER_BYTES, MAX_PAIRS, pairs};
use crate::cookie::{Grammar, MAX_CANDIDATES, RequestCookies, scan::work, values_of};

const BOTH: [Grammar; 2] = [Grammar::Strict, Grammar::Lenient];

fn read(header: &str, grammar: Grammar) -> Vec<(String, String)> {
    let cookies = RequestCookies::parse([header.as_bytes()], grammar);
    cookies
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn owned(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Fragments of headers that reach every branch.
const ATOMS: &[&str] = &[
    "a", "=", ";", "; ", "\"", "\\", " ", "\t", "\n", "=\"", "a=b", "\\073", "é", "\0", "__Host-",
    "\u{2000}",
];

/// Header text that reaches every branch far more often than random characters would.
fn nasty_header() -> impl Strategy<Value = Vec<u8>> {
    let atom = prop_oneof![
        prop::sample::select(ATOMS).prop_map(|atom| atom.as_bytes().to_vec()),
        any::<[u8; 1]>().prop_map(Vec::from)
    ];
    prop::collection::vec(atom, 0..60).prop_map(|atoms| atoms.concat())
}

#[test]
fn the_two_grammars_differ_where_the_specification_says() {
    for (header, strict, lenient) in [
        (
            "a=b; c=d",
            &[("a", "b"), ("c", "d")][..],
            &[("a", "b"), ("c", "d")][..],
        ),
        (
            "a = b ;c",
            &[("a", "b"), ("c", "")],
            &[("a", "b"), ("c", "")],
        ),
        (r#"a="b\073c\054d""#, &[("a", "b;c,d")], &[("a", "b;c,d")]),
        (
            r#"a="b;c"; d=e"#,
            &[("a", "b;c"), ("d", "e")],
            &[("a", "b;c"), ("d", "e")],
        ),
        (
            r#"a="b" c; d=e"#,
            &[("d", "e")],
            &[("a", r#""b" c"#), ("d", "e")],
        ),
        (
            r#"a={"k":1}; d=e"#,
            &[("d", "e")],
            &[("a", r#"{"k":1}"#), ("d", "e")],
        ),
        ("a=b c", &[], &[("a", "b c")]),
        ("a=\"", &[], &[("a", "\"")]),
        ("a=b\r\nc=d", &[("a", "b\r\nc=d")], &[("b\r\nc", "d")]),
        ("a=b%3Bc", &[("a", "b%3Bc")], &[("a", "b%3Bc")]),
    ] {
        assert_eq!(read(header, Grammar::Strict), owned(strict), "{header:?}");
        assert_eq!(read(header, Grammar::Lenient), owned(lenient), "{header:?}");
    }
}

#[test]
fn one_line_or_fifty_are_the_same() {
    let cookies: Vec<_> = (0..50)
        .map(|number| format!("name{}={number}", number % 7))
        .collect();
    for lines in [1, 2, 50] {
        let lines: Vec<_> = cookies
            .chunks(50 / lines)
            .map(|chunk| chunk.join("; "))
            .collect();
        let lines = || lines.iter().map(String::as_bytes);
        for grammar in BOTH {
            let parsed = RequestCookies::parse(lines(), grammar);
            assert_eq!(
                parsed.get_all("name3").collect::<Vec<_>>(),
                ["3", "10", "17", "24", "31", "38", "45"]
            );
            assert_eq!(parsed.len(), 50);
            let first: Vec<_> = values_of(lines(), "name3", grammar)
                .iter()
                .map(|value| value.to_vec())
                .collect();
            assert_eq!(
                first,
                [
                    b"3".to_vec(),
                    b"10".to_vec(),
                    b"17".to_vec(),
                    b"24".to_vec()
                ]
            );
        }
    }
}

#[test]
fn only_the_exact_name_is_the_name() {
    let space = [
        "\u{2000}", "\u{a0}", "\u{85}", "\u{feff}", "\u{3000}", "\u{b}", "\u{c}", "\u{1c}", "\0",
        "\r", "\n",
    ];
    let padded = space
        .iter()
        .flat_map(|pad| [format!("{pad}__Host-id"), format!("__Host-id{pad}")]);
    let others = [
        "__%48ost-id",
        "__host-id",
        "%5F_Host-id",
        "__Host-id%20",
        "__Host\u{2010}id",
        "__Host-id\"",
        "x__Host-id",
    ];
    for name in padded.chain(others.map(str::to_owned)) {
        for (grammar, header) in BOTH.into_iter().flat_map(|grammar| {
            [
                (grammar, format!("{name}=x")),
                (grammar, format!("a=b;{name}=x")),
            ]
        }) {
            assert!(
                values_of([header.as_bytes()], "__Host-id", grammar).is_empty(),
                "{header:?} {grammar:?}"
            );
            assert_eq!(
                RequestCookies::parse([header.as_bytes()], grammar).get("__Host-id"),
                None,
                "{header:?}"
            );
        }
    }
}

/// Browsers strip spaces and tabs from a name before they check its prefix, so Carafe may, too.
#[test]
fn blanks_and_tabs_are_no_part_of_a_name() {
    for grammar in BOTH {
        assert_eq!(
            values_of([b" \t__Host-id \t= x".as_slice()], "__Host-id", grammar).len(),
            1
        );
    }
}

#[test]
fn nameless_cookies_are_dropped() {
    for header in [
        "=__Host-id=evil",
        ";=a",
        "=",
        "==",
        " = __Host-id=evil",
        "\t=\"__Host-id=evil\"",
        ";;",
        "",
        "=;=;=",
    ] {
        for grammar in BOTH {
            assert_eq!(
                pairs(header.as_bytes(), grammar).count(),
                0,
                "{header:?} {grammar:?}"
            );
        }
    }
}

#[test]
fn at_most_four_candidates_in_the_order_sent() {
    let header = b"s=1; t=x; s=2; s=\"3\"; S=y; s=4; s=5";
    let found = values_of([header.as_slice()], "s", Grammar::Strict);
    assert_eq!(found.len(), MAX_CANDIDATES);
    assert!(found.iter().map(AsRef::as_ref).eq([b"1", b"2", b"3", b"4"]));
    assert_eq!(format!("{found:?}"), "Candidates { count: 4, .. }");
}

#[test]
fn quoted_text_is_no_cookie() {
    let header = br#"a="x; session=evil; y"; b="\"; session=evil"; c=\"; session=good"#;
    for grammar in BOTH {
        let found = values_of([header.as_slice()], "session", grammar);
        assert!(found.iter().map(AsRef::as_ref).eq([b"good"]), "{grammar:?}");
    }
}

#[test]
fn a_quotation_does_not_span_two_lines() {
    for grammar in BOTH {
        let found = RequestCookies::parse([br#"a="x"#.as_slice(), br#"session=y; b=""#], grammar);
        assert_eq!(found.get("session"), Some("y"));
    }
}

#[test]
fn nothing_is_copied_without_an_escape() {
    let header = br#"s=plain; s="quoted"; s="esc\073aped""#;
    let found = values_of([header.as_slice()], "s", Grammar::Strict);
    assert!(matches!(
        found[..],
        [
            Cow::Borrowed(b"plain"),
            Cow::Borrowed(b"quoted"),
            Cow::Owned(_)
        ]
    ));
}

#[test]
fn no_more_pairs_and_bytes_than_the_limits_are_looked_at() {
    let many = b"a=1;".repeat(1000);
    let long = [
        b"first=1; long=".as_slice(),
        &b"x".repeat(MAX_HEADER_BYTES),
        b"; late=1",
    ]
    .concat();
    for grammar in BOTH {
        assert_eq!(
            RequestCookies::parse([many.as_slice(), &many], grammar).len(),
            MAX_PAIRS
        );
        // A truncated value does not count as a value.
        assert_eq!(
            RequestCookies::parse([long.as_slice(), b"later=1"], grammar)
                .iter()
                .collect::<Vec<_>>(),
            [("first", "1")]
        );
        let looked_at = work::of(|| {
            assert!(values_of([&*b"=".repeat(1 << 20), b"s=1"], "s", grammar).is_empty());
        });
        assert!(looked_at <= 8 * MAX_HEADER_BYTES, "{looked_at}");
    }
}

/// The parser scans at most eight bytes per byte sent, even if it reads a part of a line again.
#[test]
fn work_is_linear_in_the_worst_known_headers() {
    let atoms = [
        "a=\"",
        "a=\";",
        "=",
        ";",
        "=\n",
        "a=\"\\",
        " ",
        "a=\\\"",
        "\"",
        "a= \"x;",
        "\n=\"",
        "a \t=\t",
        "a=\"b\"c;",
        "\n",
    ];
    for (start, atom) in ["", "a=\"", "a=", "a=\n"]
        .into_iter()
        .flat_map(|start| atoms.map(|atom| (start, atom)))
    {
        let header = [start, &atom.repeat(20_000 / atom.len()), "\n\"x;"].concat();
        for grammar in BOTH {
            let looked_at =
                work::of(|| assert!(pairs(header.as_bytes(), grammar).count() <= MAX_PAIRS));
            assert!(
                looked_at <= 8 * header.len(),
                "{start:?} {atom:?} {grammar:?}: {looked_at}"
            );
        }
    }
}

#[test]
fn debug_shows_no_value() {
    let header = b"session=s3cret; b=\"s3\\145cret\"".as_slice();
    let cookies = RequestCookies::parse([header], Grammar::Strict);
    assert_eq!(format!("{cookies:?}"), r#"RequestCookies ["session", "b"]"#);
    let all = format!(
        "{:?} {:?}",
        pairs(header, Grammar::Strict),
        pairs(header, Grammar::Strict).next()
    );
    assert!(all.contains("session") && !all.contains("s3"), "{all}");
}

proptest! {
    #[test]
    fn work_is_linear(header in nasty_header()) {
        for grammar in BOTH {
            let looked_at = work::of(|| assert!(pairs(&header, grammar).count() <= MAX_PAIRS));
            prop_assert!(looked_at <= 8 * header.len() + 8, "{}", looked_at);
        }
    }

    #[test]
    fn no_bytes_panic_and_all_readers_agree(lines in prop::collection::vec(nasty_header(), 0..4)) {
        let lines = || lines.iter().map(Vec::as_slice);
        for grammar in BOTH {
            let all: Vec<_> = lines().flat_map(|line| pairs(line, grammar)).collect();
            let cookies = RequestCookies::parse(lines(), grammar);
            prop_assert!(cookies.len() <= all.len());
            prop_assert_eq!(cookies.is_empty(), cookies.iter().next().is_none());
            for pair in &all {
                prop_assert!(!pair.name().is_empty() && pair.value().len() <= pair.raw_value().len());
                let Ok(name) = std::str::from_utf8(pair.name()) else { continue };
                let values: Vec<_> = all.iter().filter(|other| other.name() == pair.name()).map(super::Pair::value).collect();
                prop_assert_eq!(&values_of(lines(), name, grammar)[..], &values[..values.len().min(MAX_CANDIDATES)]);
                prop_assert_eq!(cookies.get_all(name).count(), values.len());
            }
        }
    }

    #[test]
    fn invalid_utf_8_is_replaced_in_values_and_dropped_in_names(bytes in prop::collection::vec(0x80_u8.., 1..9)) {
        let text = String::from_utf8_lossy(&bytes);
        let header = [b"v=".as_slice(), &bytes, b"; ", &bytes, b"=n"].concat();
        let cookies = RequestCookies::parse([header.as_slice()], Grammar::Strict);
        prop_assert_eq!(cookies.get("v"), Some(&*text));
        prop_assert_eq!(cookies.len(), 1 + usize::from(std::str::from_utf8(&bytes).is_ok()));
    }
}
