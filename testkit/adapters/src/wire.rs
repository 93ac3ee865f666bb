//! The HTTP response after the session's commit.

use carafe_core::session::{Session, SessionError};

use crate::{
    Adapter, Reply, text,
    tokens::{flask, safe},
};

fn writing(status: u16) -> impl Fn(&Session) -> Result<Reply, SessionError> {
    move |session| {
        session.insert("a", &1)?;
        Ok(Reply::from(status))
    }
}

pub fn every_kind_of_response_carries_the_cookie_in_its_head<A: Adapter>() {
    let redirect = |session: &Session| {
        session.insert("a", &1)?;
        Ok(Reply {
            headers: vec![("location", "/next")],
            ..Reply::from(303)
        })
    };
    let site = flask()
        .takes("/", writing(200))
        .takes("/304", writing(304))
        .takes("/redirect", redirect);
    let server = A::serve(site);
    for (line, status) in [
        ("GET /", 200),
        ("HEAD /", 200),
        ("GET /304", 304),
        ("GET /redirect", 303),
    ] {
        let answer = server.ask(line, &[]);
        assert_eq!(answer.status, status, "{line}");
        assert!(answer.pair().unwrap().starts_with("session="), "{line}");
        assert_eq!(answer.vary(), ["Cookie"], "{line}");
        assert_eq!(answer.body, "", "{line}");
    }
}

/// OPS-10: the connection is closed without a response, and the server keeps running.
pub fn a_panic_sends_no_cookie_and_stops_no_other_request<A: Adapter>() {
    let panics = |session: &Session| {
        session.insert("half", &1)?;
        assert!(session.is_empty(), "the handler panics here");
        Ok(())
    };
    let site = flask()
        .takes("/panic", panics)
        .takes("/write", writing(200))
        .takes("/", |session| Ok(text(session.len().to_string())));
    let server = A::serve(site);
    let answer = server.get("/panic", "");
    assert_eq!((answer.status, answer.body.as_str()), (0, ""));
    assert_eq!(server.get("/", "").body, "0");
    let answer = server.get("/write", "");
    assert!(answer.pair().unwrap().starts_with("session="));
}

/// CKR-7: bytes that are not text, headers without cookies, very many cookies.
pub fn malformed_cookie_headers_are_an_empty_session<A: Adapter>() {
    let server = A::serve(safe().takes("/", |session| Ok(text(session.len().to_string()))));
    let long = "a=b; ".repeat(2_000);
    for cookie in [
        "",
        ";",
        "=",
        "\u{e9}=\u{fc}",
        "__Host-Http-session=\u{fc}",
        &long,
    ] {
        let answer = server.ask("GET /", &[("Cookie", cookie)]);
        assert_eq!(answer.status, 200, "{cookie:.40}");
        assert_eq!(answer.body, "0");
    }
}
