//! The console: the live sessions of a store, for operators.
//!
//! | file | holds |
//! |---|---|
//! | `options` | where it listens, under which path, read-only or not |
//! | `guard` | surrounds every request: by which name it was called, by whose page, which headers go back |
//! | `token`, `tries`, `entry` | the token, how often a wrong one may be tried, coming in and leaving |
//! | `gate`, `operator` | only who has come in passes; no form without its CSRF token |
//! | `watched` | the store with deadlines, and its outages |
//! | `statistics`, `per_user`, `histogram` | numbers from a random sample |
//! | `trend` | how many sessions there were since the start |
//! | `overview`, `list`, `session` | the pages that show |
//! | `revoke`, `end_all` | the pages that end sessions, and the work behind the last of them |
//! | `view`, `style.css`, `console.js` | the HTML, its looks, and the script that brings it up to date |
//!
//! Every page works without the script. Every action is a POST that redirects, behind a page that asks. The console
//! has neither ids nor keys of sessions: stores give it summaries and records, which name a session by its handle.

mod end_all;
mod entry;
mod gate;
mod guard;
mod histogram;
mod list;
mod operator;
mod options;
mod overview;
mod per_user;
mod revoke;
mod session;
mod statistics;
mod token;
mod trend;
mod tries;
mod view;
mod watched;

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderName, header},
    middleware::from_fn_with_state,
    response::Redirect,
    routing::{get, post},
};
use carafe::{ClientSide, CookiePolicy, SecretKey, SessionConfig, SessionLayer};

pub(crate) use self::options::{Base, Options};
use self::{
    end_all::EndAll, statistics::Cached, token::Token, trend::Trend, tries::Tries, watched::Watched,
};
use crate::{
    failure::Failure,
    output,
    stores::{OpenStore, StoreArgs},
    web::ending::told_to_end,
};

/// How long an operator may do nothing.
const IDLE: Duration = Duration::from_secs(30 * 60);

/// What all requests share.
struct Console {
    store: Watched,
    base: Base,
    hosts: Vec<String>,
    read_only: bool,
    token: Token,
    tries: Tries,
    statistics: Cached,
    trend: Trend,
    end_all: EndAll,
}

type Shared = Arc<Console>;

/// Opens the store, listens, says where and with which token, and serves until it is told to end.
pub(crate) fn serve(store: &StoreArgs, options: Options) -> Result<(), Failure> {
    options.check()?;
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::trouble)?;
    runtime.block_on(async {
        let store = store.open().await?;
        can_be_looked_through(&store)?;
        let listener = bind(&options)?;
        let address = listener.local_addr().map_err(Failure::trouble)?;
        let (console, app) = app(store, options, address)?;
        output::line(&console.greeting(address))?;
        tokio::select! {
            served = run(listener, app) => served.map_err(Failure::trouble),
            () = trend::watch(&console) => Ok(()),
            () = told_to_end() => Ok(()),
        }
    })
}

/// Better at start than on every page.
fn can_be_looked_through(store: &OpenStore) -> Result<(), Failure> {
    let sessions = store.sessions();
    match (sessions.inventory(), sessions.users()) {
        (Some(_), Some(_)) => Ok(()),
        _ => Err(Failure::trouble(format_args!(
            "{}: a store of this kind cannot list its sessions, so there is nothing for a console to show",
            store.url()
        ))),
    }
}

fn bind(options: &Options) -> Result<TcpListener, Failure> {
    let address = SocketAddr::new(options.address, options.port);
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => Failure::trouble(format_args!(
            "{address} is taken by another program; choose another port, such as --port 5051, or --port 0 for any free one"
        )),
        _ => Failure::trouble(format_args!("cannot listen on {address}: {error}")),
    })
}

async fn run(listener: TcpListener, app: Router) -> std::io::Result<()> {
    axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
}

/// The operators' own sessions: encrypted cookies under a key that ends with this process. Cookies do not know
/// ports, so the port is in the name: two consoles side by side do not log each other's operators out.
fn sessions(port: u16) -> Result<SessionLayer, Failure> {
    let text = SecretKey::random_text().map_err(Failure::trouble)?;
    let key = SecretKey::new(text.as_bytes()).map_err(Failure::trouble)?;
    let cookie = CookiePolicy::builder(format!("__Host-Http-console-{port}"));
    let config = SessionConfig::default()
        .with_cookie(cookie)
        .with_lifetime(IDLE);
    SessionLayer::with_config(ClientSide::encrypted(key, "carafe console"), config)
        .map_err(Failure::trouble)
}

fn app(
    store: OpenStore,
    options: Options,
    address: SocketAddr,
) -> Result<(Shared, Router), Failure> {
    let console = Arc::new(Console {
        store: Watched::new(store),
        base: options.base,
        hosts: options.hosts,
        read_only: options.read_only,
        token: Token::random().map_err(Failure::trouble)?,
        tries: Tries::default(),
        statistics: Cached::default(),
        trend: Trend::default(),
        end_all: EndAll::default(),
    });
    let app = router(&console).layer(sessions(address.port())?);
    let guarded = app.layer(from_fn_with_state(Arc::clone(&console), guard::guard));
    Ok((Arc::clone(&console), guarded.with_state(console)))
}

fn router(console: &Shared) -> Router<Shared> {
    let at = |path: &str| console.base.href(path);
    let changing = Router::new()
        .route(
            &at("/sessions/{handle}/revoke"),
            get(revoke::ask_one).post(revoke::one),
        )
        .route(
            &at("/revoke-user"),
            get(revoke::ask_user).post(revoke::user),
        )
        .route(&at("/end-all"), get(revoke::ask_all).post(revoke::all))
        .route_layer(from_fn_with_state(Arc::clone(console), gate::writable));
    let showing = Router::new()
        .route(&at("/"), get(overview::page))
        .route(&at("/sessions"), get(list::page))
        .route(&at("/sessions/{handle}"), get(session::page))
        .route(&at("/leave"), post(entry::leave))
        .fallback(gate::nothing_here);
    let inside = showing
        .merge(changing)
        .layer(from_fn_with_state(Arc::clone(console), gate::gate));
    let root = at("/");
    let outside = Router::new()
        .route(&at("/enter"), get(entry::page).post(entry::enter))
        .route(&at("/style.css"), get(style))
        .route(&at("/console.js"), get(script));
    let outside = match console.base.as_str() {
        "" => outside,
        base => outside.route(base, get(async move || Redirect::permanent(&root))),
    };
    outside.merge(inside)
}

async fn style() -> ([(HeaderName, &'static str); 1], &'static str) {
    let css = concat!(include_str!("../web/style.css"), include_str!("style.css"));
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css)
}

async fn script() -> ([(HeaderName, &'static str); 1], &'static str) {
    let kind = "text/javascript; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], include_str!("console.js"))
}

impl Console {
    fn greeting(&self, address: SocketAddr) -> String {
        let entry = self.base.href("/enter");
        let token = self.token.as_str();
        let mode = if self.read_only { ", read-only" } else { "" };
        // Behind `#`, the token is in no request's address and so in no log.
        format!(
            "Carafe's console for {} is at http://{address}{entry}#{token} (Ctrl+C ends it{mode})\nIts token is {token}",
            self.store.url()
        )
    }
}
