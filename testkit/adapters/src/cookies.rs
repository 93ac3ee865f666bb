//! Cookies that handlers read and set.

use carafe_core::cookie::{RequestCookies, SameSite, SetCookie};

use crate::{
    Adapter, Handler, Reply, Site, text,
    tokens::{flask, flask_cookie, safe},
};

fn shown(cookies: &RequestCookies) -> String {
    let pairs: Vec<_> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("|")
}

pub fn cookies_are_read_from_all_lines_in_order<A: Adapter>() {
    let server = A::serve(Site::bare().with("/", Handler::Cookies(shown)));
    for (lines, expected) in [
        (&[][..], ""),
        (&["a=1; b=2"], "a=1|b=2"),
        (&["a=1", "b=2; a=3"], "a=1|b=2|a=3"),
        (&["=nameless; a=1"], "a=1"),
        (&[r#"a="x\073y""#], "a=x;y"),
    ] {
        let headers: Vec<_> = lines.iter().map(|line| ("Cookie", *line)).collect();
        assert_eq!(server.ask("GET /", &headers).body, expected, "{lines:?}");
    }
}

/// CKR-1: HTTP/2 clients may send a header field per cookie (RFC 9113 §8.2.3).
///
/// Proxies may forward the fields like this.
pub fn a_session_is_found_in_any_of_50_lines<A: Adapter>() {
    for site in [flask(), safe()] {
        let site = site.takes("/", |session| {
            Ok(text(session.get::<u8>("a")?.unwrap_or(0).to_string()))
        });
        let ours = format!("{}={}", site.name(), flask_cookie(r#"{"a":7}"#, 60));
        let server = A::serve(site);
        for count in [1, 2, 50] {
            for position in [0, count / 2, count - 1] {
                let mut lines: Vec<_> = (0..count).map(|number| format!("c{number}=x")).collect();
                ours.clone_into(&mut lines[position]);
                let headers: Vec<_> = lines.iter().map(|line| ("Cookie", line.as_str())).collect();
                assert_eq!(
                    server.ask("GET /", &headers).body,
                    "7",
                    "{position} of {count}"
                );
            }
        }
    }
}

fn setting(cookies: Vec<SetCookie>) -> Handler {
    Handler::Plain(Reply {
        status: 201,
        cookies,
        ..text("secret body")
    })
}

pub fn several_cookies_are_several_headers<A: Adapter>() {
    let cookies = vec![
        SetCookie::new("a", "1").same_site(SameSite::Strict),
        SetCookie::new("b", "x y"),
        SetCookie::removal("c"),
    ];
    let answer = A::serve(Site::bare().with("/", setting(cookies))).get("/", "");
    assert_eq!(answer.status, 201);
    assert_eq!(
        answer.set_cookies(),
        [
            "a=1; Path=/; SameSite=Strict",
            "b=\"x y\"; Path=/",
            "c=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
        ]
    );
}

/// A cookie that browsers would drop or misread is a bug.
pub fn a_cookie_that_cannot_be_written_is_a_500_without_the_answer<A: Adapter>() {
    let value = "marker-4111".to_owned();
    for cookie in [
        SetCookie::new("a b", &value),
        SetCookie::new("a\r\nX-Evil", &value),
        SetCookie::new("", &value),
        SetCookie::new("a", &value).domain("x; Path=/evil"),
        SetCookie::new("__Host-a", &value),
        SetCookie::new("a", value.repeat(400)),
    ] {
        let answer = A::serve(Site::bare().with("/", setting(vec![cookie]))).get("/", "");
        assert_eq!(answer.status, 500);
        assert!(answer.set_cookies().is_empty());
        let text = format!("{answer:?}");
        assert!(
            !text.contains("secret") && !text.contains("marker"),
            "{text}"
        );
    }
}
