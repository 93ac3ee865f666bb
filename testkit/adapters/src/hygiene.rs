//! Log-ins in browsers: pages that need one, "keep me signed in", and what a log-out deletes.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use carafe_core::{
    session::{
        ClearSiteData, LocalPath, ServerSide, Session, SessionBackend, SessionConfig,
        SessionManager, Transport,
    },
    store::MemoryStore,
    testing::{Clock, TestClient},
};
use futures_util::future::FutureExt;

use crate::{
    Adapter, Handler, Reply, Server, Site,
    site::At,
    stored::stores,
    text,
    tokens::{inside, side},
    via::TOKEN,
};

const DAY: Duration = Duration::from_secs(86_400);

fn stored() -> SessionBackend {
    ServerSide::new(MemoryStore::new()).into()
}

/// Serves a site with pages that require a log-in. Its time is that of `clock`.
fn guarded<A: Adapter>(config: SessionConfig, clock: &Clock) -> (Arc<SessionManager>, Server) {
    let manager = SessionManager::new(stored(), config).unwrap();
    let manager = Arc::new(manager.with_clock(clock.reader()));
    let site = Site {
        manager: Some(Arc::clone(&manager)),
        ..Site::bare()
    };
    let site = site
        .with("/account", Handler::LoggedIn)
        .with("/password", Handler::RecentlyAuthenticated);
    (manager, A::serve(site))
}

/// Returns the `Cookie` or `Authorization` value of a client.
fn header(client: &TestClient) -> (String, String) {
    let (name, value) = client.headers().remove(0);
    (name.to_owned(), value)
}

fn signed_in(manager: &Arc<SessionManager>) -> TestClient {
    let signed_in = TestClient::signed_in(manager, "ada").now_or_never();
    signed_in.expect("the store in memory never waits").unwrap()
}

pub fn a_page_needs_a_log_in_and_a_recent_one_where_asked_for<A: Adapter>() {
    let clock = Clock::new();
    let page = LocalPath::new("/login").unwrap();
    let config = SessionConfig::development().with_login_page(page);
    let (manager, server) = guarded::<A>(config, &clock);
    let (html, script) = (("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Mode", "cors"));

    let visitor = server.ask("GET /account?a=b", &[html]);
    assert_eq!(visitor.status, 303);
    assert_eq!(visitor.all("location"), ["/login?next=/account%3Fa%3Db"]);
    assert_eq!(visitor.all("cache-control"), ["no-store"]);
    assert_eq!(visitor.vary(), ["Cookie"]);
    let posted = server.ask("POST /account", &[html]);
    assert_eq!(posted.all("location"), ["/login"]);
    let scripted = server.ask("GET /account", &[script]);
    assert_eq!((scripted.status, scripted.all("location").len()), (401, 0));

    let (name, value) = header(&signed_in(&manager));
    let cookie = (name.as_str(), value.as_str());
    for path in ["/account", "/password"] {
        let answer = server.ask(&format!("GET {path}"), &[html, cookie]);
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, "ada"),
            "{path}"
        );
        assert_eq!(answer.all("cache-control"), ["no-store"], "{path}");
    }
    clock.advance(Duration::from_secs(5 * 60 + 1));
    assert_eq!(server.ask("GET /account", &[html, cookie]).status, 200);
    let late = server.ask("GET /password", &[html, cookie]);
    assert_eq!(late.all("location"), ["/login?next=/password"]);
    assert_eq!(server.ask("GET /password", &[script, cookie]).status, 401);
}

pub fn a_bearer_client_is_told_why_it_must_log_in<A: Adapter>() {
    let clock = Clock::new();
    let page = LocalPath::new("/login").unwrap();
    let config = SessionConfig::development()
        .with_login_page(page)
        .with_transports([Transport::cookie(), Transport::bearer(TOKEN)]);
    let (manager, server) = guarded::<A>(config, &clock);
    let kind = carafe_core::session::TransportKind::Bearer;
    let (name, value) = header(&signed_in(&manager).over(kind));
    let bearer = (name.as_str(), value.as_str());
    let html = ("Accept", "text/html");
    assert_eq!(server.ask("GET /password", &[bearer, html]).body, "ada");
    clock.advance(Duration::from_secs(600));
    for (path, header, challenge) in [
        (
            "/password",
            bearer,
            r#"Bearer realm="session", error="insufficient_user_authentication", max_age="300""#,
        ),
        (
            "/account",
            ("Authorization", "Bearer abc"),
            r#"Bearer realm="session", error="invalid_token""#,
        ),
    ] {
        let answer = server.ask(&format!("GET {path}"), &[header, html]);
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.all("www-authenticate"), [challenge]);
    }
}

pub fn a_log_out_clears_what_the_configuration_names<A: Adapter>() {
    for backend in [side().into(), stored()] {
        let kinds = [ClearSiteData::Cache, ClearSiteData::Storage];
        let config = SessionConfig::development().with_clear_site_data(kinds);
        let site = Site::of(backend, config)
            .takes("/in", |session| session.log_in("ada"))
            .takes("/clear", Session::clear)
            .takes("/out", Session::log_out)
            .takes("/out_and_flash", |session| {
                session.log_out()?;
                session.flash("info", "bye")
            })
            .takes("/out_and_own", |session| {
                session.log_out()?;
                Ok(Reply {
                    headers: vec![("clear-site-data", "\"cache\"")],
                    ..Reply::default()
                })
            });
        let server = A::serve(site);
        for (path, cleared) in [
            ("/in", &[][..]),
            ("/clear", &[]),
            ("/out", &["\"cache\", \"storage\""]),
            ("/out_and_flash", &[]),
            ("/out_and_own", &["\"cache\""]),
        ] {
            let jar = server.get("/in", "").pair().unwrap().to_owned();
            let answer = server.get(path, &jar);
            assert_eq!(answer.all("clear-site-data"), cleared, "{path}");
        }
    }
}

pub fn a_session_has_a_lifetime_of_its_own_within_the_configured_one<A: Adapter>() {
    for (backend, is_stored) in [(SessionBackend::from(side()), false), (stored(), true)] {
        let clock = Clock::new();
        let config = SessionConfig::development().with_lifetime(10 * DAY);
        let manager = SessionManager::new(backend, config).unwrap();
        let site = Site {
            manager: Some(Arc::new(manager.with_clock(clock.reader()))),
            ..Site::bare()
        };
        let site = site
            .takes("/short", |session| {
                session.log_in("ada")?;
                session.set_lifetime(DAY)?;
                session.set_permanent(false)
            })
            .takes("/long", |session| {
                session.log_in("ada")?;
                session.set_lifetime(1_000 * DAY)
            })
            .takes("/plain", |session| session.log_in("ada"))
            .takes("/", |session| {
                let days = session.lifetime().as_secs() / 86_400;
                let user = session.user().unwrap_or_default();
                Ok(text(format!("{user} {days}")))
            });
        let server = A::serve(site);
        let [short, long, plain] = ["/short", "/long", "/plain"].map(|path| server.get(path, ""));
        assert!(long.set_cookies()[0].contains("Expires="), "{long:?}");
        for temporary in [&short, &plain] {
            assert!(!temporary.set_cookies()[0].contains("Expires="));
        }
        if !is_stored {
            let (payload, _) = inside(short.cookie());
            assert!(payload.contains(r#""_permanent":false"#), "{payload}");
        }
        let seen = |answer: &crate::client::Answer| server.get("/", answer.pair().unwrap()).body;
        assert_eq!(
            [seen(&short), seen(&long), seen(&plain)],
            ["ada 1", "ada 10", "ada 10"]
        );
        clock.advance(DAY + Duration::from_secs(1));
        assert_eq!(
            [seen(&short), seen(&long), seen(&plain)],
            [" 10", "ada 10", "ada 10"]
        );
        clock.advance(10 * DAY);
        assert_eq!([seen(&long), seen(&plain)], [" 10", " 10"]);
    }
}

/// A provider's callback may be called several times, for example by a reload or an attacker.
pub fn a_log_in_at_a_provider_is_finished_by_one_of_twenty_callbacks<A: Adapter>() {
    for store in stores() {
        let state = Arc::new(Mutex::new(String::new()));
        let given = Arc::clone(&state);
        let site = Site::of(ServerSide::shared(store), SessionConfig::development())
            .takes("/begin", |session| {
                let attempt = session.begin_login(LocalPath::or_root("/orders"))?;
                Ok(text(attempt.state()))
            })
            .waits("/callback", move |session| {
                let state = given.lock().unwrap().clone();
                async move {
                    let finished = session.finish_login(&state).await?;
                    let path = finished.map(|attempt| attempt.return_to().to_string());
                    Ok(text(path.unwrap_or_default()))
                }
            });
        let server = A::serve(site);
        let begun = server.get("/begin", "");
        let jar = begun.pair().unwrap();
        begun.body.clone_into(&mut state.lock().unwrap());
        assert_eq!(server.get("/callback", "").body, "", "another browser");
        let at: At = *server;
        let bodies: Vec<_> = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..20)
                .map(|_| scope.spawn(move || at.get("/callback", jar)))
                .collect();
            let answers = asking.into_iter().map(|asking| asking.join().unwrap());
            answers.map(|answer| answer.body).collect()
        });
        let finished = bodies.iter().filter(|body| *body == "/orders").count();
        assert_eq!(finished, 1, "{bodies:?}");
    }
}

pub fn a_log_in_at_a_provider_needs_a_store<A: Adapter>() {
    let site = Site::of(side(), SessionConfig::development()).takes("/begin", |session| {
        let attempt = session.begin_login(LocalPath::or_root("/orders"))?;
        Ok(text(attempt.state()))
    });
    assert_eq!(A::serve(site).get("/begin", "").status, 500);
}
