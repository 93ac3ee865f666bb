//! A session over several requests, and failing requests.

use std::time::Duration;

use carafe_core::{
    json::tag::Markup,
    session::{ClientSide, Flash, Session, SessionConfig},
};

use crate::{
    Adapter, Reply, Site,
    client::Browser,
    text,
    tokens::{KEY, OLD_KEY, flask, flask_cookie, flask_cookie_under, key, safe, side},
};

pub fn a_user_logs_in_and_out<A: Adapter>() {
    for side in [side(), ClientSide::encrypted(key(KEY), "shop")] {
        for config in [
            SessionConfig::flask(),
            SessionConfig::default(),
            SessionConfig::development(),
        ] {
            let site = Site::of(side.clone(), config)
                .takes("/in", |session| session.log_in("42"))
                .takes("/", |session| Ok(text(session.user().unwrap_or_default())))
                .takes("/out", Session::log_out);
            let name = site.name().to_owned();
            let server = A::serve(site);
            let mut browser = Browser::default();
            assert_eq!(browser.get(&server, "/").body, "");
            browser.get(&server, "/in");
            assert_eq!(browser.get(&server, "/").body, "42");
            browser.get(&server, "/out");
            assert_eq!(browser.get(&server, "/").body, "");
            assert_eq!(
                browser.cookie(&name),
                None,
                "nothing is left in the browser"
            );
        }
    }
}

/// The result of Flask-Login 0.6.3's `_create_identifier` for a request with these headers.
pub fn a_log_in_is_bound_to_the_client_that_flask_login_sees<A: Adapter>() {
    let site = flask().takes("/", |session| {
        session.log_in("42")?;
        let id: Option<String> = session.get("_id")?;
        Ok(text(id.unwrap_or_default()))
    });
    let server = A::serve(site);
    for (address, agent, start) in [
        ("203.0.113.9", "curl/8", "67856f3664610bb4"),
        (" 203.0.113.9 , 10.0.0.1", "curl/8", "67856f3664610bb4"),
        ("2001:db8::1", "it's", "61f2d4e8250cc4bd"),
    ] {
        let headers = [("X-Forwarded-For", address), ("User-Agent", agent)];
        let answer = server.ask("GET /", &headers);
        assert_eq!(answer.body.len(), 128, "{address}");
        assert!(answer.body.starts_with(start), "{}", answer.body);
    }
}

pub fn a_log_out_removes_flask_logins_cookie_too<A: Adapter>() {
    let site = flask()
        .takes("/", |session| session.log_in("42"))
        .takes("/out", Session::log_out);
    let server = A::serve(site);
    let cookie = server.get("/", "").pair().unwrap().to_owned();
    let removals = server
        .get("/out", &format!("{cookie}; remember_token=42|x"))
        .set_cookies()
        .iter()
        .map(|line| line.split(';').next().unwrap().to_owned())
        .collect::<Vec<_>>();
    assert_eq!(removals, ["session=", "remember_token="]);
}

fn shown(flashes: &[Flash]) -> String {
    let line = |flash: &Flash| format!("{}:{}:{}", flash.category, flash.message, flash.is_markup);
    flashes.iter().map(line).collect::<Vec<_>>().join("|")
}

/// All flashes are taken together, as in Flask.
///
/// Repeated calls in a request return the same flashes, and the emptied session is deleted.
pub fn flashes_come_with_the_next_page_and_once<A: Adapter>() {
    let site = flask()
        .takes("/write", |session| {
            session.flash("message", "Hello")?;
            session.flash("error", &Markup("<b>no</b>".to_owned()))
        })
        .takes("/read", |session| {
            let first = session.take_flashes()?;
            assert_eq!(session.take_flashes()?, first);
            Ok(text(shown(&first)))
        })
        .takes("/both", |session| {
            session.flash("message", "now")?;
            let now = session.take_flashes()?;
            session.flash("message", "later")?;
            assert_eq!(session.take_flashes()?, now);
            Ok(text(shown(&now)))
        });
    let server = A::serve(site);
    let mut browser = Browser::default();
    assert_eq!(browser.get(&server, "/read").body, "");
    browser.get(&server, "/write");
    browser.get(&server, "/write");
    let one = "message:Hello:false|error:<b>no</b>:true";
    let both = format!("{one}|{one}");
    assert_eq!(browser.get(&server, "/read").body, both);
    assert_eq!(
        browser.cookie("session"),
        None,
        "the session was emptied, so its cookie went"
    );
    assert_eq!(browser.get(&server, "/read").body, "");
    assert_eq!(browser.get(&server, "/both").body, "message:now:false");
    assert_eq!(browser.get(&server, "/read").body, "message:later:false");
}

pub fn the_lifetime_changes_while_running<A: Adapter>() {
    for site in [flask, safe] {
        let site = site().takes("/", |session| Ok(text(session.len().to_string())));
        let manager = site.manager.clone().unwrap();
        let cookie = format!("{}={}", site.name(), flask_cookie(r#"{"a":1}"#, 100));
        let server = A::serve(site);
        for (lifetime, expected) in [(31 * 86_400, "1"), (99, "0"), (0, "0"), (1_000, "1")] {
            manager.set_lifetime(Duration::from_secs(lifetime));
            assert_eq!(server.get("/", &cookie).body, expected, "{lifetime}");
        }
    }
}

/// The late response to a background fetch could restore a session after a log-out.
pub fn a_due_cookie_is_refreshed_by_a_navigation_and_not_by_a_background_fetch<A: Adapter>() {
    let site = safe().takes("/", |session| Ok(text(session.len().to_string())));
    let cookie = format!(
        "{}={}",
        site.name(),
        flask_cookie(r#"{"a":1}"#, 10 * 86_400)
    );
    let server = A::serve(site);
    for (mode, refreshes) in [
        (None, true),
        (Some("navigate"), true),
        (Some("cors"), false),
        (Some("no-cors"), false),
        (Some("same-origin"), false),
        (Some("websocket"), false),
    ] {
        let mode_header = mode.map(|mode| ("Sec-Fetch-Mode", mode));
        let headers: Vec<_> = [Some(("Cookie", cookie.as_str())), mode_header]
            .into_iter()
            .flatten()
            .collect();
        let answer = server.ask("GET /", &headers);
        assert_eq!(answer.body, "1", "{mode:?}");
        assert_eq!(answer.pair().is_some(), refreshes, "{mode:?}");
    }
}

/// Returns 8 KB of incompressible text.
#[must_use]
pub fn noise() -> String {
    let mut state = 7_u64;
    let letters = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'a' + u8::try_from((state >> 40) % 26).unwrap())
    });
    letters.take(8_000).collect()
}

/// The handler's response would claim that the session was saved, so no part of it is sent.
pub fn a_session_that_is_too_large_is_a_500_without_the_handlers_response<A: Adapter>() {
    for site in [flask(), safe()] {
        let site = site.takes("/", |session| {
            session.insert("shopping_cart", &noise())?;
            session.insert("small", &1)?;
            Ok(Reply {
                headers: vec![("x-order", "placed"), ("set-cookie", "other=1")],
                ..text("order placed")
            })
        });
        let answer = A::serve(site).get("/", "");
        assert_eq!(answer.status, 500);
        assert_eq!(answer.body, "");
        assert!(answer.set_cookies().is_empty());
        assert!(answer.all("x-order").is_empty());
        assert_eq!(answer.all("cache-control"), ["no-store"]);
    }
}

/// TOK-12 on the wire: the responses to all invalid cookies are equal byte for byte.
pub fn all_bad_cookies_get_the_same_response<A: Adapter>() {
    for site in [flask, safe] {
        let site = site();
        let name = site.name().to_owned();
        let server = A::serve(site.takes("/", |session| Ok(text(session.len().to_string()))));
        let fresh = flask_cookie(r#"{"a":1}"#, 60);
        assert_eq!(server.get("/", &format!("{name}={fresh}")).body, "1");
        let bad = [
            flask_cookie(r#"{"a":1}"#, 40 * 86_400),
            format!("{fresh}A"),
            flask_cookie(r#"{"a":1}"#, -3_600),
            flask_cookie("rubbish", 60),
            flask_cookie(&format!(r#"{{"a":{}}}"#, "[".repeat(1_000)), 60),
            flask_cookie_under(&key(OLD_KEY).into(), "{}", 60),
            "junk".to_owned(),
            "...".to_owned(),
            "a".to_owned(),
        ];
        let ask = |value: &str| server.get("/", &format!("{name}={value}")).comparable();
        let first = ask(&bad[0]);
        assert_eq!(first.body, "0");
        for value in &bad {
            assert_eq!(ask(value), first, "{value}");
        }
    }
}

/// A session error inside a handler.
pub fn a_session_error_is_a_500_that_tells_the_client_nothing<A: Adapter>() {
    let site = safe().takes("/", |session| {
        session.insert("card", "4111-marker")?;
        session.get::<u64>("card").map(|_| text("never"))
    });
    let answer = A::serve(site).get("/", "");
    assert_eq!(answer.status, 500);
    assert_eq!(answer.body, "Internal Server Error");
    assert!(
        answer.set_cookies().is_empty(),
        "a server error saves nothing here"
    );
}

pub fn a_session_without_a_layer_is_a_500_that_tells_the_client_nothing<A: Adapter>() {
    let site = Site::bare().takes("/", |session| Ok(text(session.len().to_string())));
    let answer = A::serve(site).get("/", "");
    assert_eq!(answer.status, 500);
    assert_eq!(answer.body, "Internal Server Error");
    assert!(answer.set_cookies().is_empty());
}
