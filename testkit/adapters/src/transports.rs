//! Sessions in a cookie, in `Authorization: Bearer` and in a header.

use carafe_core::{
    session::{
        BearerChallenge, ServerSide, Session, SessionBackend, SessionConfig, SessionError,
        Transport, TransportKind,
    },
    store::{ClientKind, MemoryStore},
};

use crate::{
    Adapter, Reply, Server, Site,
    client::Answer,
    text,
    tokens::{flask_cookie, side},
    via::TOKEN,
};

/// The header of the header transport, which follows the bearer transport.
const OWN: &str = "x-own-session";

fn backends() -> [SessionBackend; 2] {
    let stored = ServerSide::new(MemoryStore::new());
    [side().into(), stored.into()]
}

fn all() -> SessionConfig {
    SessionConfig::development().with_transports([
        Transport::cookie(),
        Transport::bearer(TOKEN),
        Transport::header(OWN),
    ])
}

fn site(backend: SessionBackend, config: SessionConfig) -> Site {
    Site::with_transports_of(backend, config)
        .takes("/count", |session| {
            let count = session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1)?;
            Ok(text(count.to_string()))
        })
        .takes("/read", |session| {
            let n = session.get::<u64>("n")?;
            Ok(text(format!("{n:?} {:?}", session.transport())))
        })
        .takes("/out", Session::log_out)
        .waits("/mobile", |session| async move {
            session.set_transport(TransportKind::Bearer)?;
            session.log_in("ada")?;
            session.commit().await?;
            let token = session.token()?;
            Ok(text(token.map_or_else(String::new, |token| {
                token.as_str().to_owned()
            })))
        })
        .takes("/own", |session| {
            session.set_transport(TransportKind::Header)?;
            session.insert("n", &7)
        })
        .takes("/token", |session| {
            Ok(text(format!("{:?}", session.token()?.is_some())))
        })
        .takes("/api", |session| Ok(challenged(session)))
}

/// Returns an API's response, with a challenge (RFC 6750) for a request without a user.
fn challenged(session: &Session) -> Reply {
    if let Some(user) = session.user() {
        return text(user);
    }
    let challenge = BearerChallenge::of(session.rejection().as_ref());
    Reply {
        headers: vec![("www-authenticate", String::leak(challenge.value("shop")))],
        ..Reply::from(challenge.status())
    }
}

fn serve<A: Adapter>(backend: SessionBackend, config: SessionConfig) -> Server {
    A::serve(site(backend, config))
}

fn bearer(server: &Server, path: &str, token: &str) -> Answer {
    let value = format!("Bearer {token}");
    server.ask(&format!("GET {path}"), &[("Authorization", &value)])
}

fn token_of(answer: &Answer) -> &str {
    let [token] = answer.all(TOKEN)[..] else {
        panic!("{answer:?}")
    };
    token
}

/// The client of a bearer token stores the newest token that it gets.
pub fn a_bearer_request_gets_its_token_in_the_response_header_and_never_a_cookie<A: Adapter>() {
    for config in [
        all(),
        all().with_flask_login(carafe_core::session::FlaskLogin::new()),
    ] {
        for backend in backends() {
            let server = serve::<A>(backend, config.clone());
            let mut token = token_of(&server.get("/mobile", "")).to_owned();
            for n in 1..4 {
                let answer = bearer(&server, "/count", &token);
                assert_eq!(answer.body, n.to_string());
                assert!(answer.set_cookies().is_empty(), "{answer:?}");
                assert_eq!(answer.vary(), ["Cookie, Authorization, x-own-session"]);
                if let [newer] = answer.all(TOKEN)[..] {
                    assert_eq!(answer.all("cache-control"), ["no-store"]);
                    newer.clone_into(&mut token);
                }
            }
            assert_eq!(bearer(&server, "/read", &token).body, "Some(3) Bearer");
            let out = bearer(&server, "/out", &token);
            assert_eq!(out.all(TOKEN), [""], "the client forgets the token");
            assert!(out.set_cookies().is_empty());
        }
    }
}

pub fn one_handler_serves_every_transport_of_one_site<A: Adapter>() {
    for backend in backends() {
        let server = serve::<A>(backend, all());
        let cookie = server.get("/count", "");
        assert!(cookie.all(TOKEN).is_empty() && cookie.all(OWN).is_empty());
        let jar = cookie.pair().unwrap();
        assert_eq!(server.get("/read", jar).body, "Some(1) Cookie");
        let own = server.get("/own", "");
        assert!(own.all(TOKEN).is_empty() && own.set_cookies().is_empty());
        let [token] = own.all(OWN)[..] else {
            panic!("{own:?}")
        };
        let read = server.ask("GET /read", &[("X-Own-Session", token)]);
        assert_eq!(read.body, "Some(7) Header");
        // The same token is valid in every transport: the transport is not a part of it.
        assert_eq!(bearer(&server, "/read", token).body, "Some(7) Bearer");
    }
}

/// A merged request could act with one user's token on another user's session.
pub fn a_request_with_two_different_tokens_is_anonymous<A: Adapter>() {
    for backend in backends() {
        let server = serve::<A>(backend, all());
        let jar = server.get("/count", "").pair().unwrap().to_owned();
        let (_, mine) = jar.split_once('=').unwrap();
        let other = server.get("/mobile", "").body;
        let (mine_bearer, other_bearer) = (format!("Bearer {mine}"), format!("Bearer {other}"));
        for (headers, body) in [
            (
                vec![("Cookie", &jar), ("Authorization", &other_bearer)],
                "None Bearer",
            ),
            (
                vec![("Cookie", &jar), ("X-Own-Session", &other)],
                "None Header",
            ),
            (
                vec![("Authorization", &mine_bearer), ("X-Own-Session", &other)],
                "None Bearer",
            ),
            (
                vec![("Cookie", &jar), ("Authorization", &mine_bearer)],
                "Some(1) Bearer",
            ),
        ] {
            let headers: Vec<_> = headers
                .into_iter()
                .map(|(name, value)| (name, value.as_str()))
                .collect();
            let answer = server.ask("GET /read", &headers);
            assert_eq!(answer.body, body, "{headers:?}");
            assert!(answer.set_cookies().is_empty(), "{headers:?}");
            // Values that an anonymous session writes do not reach the cookie.
            let answer = server.ask("GET /count", &headers);
            assert!(answer.set_cookies().is_empty(), "{headers:?}");
        }
        assert_eq!(server.get("/read", &jar).status, 200);
    }
}

pub fn other_authorization_schemes_are_left_alone<A: Adapter>() {
    for backend in backends() {
        let server = serve::<A>(backend, all());
        let jar = server.get("/count", "").pair().unwrap().to_owned();
        for value in [
            "Basic YTpi",
            "Digest username=\"a\"",
            "BearerX abc",
            "DPoP abc",
        ] {
            let headers = [("Cookie", jar.as_str()), ("Authorization", value)];
            let answer = server.ask("GET /read", &headers);
            assert_eq!(answer.body, "Some(1) Cookie", "{value}");
        }
    }
}

pub fn a_malformed_bearer_token_is_an_empty_session_and_a_challenge_where_asked_for<A: Adapter>() {
    for backend in backends() {
        let server = serve::<A>(backend, all());
        for (value, status, challenge) in [
            ("", 401, r#"Bearer realm="shop""#),
            (
                "Bearer",
                401,
                r#"Bearer realm="shop", error="invalid_token""#,
            ),
            (
                "Bearer a b",
                401,
                r#"Bearer realm="shop", error="invalid_token""#,
            ),
            (
                "Bearer unknown",
                401,
                r#"Bearer realm="shop", error="invalid_token""#,
            ),
        ] {
            let headers = [("Authorization", value)];
            let headers = if value.is_empty() { &[][..] } else { &headers };
            let answer = server.ask("GET /read", headers);
            assert_eq!(
                (answer.status, answer.body.split(' ').next()),
                (200, Some("None"))
            );
            assert!(answer.all("www-authenticate").is_empty(), "{value}");
            let answer = server.ask("GET /api", headers);
            assert_eq!(answer.status, status, "{value}");
            assert_eq!(answer.all("www-authenticate"), [challenge], "{value}");
        }
        let token = server.get("/mobile", "").body;
        assert_eq!(bearer(&server, "/api", &token).body, "ada");
        let two = [("Authorization", "Bearer a"), ("X-Own-Session", "b")];
        let answer = server.ask("GET /api", &two);
        assert_eq!(answer.status, 400);
        let invalid = r#"Bearer realm="shop", error="invalid_request""#;
        assert_eq!(answer.all("www-authenticate"), [invalid]);
    }
}

pub fn a_token_for_the_body_is_the_token_of_the_header_and_never_a_cookies<A: Adapter>() {
    let server = serve::<A>(ServerSide::new(MemoryStore::new()).into(), all());
    let answer = server.get("/mobile", "");
    assert_eq!(answer.body, token_of(&answer));
    assert_eq!(bearer(&server, "/token", &answer.body).body, "true");
    let jar = server.get("/count", "").pair().unwrap().to_owned();
    assert_eq!(server.get("/token", &jar).body, "false");
    // A client whose session is in a cookie cannot be moved to another transport.
    assert_eq!(server.get("/mobile", &jar).status, 500);
    assert_eq!(server.get("/read", &jar).body, "Some(1) Cookie");
}

pub fn a_cookie_means_nothing_where_it_is_no_transport<A: Adapter>() {
    let config = || SessionConfig::development().with_transports([Transport::bearer(TOKEN)]);
    for backend in backends() {
        let server = serve::<A>(backend, config());
        let first = server.get("/count", "");
        assert!(first.set_cookies().is_empty());
        assert_eq!(first.vary(), ["Authorization"]);
        let token = token_of(&first);
        let answer = server.get("/read", &format!("session={token}"));
        assert_eq!(answer.body, "None Bearer");
        assert_eq!(bearer(&server, "/read", token).body, "Some(1) Bearer");
    }
}

/// Scripts send every request in the background, and would never get a newer token.
pub fn a_due_token_is_refreshed_by_a_background_request<A: Adapter>() {
    let server = serve::<A>(side().into(), all());
    let old = flask_cookie(r#"{"n":1}"#, 10 * 86_400);
    let value = format!("Bearer {old}");
    let headers = [
        ("Authorization", value.as_str()),
        ("Sec-Fetch-Mode", "cors"),
    ];
    let answer = server.ask("GET /read", &headers);
    assert_ne!(token_of(&answer), old);
}

pub fn a_transport_that_is_not_configured_cannot_be_selected<A: Adapter>() {
    let site = Site::of(side(), SessionConfig::development()).takes("/", |session| {
        let refused = session.set_transport(TransportKind::Bearer);
        assert!(matches!(refused, Err(SessionError::Transport)));
        session.set_transport(TransportKind::Cookie)
    });
    assert_eq!(A::serve(site).get("/", "").status, 200);
}

/// For lists of sessions. The kind stays, whatever the session does later.
pub fn a_session_names_the_kind_of_client_that_began_it<A: Adapter>() {
    let mut site = Site::with_transports_of(ServerSide::new(MemoryStore::new()), all());
    let kinds = [
        ("/cookie", TransportKind::Cookie, ClientKind::Cookie),
        ("/bearer", TransportKind::Bearer, ClientKind::Bearer),
        ("/header", TransportKind::Header, ClientKind::Header),
    ];
    for (path, transport, _) in kinds {
        site = site.waits(path, move |session| async move {
            session.set_transport(transport)?;
            session.insert("n", &1)?;
            session.commit().await?;
            let begun = session.public_id();
            session.log_in("ada")?;
            session.commit().await?;
            assert_eq!(session.public_id(), begun);
            Ok(text(format!("{:?}", begun.and_then(|id| id.client()))))
        });
    }
    let server = A::serve(site);
    for (path, _, client) in kinds {
        assert_eq!(server.get(path, "").body, format!("{:?}", Some(client)));
    }
}
