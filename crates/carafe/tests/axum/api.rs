//! Tests of `examples/api.rs` with a browser's and a mobile client's requests, and of cross-site
//! requests in Chromium.

#[allow(dead_code, reason = "the example's own main")]
#[path = "../../../../examples/api.rs"]
mod example;

use axum::{
    Router,
    extract::Path,
    response::Html,
    routing::{any, get},
};
use carafe::{
    CsrfLayer, CsrfPolicy, MemoryStore, ServerSide, Session, SessionConfig, SessionError,
    SessionLayer,
};
use carafe_test_adapters::{client::Answer, site::At};
use carafe_test_browser::Chromium;
use http::HeaderMap;
use tokio::{net::TcpListener, runtime::Runtime};

const JSON: (&str, &str) = ("Content-Type", "application/json");

struct Served {
    at: At,
    _runtime: Runtime,
}

impl Served {
    fn start(app: Router) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let at = At::new(listener.local_addr().unwrap());
        runtime.spawn(async { axum::serve(listener, app).await });
        Self {
            at,
            _runtime: runtime,
        }
    }

    fn ask(&self, line: &str, header: (&str, &str), body: &str) -> Answer {
        self.at.ask_with(line, &[JSON, header], body)
    }
}

const NONE: (&str, &str) = ("Accept", "*/*");

#[test]
fn a_page_and_a_mobile_client_use_the_same_routes() {
    let served = Served::start(example::app().unwrap());
    let login = served.ask("POST /api/login", NONE, r#"{"user":"ada"}"#);
    let jar = login.pair().unwrap();
    assert!(login.all("x-session-token").is_empty());

    let token = served.ask("POST /api/token", NONE, r#"{"user":"bob"}"#);
    assert!(token.set_cookies().is_empty());
    let [sent] = token.all("x-session-token")[..] else {
        panic!("{token:?}")
    };
    assert_eq!(token.body, format!(r#"{{"token":"{sent}"}}"#));
    let bearer = format!("Bearer {sent}");

    for (header, user) in [
        (("Cookie", jar), "ada"),
        (("Authorization", bearer.as_str()), "bob"),
    ] {
        let note = served.ask("POST /api/notes", header, r#""milk""#);
        assert_eq!(note.status, 204, "{user}");
        let me = served.ask("GET /api/me", header, "");
        assert_eq!(me.body, format!(r#"{{"user":"{user}","notes":["milk"]}}"#));
        assert_eq!(me.vary(), ["Cookie, Authorization"]);
        assert_eq!(served.ask("POST /api/logout", header, "").status, 204);
        assert_eq!(served.ask("GET /api/me", header, "").status, 401, "{user}");
    }
    let strange = served.ask("GET /api/me", ("Authorization", "Bearer ?"), "");
    let invalid = r#"Bearer realm="notes", error="invalid_token""#;
    assert_eq!(strange.all("www-authenticate"), [invalid]);
    assert_eq!(strange.all("cache-control"), ["no-store"]);
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn a_page_logs_in_writes_and_logs_out_in_chromium() {
    let served = Served::start(example::app().unwrap());
    let chromium = Chromium::start();
    let ada = chromium.visitor();
    ada.open(&format!("http://{}/", served.at.address));
    let shown = |text: &str| {
        let wanted = format!("document.getElementById('me').textContent === '{text}'");
        ada.wait_until(&wanted);
    };
    shown(r#"{"user":null,"notes":[]}"#);
    ada.fill("#text", "ada");
    ada.click("#login");
    shown(r#"{"user":"ada","notes":[]}"#);
    let cookie = ada.cookie("session").unwrap();
    assert!(cookie.http_only);
    ada.fill("#text", "milk");
    ada.click("#add");
    shown(r#"{"user":"ada","notes":["milk"]}"#);
    // The same page with its own token and without its cookie.
    let mobile = ada.resolve(
        "(async () => {
            const json = {'Content-Type': 'application/json'};
            const options = {credentials: 'omit', method: 'POST', headers: json};
            const login = await fetch('/api/token', {...options, body: '{\"user\":\"bob\"}'});
            const {token} = await login.json();
            const headers = {Authorization: 'Bearer ' + token};
            const me = await fetch('/api/me', {credentials: 'omit', headers});
            return (await me.json()).user;
        })()",
    );
    assert_eq!(mobile, "bob");
    ada.click("#logout");
    shown(r#"{"user":null,"notes":[]}"#);
    assert!(ada.cookie("session").is_none());
}

/// Returns a site whose cookie browsers send with a cross-site POST, and pages that attack the
/// site.
///
/// Chromium sends a cookie without `SameSite` with such a request for two minutes.
fn attacked() -> Router {
    let order = async |session: Session, headers: HeaderMap| {
        session.insert("ordered", &true)?;
        let site = headers.get("sec-fetch-site");
        let site = site.map_or("none sent", |site| site.to_str().unwrap());
        Ok::<_, SessionError>(Html(format!("<p id=done>ordered, {site}</p>")))
    };
    let state = async |session: Session| {
        let ordered = session.get::<bool>("ordered")?.unwrap_or(false);
        let user = session.user().unwrap_or_default();
        Ok::<_, SessionError>(Html(format!("<p id=state>{user} {ordered}</p>")))
    };
    let login = async |session: Session| session.log_in("ada");
    let page = async |Path(target): Path<String>| {
        Html(format!(
            "<form method=post action='http://{target}/order'><button>Order</button></form>"
        ))
    };
    let side = ServerSide::new(MemoryStore::new());
    let sessions = SessionLayer::with_config(side, SessionConfig::flask()).unwrap();
    Router::new()
        .route("/order", any(order))
        .route("/state", get(state))
        .route("/login", get(login))
        .layer(CsrfLayer::new(CsrfPolicy::new()))
        .layer(sessions)
        .route("/form/{target}", get(page))
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn chromium_cannot_be_made_to_post_across_sites() {
    let served = Served::start(attacked());
    let port = served.at.address.port();
    let names = format!("--host-resolver-rules=MAP *.example 127.0.0.1:{port}");
    // Chromium only sends Fetch Metadata to trustworthy origins. For other origins, `Origin`
    // decides.
    let trusted = "--unsafely-treat-insecure-origin-as-secure=http://safe.example";
    let chromium = Chromium::start_with(&[&names, trusted]);
    for (shop, fetch_site) in [
        ("shop.example", "none sent"),
        ("safe.example", "same-origin"),
    ] {
        let own = format!("http://{shop}");
        // Another site, and a sibling domain, to which `SameSite` does not apply.
        for attacker in ["evil.example", &format!("evil.{shop}")] {
            let ada = chromium.visitor();
            ada.open(&format!("{own}/login"));
            ada.open(&format!("http://{attacker}/form/{shop}"));
            ada.submit("button");
            // Chromium's own page for a response without a body.
            let shown = ada.text("body");
            assert!(shown.contains("HTTP ERROR 403"), "{attacker}: {shown}");
            ada.open(&format!("{own}/state"));
            assert_eq!(ada.text("#state"), "ada false", "{attacker}");
        }
        let ada = chromium.visitor();
        ada.open(&format!("{own}/login"));
        ada.open(&format!("{own}/form/{shop}"));
        ada.submit("button");
        assert_eq!(ada.text("#done"), format!("ordered, {fetch_site}"));
        ada.open(&format!("{own}/state"));
        assert_eq!(ada.text("#state"), "ada true");
    }
}
