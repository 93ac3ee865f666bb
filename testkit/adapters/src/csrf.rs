//! Cross-site requests, and the tokens of forms.

use std::sync::{Arc, Mutex};

use carafe_core::{
    csrf::CsrfPolicy,
    session::{ServerSide, SessionConfig, Transport},
    store::MemoryStore,
};

use crate::{
    Adapter, Handler, Server, Site, text,
    tokens::{flask, flask_cookie, side},
    via::TOKEN,
};

fn serve<A: Adapter>() -> Server {
    let config = SessionConfig::development()
        .with_transports([Transport::cookie(), Transport::bearer(TOKEN)]);
    let policy = CsrfPolicy::new()
        .with_trusted_origin("https://login.example")
        .unwrap();
    let site = Site::with_transports_of(side(), config)
        .takes("/order", |session| {
            session.insert("ordered", &true)?;
            Ok(text(format!("{:?}", session.user())))
        })
        .with("/plain", Handler::Plain(text("done")));
    A::serve(site.checked(policy))
}

pub fn a_cross_site_request_is_a_403_that_changes_nothing<A: Adapter>() {
    let server = serve::<A>();
    let cookie = format!("session={}", flask_cookie(r#"{"_user_id":"ada"}"#, 60));
    for (site, origin, status) in [
        (Some("same-origin"), Some("http://a"), 200),
        (Some("none"), None, 200),
        (None, Some("http://a"), 200),
        (None, None, 200),
        (Some("cross-site"), Some("https://login.example"), 200),
        (Some("cross-site"), Some("https://evil.example"), 403),
        (Some("same-site"), Some("https://evil.a"), 403),
        (None, Some("https://evil.example"), 403),
        (None, Some("null"), 403),
    ] {
        let site_header = site.map(|site| ("Sec-Fetch-Site", site));
        let origin_header = origin.map(|origin| ("Origin", origin));
        let headers = [
            Some(("Cookie", cookie.as_str())),
            site_header,
            origin_header,
        ];
        let headers: Vec<_> = headers.into_iter().flatten().collect();
        for (path, body) in [("/order", "Some(\"ada\")"), ("/plain", "done")] {
            let answer = server.ask(&format!("POST {path}"), &headers);
            assert_eq!(answer.status, status, "{headers:?}");
            if status == 403 {
                assert_eq!(answer.body, "");
                assert!(answer.set_cookies().is_empty(), "{answer:?}");
                assert_eq!(answer.all("cache-control"), ["no-store"]);
            } else {
                assert_eq!(answer.body, body);
            }
            assert_eq!(server.ask(&format!("GET {path}"), &headers).status, 200);
        }
    }
}

/// A browser does not send a bearer token by itself.
pub fn a_request_with_a_bearer_token_is_not_checked<A: Adapter>() {
    let server = serve::<A>();
    let token = flask_cookie(r#"{"_user_id":"ada"}"#, 60);
    let bearer = format!("Bearer {token}");
    let cross = [
        ("Sec-Fetch-Site", "cross-site"),
        ("Origin", "https://app.example"),
    ];
    let mut headers = cross.to_vec();
    headers.push(("Authorization", &bearer));
    let answer = server.ask("POST /order", &headers);
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, "Some(\"ada\")")
    );
    for other in ["Basic YTpi", "Digest a", ""] {
        let mut headers = cross.to_vec();
        headers.push(("Authorization", other));
        assert_eq!(server.ask("POST /order", &headers).status, 403, "{other}");
    }
}

pub fn a_form_token_is_valid_in_its_session_only<A: Adapter>() {
    let stored = ServerSide::new(MemoryStore::new());
    for site in [flask(), Site::of(stored, SessionConfig::development())] {
        let posted = Arc::new(Mutex::new(String::new()));
        let form = Arc::clone(&posted);
        let site = site
            .takes("/form", |session| session.csrf_token().map(text))
            .takes("/in", |session| session.log_in("ada"))
            .takes("/check", move |session| {
                let is_valid = session.verify_csrf_token(&form.lock().unwrap());
                Ok(text(is_valid.to_string()))
            });
        let server = A::serve(site);
        let check = |jar: &str, token: &str| {
            token.clone_into(&mut posted.lock().unwrap());
            server.get("/check", jar).body
        };
        let form = server.get("/form", "");
        let jar = form.pair().unwrap().to_owned();
        assert_eq!(check(&jar, &form.body), "true");
        let again = server.get("/form", &jar);
        assert_eq!(again.pair(), None, "the secret stays");
        assert_ne!(again.body, form.body, "each token has a mask of its own");
        assert_eq!(check(&jar, &again.body), "true");
        let other = server.get("/form", "");
        assert_eq!(check(&jar, &other.body), "false");
        assert_eq!(check("", &form.body), "false");
        assert_eq!(check(&jar, ""), "false");
        let logged_in = server.get("/in", &jar);
        let user = logged_in.pair().unwrap();
        assert_eq!(
            check(user, &form.body),
            "false",
            "a log-in has a new secret"
        );
    }
}
