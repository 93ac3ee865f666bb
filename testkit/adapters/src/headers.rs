//! `Vary`, `Cache-Control` and other `Set-Cookie` headers of a response.
//!
//! The handler's choices are kept.

use carafe_core::cookie::SetCookie;

use crate::{
    Adapter, Handler, Reply, Site,
    client::Answer,
    text,
    tokens::{flask, flask_cookie, safe},
};

type Headers = Vec<(&'static str, &'static str)>;

/// Returns the response of a handler that sets these headers.
///
/// The handler also writes to the session if `writes`.
fn answer_with<A: Adapter>(headers: Headers, writes: bool) -> Answer {
    let site = flask().takes("/", move |session| {
        if writes {
            session.insert("a", &1)?;
        } else {
            assert!(session.is_empty());
        }
        Ok(Reply {
            headers: headers.clone(),
            ..Reply::default()
        })
    });
    A::serve(site).get("/", "")
}

pub fn vary_is_one_line_that_keeps_what_was_there<A: Adapter>() {
    for (lines, merged) in [
        (&[][..], "Cookie"),
        (&["Accept-Encoding, cookie"], "Accept-Encoding, cookie"),
        (&["*"], "*, Cookie"),
        (
            &["Accept-Encoding,Origin"],
            "Accept-Encoding, Origin, Cookie",
        ),
        (
            &["Accept-Encoding", "Origin"],
            "Accept-Encoding, Origin, Cookie",
        ),
        (&["COOKIE"], "COOKIE"),
    ] {
        let headers: Vec<_> = lines.iter().map(|line| ("vary", *line)).collect();
        for writes in [true, false] {
            let answer = answer_with::<A>(headers.clone(), writes);
            assert_eq!(answer.vary(), [merged], "{lines:?}");
        }
    }
}

pub fn a_session_cookie_implies_no_store_unless_the_handler_set_cache_control<A: Adapter>() {
    let cache_control = |value| vec![("cache-control", value)];
    for (headers, writes, expected) in [
        (vec![], true, &["no-store"][..]),
        (vec![], false, &[]),
        (
            cache_control("private, max-age=5"),
            true,
            &["private, max-age=5"],
        ),
        (cache_control("no-cache"), true, &["no-cache"]),
        (cache_control("public"), false, &["public"]),
    ] {
        let answer = answer_with::<A>(headers, writes);
        assert_eq!(answer.all("cache-control"), expected);
    }
}

/// RFC 6265bis §4.1.1: at most one cookie per name, domain and path in a response.
pub fn our_cookie_replaces_those_of_its_name_and_leaves_the_others_in_order<A: Adapter>() {
    let others = vec![
        ("set-cookie", "a=1; Path=/"),
        ("set-cookie", "session=evil; Path=/"),
        ("set-cookie", "session=; Path=/app; Max-Age=0"),
        ("set-cookie", "b=2"),
        ("set-cookie", " session =x; path=/"),
        ("set-cookie", "Session=other"),
        ("set-cookie", "c=session=3"),
        ("x-of-the-handler", "session=4"),
    ];
    let answer = answer_with::<A>(others.clone(), true);
    let cookies = answer.set_cookies();
    assert_eq!(
        cookies[..5],
        [
            "a=1; Path=/",
            "session=; Path=/app; Max-Age=0",
            "b=2",
            "Session=other",
            "c=session=3"
        ]
    );
    assert!(
        cookies[5].starts_with("session=eyJ") && cookies.len() == 6,
        "{cookies:?}"
    );
    assert_eq!(answer.all("x-of-the-handler"), ["session=4"]);
    // Without a session cookie, the handler's cookies are kept.
    let answer = answer_with::<A>(others, false);
    assert_eq!(answer.set_cookies().len(), 7);
}

pub fn a_handler_may_set_its_own_cookies_beside_the_session<A: Adapter>() {
    let site = safe().takes("/", |session| {
        session.insert("a", &1)?;
        Ok(Reply {
            cookies: vec![SetCookie::new("theme", "dark"), SetCookie::removal("old")],
            body: "body".to_owned(),
            ..Reply::default()
        })
    });
    let answer = A::serve(site).get("/", "");
    let names: Vec<_> = answer
        .set_cookies()
        .iter()
        .map(|line| line.split('=').next().unwrap())
        .collect();
    assert_eq!(names, ["theme", "old", "__Host-Http-session"]);
    assert_eq!(answer.body, "body");
}

/// An untouched session adds no header.
pub fn an_untouched_request_gets_no_header<A: Adapter>() {
    let plain = |site: Site| site.with("/", Handler::Plain(text("body")));
    let (site, bare) = (A::serve(plain(safe())), A::serve(plain(Site::bare())));
    let good = flask_cookie(r#"{"_permanent":true}"#, 60);
    for value in ["", "junk", &good] {
        let cookie = format!("__Host-Http-session={value}");
        let answer = site.get("/", &cookie).comparable();
        assert_eq!(answer, bare.get("/", &cookie).comparable());
        assert_eq!(answer.body, "body");
    }
}
