//! Tests of flash messages.

use super::*;

#[test]
fn flashes_come_once_and_stay_for_the_request() {
    let (slot, session) = with(r#"{"n":7}"#);
    session.flash("message", "one").unwrap();
    session
        .flash("error", &crate::json::tag::Markup("<b>two</b>".into()))
        .unwrap();
    let taken = session.take_flashes().unwrap();
    let seen: Vec<_> = taken
        .iter()
        .map(|flash| {
            (
                flash.category.as_str(),
                flash.message.as_str(),
                flash.is_markup,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [("message", "one", false), ("error", "<b>two</b>", true)]
    );
    assert!(!session.contains_key("_flashes"));
    session.flash("message", "three").unwrap();
    assert_eq!(
        session.take_flashes().unwrap(),
        taken,
        "asked again, the same, as in Flask"
    );
    assert!(
        session.contains_key("_flashes"),
        "the third is for the next request"
    );
    commit(&slot);
}

#[test]
fn flashes_are_written_as_flask_writes_them() {
    let (_, session) = with("{}");
    session.flash("message", "Hello").unwrap();
    session.flash("error", "Bad <thing>").unwrap();
    assert_eq!(
        session.json_text("_flashes").as_deref(),
        Some(r#"[{" t":["message","Hello"]},{" t":["error","Bad <thing>"]}]"#)
    );
}

/// Returns the category, text, markup flag and value (as text) of each message in `flashes`.
fn taken(flashes: &str) -> Vec<(String, String, bool, String)> {
    let (_, session) = with(&format!(r#"{{"n":7,"_flashes":{flashes}}}"#));
    let taken = session.take_flashes().unwrap();
    assert_eq!(session.keys(), ["n"], "{flashes} is taken");
    let all = taken.into_iter().map(|flash| {
        let value = flash.value.to_string();
        (flash.category, flash.message, flash.is_markup, value)
    });
    all.collect()
}

#[test]
fn a_message_of_any_type_is_taken_as_its_value_and_blocks_no_other() {
    for (odd, category, message) in [
        (r#"{" t":["info",5]}"#, "info", "5"),
        (r#"{" t":["info",null]}"#, "info", "null"),
        (r#"{" t":["info",true]}"#, "info", "true"),
        (
            r#"{" t":["info",{" t":["a",1]}]}"#,
            "info",
            r#"{" t":["a",1]}"#,
        ),
        (r#"{" t":["info",{"a":[1.5]}]}"#, "info", r#"{"a":[1.5]}"#),
        (
            r#"{" t":["info",{" u":"12345678123456781234567812345678"}]}"#,
            "info",
            r#"{" u":"12345678123456781234567812345678"}"#,
        ),
        (
            r#"{" t":["info",{" b":"YQ=="}]}"#,
            "info",
            r#"{" b":"YQ=="}"#,
        ),
        (r#"{" t":["info","\ud800"]}"#, "info", "\u{fffd}"),
        (r#"{" t":[5,"text"]}"#, "5", "text"),
        (r#"{" t":[null,null]}"#, "null", "null"),
        (r#"["info",5]"#, "info", "5"),
        // Entries that are not pairs are taken as a whole.
        (r#"{" t":["a"]}"#, "message", r#"{" t":["a"]}"#),
        (r#"["a","b","c"]"#, "message", r#"["a","b","c"]"#),
        (r#"[["a"],"b"]"#, "message", r#"[["a"],"b"]"#),
        (r#""text""#, "message", "text"),
        ("1", "message", "1"),
        ("null", "message", "null"),
        ("{}", "message", "{}"),
    ] {
        let before = r#"{" t":["message","first"]}"#;
        let after = r#"{" t":["error",{" m":"<b>last</b>"}]}"#;
        let list = format!("[{before},{odd},{after}]");
        let taken = taken(&list);
        let [first, seen, last] = &taken[..] else {
            panic!("three messages of {list}: {taken:?}");
        };
        assert_eq!((&*first.0, &*first.1, first.2), ("message", "first", false));
        assert_eq!(
            (&*seen.0, &*seen.1, seen.2),
            (category, message, false),
            "{odd}"
        );
        assert_eq!((&*last.0, &*last.1, last.2), ("error", "<b>last</b>", true));
        assert!(odd.contains(&seen.3), "{odd} has the value {}", seen.3);
    }
}

#[test]
fn what_is_no_list_is_taken_as_messages_and_keeps_no_other_from_being_flashed() {
    for (other, messages) in [
        ("5", &["5"][..]),
        (r#""]""#, &["]"]),
        ("{}", &["{}"]),
        ("null", &[]),
        (r#"{" t":[]}"#, &[]),
        (r#"{" t":[{" t":["info","a"]},"b"]}"#, &["a", "b"]),
        ("[]", &[]),
    ] {
        let seen: Vec<_> = taken(other).into_iter().map(|(_, text, ..)| text).collect();
        assert_eq!(seen, messages, "{other}");
        let (_, session) = with(&format!(r#"{{"_flashes":{other}}}"#));
        session.flash("info", "new").unwrap();
        let seen = session.take_flashes().unwrap().into_iter();
        let expected: Vec<_> = messages.iter().copied().chain(["new"]).collect();
        assert_eq!(
            seen.map(|flash| flash.message).collect::<Vec<_>>(),
            expected,
            "{other}"
        );
    }
}

#[test]
fn a_message_of_any_type_can_be_flashed() {
    let (_, session) = with("{}");
    session.flash("info", &(1, "a")).unwrap();
    session.flash("info", &None::<u8>).unwrap();
    let taken = session.take_flashes().unwrap();
    let values: Vec<_> = taken.iter().map(|flash| flash.value.to_string()).collect();
    assert_eq!(values, [r#"[1,"a"]"#, "null"]);
}
