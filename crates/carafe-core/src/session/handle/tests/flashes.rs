//! Messages for the next page.

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

#[test]
fn something_else_under_the_key_of_flashes_is_an_error_and_stays() {
    for other in [
        "5",
        r#""]""#,
        "{}",
        r#"{" t":[]}"#,
        "[1]",
        r#"[{" t":["a"]}]"#,
        r#"[["a",5]]"#,
    ] {
        let payload = format!(r#"{{"_flashes":{other}}}"#);
        let (_, session) = with(&payload);
        assert!(
            matches!(session.take_flashes(), Err(SessionError::Decode { .. })),
            "{other}"
        );
        assert_eq!(session.json_text("_flashes").as_deref(), Some(other));
    }
}
