//! The command `carafe console`: the pages of [`carafe_console`] on this machine, behind a token.
//!
//! | file | holds |
//! |---|---|
//! | `options` | the address, the path, and whether the console is read-only |
//! | `door` | what all requests share |
//! | `guard` | the checks of every request (host, origin of a form), and the response headers |
//! | `token`, `tries`, `entry`, `entry_page` | the token, its rate limit, entering and leaving |
//! | `entered`, `operator` | the sessions of operators |
//! | `gate` | rejects requests without an operator |

mod door;
mod entered;
mod entry;
mod entry_page;
mod gate;
mod guard;
mod operator;
mod options;
mod token;
mod tries;

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
use carafe_console::{ConsoleOptions, shared::CONSOLE_STYLE};

use self::door::{Door, Shared};
pub(crate) use self::options::{Base, Options};
use crate::{
    failure::Failure,
    output,
    shutdown::shutdown_signal,
    stores::{OpenStore, StoreArgs},
};

/// The time after which an idle operator is logged out.
const IDLE: Duration = Duration::from_secs(30 * 60);

/// Opens the store, listens, prints the address and the token, and serves until a signal.
pub(crate) fn serve(store: &StoreArgs, options: Options) -> Result<(), Failure> {
    options.check()?;
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::trouble)?;
    runtime.block_on(async {
        let store = store.open().await?;
        check_listing(&store)?;
        let listener = bind(&options)?;
        let address = listener.local_addr().map_err(Failure::trouble)?;
        let door = Arc::new(Door::new(&store, options)?);
        let app = app(&door, &store, address.port())?;
        output::line(&door.greeting(address))?;
        tokio::select! {
            served = run(listener, app) => served.map_err(Failure::trouble),
            () = shutdown_signal() => Ok(()),
        }
    })
}

/// Fails at startup if every page would fail.
fn check_listing(store: &OpenStore) -> Result<(), Failure> {
    let sessions = store.sessions();
    match (sessions.powers().listing(), sessions.powers().users()) {
        (Some(_), Some(_)) => Ok(()),
        _ => Err(Failure::trouble(format_args!(
            "{}: this kind of store cannot list its sessions, which the console needs",
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
            "{address} is in use by another program; choose another port, such as --port 5051, or --port 0 for a free one"
        )),
        _ => Failure::trouble(format_args!("cannot listen on {address}: {error}")),
    })
}

async fn run(listener: TcpListener, app: Router) -> std::io::Result<()> {
    axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
}

/// Returns the layer of the operators' sessions: encrypted cookies under a key that lives as long
/// as the process.
///
/// All ports of a host share their cookies, so the cookie name contains the port: two consoles side
/// by side do not replace each other's cookies.
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

fn app(door: &Shared, store: &OpenStore, port: u16) -> Result<Router, Failure> {
    let url = store.url().clone();
    let options = ConsoleOptions::new()
        .with_access(door.access)
        .with_store_name(door.store_kind, url.to_string())
        .with_public_path(door.base.href("/"))
        .with_redaction(move |text| url.redact(text))
        .with_log_out(post(entry::leave).with_state(Arc::clone(door)));
    let console = carafe_console::router(store.shared(), options)
        .layer(from_fn_with_state(Arc::clone(door), gate::gate));
    let at = |path: &str| door.base.href(path);
    let entrance = Router::new()
        .route(&at("/enter"), get(entry::page).post(entry::enter))
        .route(&at("/enter.js"), get(script))
        .route(&at("/style.css"), get(style));
    let root = at("/");
    let app = match door.base.as_str() {
        "" => entrance.fallback_service(console),
        base => entrance
            .nest_service(&root.clone(), console)
            .route(base, get(async move || Redirect::permanent(&root))),
    };
    let app = app
        .layer(sessions(port)?)
        .layer(from_fn_with_state(Arc::clone(door), guard::guard));
    Ok(app.with_state(Arc::clone(door)))
}

async fn style() -> ([(HeaderName, &'static str); 1], &'static str) {
    let kind = "text/css; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], CONSOLE_STYLE)
}

async fn script() -> ([(HeaderName, &'static str); 1], &'static str) {
    let kind = "text/javascript; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], include_str!("enter.js"))
}
