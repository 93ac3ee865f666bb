//! A session over several requests, and requests that go wrong.

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

fn shown(flashes: &[Flash]) -> String {
    let line = |flash: &Flash| format!("{}:{}:{}", flash.category, flash.message, flash.is_markup);
    flashes.iter().map(line).collect::<Vec<_>>().join("|")
}

/// Flask: all are taken at once, the same ones again within the request, and the emptied session goes.
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
    for site in [flask(), safe()] {
        let site = site.takes("/", |session| Ok(text(session.len().to_string())));
        let manager = site.manager.clone().unwrap();
        let cookie = format!("{}={}", site.name(), flask_cookie(r#"{"a":1}"#, 100));
        let server = A::serve(site);
        for (lifetime, expected) in [(31 * 86_400, "1"), (99, "0"), (0, "0"), (1_000, "1")] {
            manager.set_lifetime(Duration::from_secs(lifetime));
            assert_eq!(server.get("/", &cookie).body, expected, "{lifetime}");
        }
    }
}

/// 8 KB that do not compress.
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

/// The handler's answer would claim that something was saved, so nothing of it is sent.
pub fn ckw_7_a_session_that_is_too_large_is_a_500_without_anything_of_the_handlers<A: Adapter>() {
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

/// TOK-12, on the wire: whatever is wrong with a cookie, the response is the same to the byte.
pub fn tok_12_all_bad_cookies_get_the_same_response<A: Adapter>() {
    for site in [flask(), safe()] {
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

/// An error of the session inside a handler.
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
