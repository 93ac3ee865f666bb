//! Every line of `set_cookie.jsonl` and `parse_cookie.jsonl` in `testdata/vectors`.
//!
//! The lines were written by real Werkzeug. If Carafe differs on purpose, the line's ID is in a
//! list here with the reason, and the test fails once the difference disappears, so that the lists
//! stay accurate. `src/cookie/set_cookie.rs` explains the same differences.

use std::{fs, path::PathBuf};

use carafe_core::{
    clock::Timestamp,
    cookie::{Grammar, RequestCookies, SetCookie, pairs},
};
use serde_json::Value;

/// Lines that Carafe renders differently from Werkzeug or rejects, by reason.
const WRITTEN_DIFFERENTLY: &[(&str, &[&str])] = &[
    (
        "bytes 1A-1F are escaped: raw control bytes are not allowed in a header (RFC 9110 §5.5)",
        &["D10", "D11", "D226", "D227", "D228", "D229", "D230", "D231"],
    ),
    (
        "a name is a token (RFC 6265 §4.1.1)",
        &["D53", "D54", "D55", "D102"],
    ),
    (
        "a domain is a host name: browsers drop the cookie, or read an attribute into it",
        &["D29", "D76", "D77"],
    ),
    (
        "a domain is not empty: browsers ignore it, so it would not mean what it says",
        &["D22", "D79", "D82"],
    ),
    (
        "a domain is ASCII: IDNA 2003, 2008 and UTS 46 disagree on what it maps to",
        &["D26", "D73", "D74", "D75"],
    ),
    (
        "browsers drop a cookie for a name that ends in a dot",
        &["D28"],
    ),
    ("a cookie for an IP address is for that host only", &["D24"]),
    (
        "a prefix is held to its rules: browsers drop the cookie (RFC 6265bis §5.7)",
        &["D100", "D101"],
    ),
    (
        "name and value have at most 4096 bytes: browsers drop the cookie (RFC 6265bis §5.6)",
        &["D58", "D59", "D103"],
    ),
    (
        "Max-Age is at most 400 days, so this one does not leave the calendar (RFC 6265bis §5.5)",
        &["D89"],
    ),
    (
        "flags are booleans: Secure=0 turns Secure on",
        &["D45", "D92", "D93", "D94", "D95", "D96"],
    ),
    ("expiry is a time, not a text", &["D38", "D87"]),
];

/// Lines with whitespace other than space and tab around names or values.
///
/// Werkzeug 3.1.8 strips such whitespace off names, and all Unicode whitespace off values. Carafe
/// keeps it, so that no other name is read as `__Host-a`. No other difference is allowed.
const STRIPPED_DIFFERENTLY: &[&str] = &[
    "P51", "P52", "P53", "P80", "P81", "P93", "P810", "P811", "P812", "P813", "P828",
];

fn lines(file: &str) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../testdata/vectors")
        .join(file);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn id(line: &Value) -> &str {
    line["id"].as_str().unwrap()
}

fn reason<'a>(list: &[(&'a str, &[&str])], id: &str) -> Option<&'a str> {
    list.iter()
        .find(|(_, ids)| ids.contains(&id))
        .map(|(reason, _)| *reason)
}

/// Asserts that each ID of a list is in the file, and in the list only once, so that no entry is
/// stale.
fn assert_listed_once(list: &[(&str, &[&str])], lines: &[Value]) {
    let mut listed: Vec<_> = list
        .iter()
        .flat_map(|(_, ids)| ids.iter().copied())
        .collect();
    listed.sort_unstable();
    assert!(
        listed.windows(2).all(|two| two[0] != two[1]),
        "an id is listed twice: {listed:?}"
    );
    for known in listed {
        assert!(
            lines.iter().any(|line| id(line) == known),
            "{known} is not in the file"
        );
    }
}

/// Returns Carafe's header for a line, or an error if Carafe rejects or does not support the line.
fn ours(line: &Value) -> Result<String, String> {
    let mut cookie = SetCookie::new(
        line["name"].as_str().unwrap(),
        line["value"].as_str().unwrap(),
    );
    for (option, value) in line["options"].as_object().unwrap() {
        cookie = with_option(cookie, option, value)?;
    }
    #[allow(clippy::cast_possible_truncation)] // truncates, as Werkzeug does
    let now = Timestamp::from_unix(line["now"].as_f64().unwrap() as i64);
    cookie.render(now).map_err(|error| error.to_string())
}

fn with_option(cookie: SetCookie, option: &str, value: &Value) -> Result<SetCookie, String> {
    let flag = || {
        value
            .as_bool()
            .ok_or_else(|| format!("{option} is a bool here"))
    };
    let text = || value.as_str().unwrap();
    Ok(match option {
        "path" if value.is_null() => cookie.no_path(),
        "path" => cookie.path(text()),
        "domain" => cookie.domain(text()),
        "max_age" => cookie.max_age_seconds(value.as_i64().unwrap()),
        "expires" => cookie.expires(seconds(value)?),
        "sync_expires" if !flag()? => cookie.without_expires(),
        "secure" => cookie.secure(flag()?),
        "httponly" => cookie.http_only(flag()?),
        "partitioned" => cookie.partitioned(flag()?),
        "samesite" => cookie.same_site(text().parse().map_err(|error| format!("{error}"))?),
        // A limit that only causes a warning in Werkzeug.
        "max_size" | "sync_expires" => cookie,
        _ => panic!("unknown option {option}"),
    })
}

#[allow(clippy::cast_possible_truncation)] // truncates, as Werkzeug does
fn seconds(value: &Value) -> Result<Timestamp, String> {
    let seconds = value
        .as_i64()
        .or(value.as_f64().map(|seconds| seconds as i64));
    seconds
        .map(Timestamp::from_unix)
        .ok_or_else(|| "expires is a time here".to_owned())
}

#[test]
fn set_cookie_text_is_werkzeugs() {
    let lines = lines("set_cookie.jsonl");
    assert_listed_once(WRITTEN_DIFFERENTLY, &lines);
    let mut wrong = Vec::new();
    for line in &lines {
        let ours = ours(line);
        let same = match line["set_cookie"].as_str() {
            Some(theirs) => ours.as_deref() == Ok(theirs),
            None => ours.is_err(),
        };
        if same == reason(WRITTEN_DIFFERENTLY, id(line)).is_some() {
            wrong.push(format!(
                "{} ({}): {ours:?}, Werkzeug: {}",
                id(line),
                line["note"],
                line["set_cookie"]
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        lines.len(),
        wrong.join("\n")
    );
}

#[test]
fn cookie_headers_are_read_as_by_werkzeug_3_1_9() {
    for line in lines("parse_cookie.jsonl") {
        let header = line["header"].as_str().unwrap();
        assert_eq!(
            grouped(read(header, Grammar::Strict)),
            expected(&line["new"]),
            "{} {header:?}",
            id(&line)
        );
    }
}

#[test]
fn cookie_headers_are_read_as_by_werkzeug_3_1_8_but_for_unusual_white_space() {
    let lines = lines("parse_cookie.jsonl");
    for line in &lines {
        let header = line["header"].as_str().unwrap();
        // `old` is omitted where both grammars agree.
        let theirs = expected(if line["old"].is_null() {
            &line["new"]
        } else {
            &line["old"]
        });
        let ours = grouped(read(header, Grammar::Lenient));
        assert_eq!(grouped(stripped(header)), theirs, "{} {header:?}", id(line));
        let may_differ = header.contains(|c| is_pythons_space(c) && c != ' ' && c != '\t');
        assert!(
            may_differ || ours == theirs,
            "{} {header:?}: {ours:?}",
            id(line)
        );
        assert!(
            ours != theirs || !STRIPPED_DIFFERENTLY.contains(&id(line)),
            "{} differs no more",
            id(line)
        );
    }
    for known in STRIPPED_DIFFERENTLY {
        assert!(
            lines.iter().any(|line| id(line) == *known),
            "{known} is not in the file"
        );
    }
}

/// Returns Carafe's result with Python's `str.strip` applied to the text that Carafe preserved.
fn stripped(header: &str) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| {
        String::from_utf8(bytes.to_vec())
            .unwrap()
            .trim_matches(is_pythons_space)
            .to_owned()
    };
    let pairs = pairs(header.as_bytes(), Grammar::Lenient)
        .map(|pair| (text(pair.name()), text(pair.raw_value())));
    let named = pairs.filter(|(name, _)| !name.is_empty());
    // A value that is quoted only after stripping is unquoted here.
    let unquoted = |value: &str| read(&format!("x={value}"), Grammar::Lenient).remove(0).1;
    named
        .map(|(name, value)| (name, unquoted(&value)))
        .collect()
}

fn is_pythons_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// Sorts as Werkzeug's multi-dictionary does, which keeps the values of one name together.
fn grouped(mut cookies: Vec<(String, String)>) -> Vec<(String, String)> {
    let names: Vec<_> = cookies.iter().map(|(name, _)| name.clone()).collect();
    cookies.sort_by_key(|(name, _)| names.iter().position(|first| first == name));
    cookies
}

fn expected(list: &Value) -> Vec<(String, String)> {
    serde_json::from_value(list.clone()).unwrap()
}

fn read(header: &str, grammar: Grammar) -> Vec<(String, String)> {
    let cookies = RequestCookies::parse([header.as_bytes()], grammar);
    cookies
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
