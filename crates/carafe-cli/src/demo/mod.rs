//! The demo: one page, two sessions, plain forms and no script.
//!
//! | file | holds |
//! |---|---|
//! | `way` | the two ways to carry a session, signed and encrypted |
//! | `visit` | both sessions of one request, from `Cookie` to `Set-Cookie` |
//! | `actions` | what the forms do |
//! | `tamper` | changing one character of a cookie, and changing it back |
//! | `reader` | the form that reads a cookie of a Flask application |
//! | `guard` | headers of every response; no forms from other sites |
//! | `panel` | what a panel shows, as data |
//! | `view` | the HTML |
//!
//! Every action is a POST that redirects, so that reloading repeats nothing.

mod actions;
mod cookie_parts;
mod guard;
mod panel;
mod reader;
mod tamper;
mod view;
mod visit;
mod way;

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use axum::{
    Router,
    http::{StatusCode, header},
    middleware,
    routing::{get, post},
};

use self::way::Way;
use crate::{failure::Failure, keys, output};

/// What all requests share.
struct Demo {
    address: String,
    /// Whether only programs on this machine reach it.
    is_local: bool,
    signed: Way,
    encrypted: Way,
}

type Shared = Arc<Demo>;

/// Listens, says where, and serves until the process ends.
pub(crate) fn serve(listen: &str) -> Result<(), Failure> {
    let keys = keys::of_environment()?.map_or_else(way::random_keys, Ok)?;
    let listener = bind(listen)?;
    let address = listener.local_addr().map_err(Failure::trouble)?;
    let demo = Demo::new(address, keys)?;
    output::line(&format!(
        "Carafe's demo is at {} (Ctrl+C ends it)",
        demo.address
    ))?;
    if !demo.is_local {
        output::warning("whoever reaches this address can make sessions with the demo's key");
    }
    // One thread: there is one person to serve.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build();
    let runtime = runtime.map_err(Failure::trouble)?;
    runtime
        .block_on(run(listener, router(demo)))
        .map_err(Failure::trouble)
}

async fn run(listener: TcpListener, app: Router) -> std::io::Result<()> {
    axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
}

fn bind(listen: &str) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(listen).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => Failure::trouble(format_args!(
            "{listen} is taken by another program; choose another port, such as --listen 127.0.0.1:5055, or --listen 127.0.0.1:0 for any free one"
        )),
        ErrorKind::InvalidInput => {
            Failure::usage(format_args!("--listen {listen}: give address and port, such as 127.0.0.1:5000"))
        }
        _ => Failure::trouble(format_args!("cannot listen on {listen}: {error}")),
    })
}

fn router(demo: Demo) -> Router {
    let demo = Arc::new(demo);
    Router::new()
        .route("/", get(actions::index))
        .route("/read", post(actions::read).get(actions::to_the_page))
        .route(
            "/{way}/{action}",
            post(actions::act).get(actions::to_the_page),
        )
        .route("/style.css", get(style))
        .fallback(async || {
            (
                StatusCode::NOT_FOUND,
                "There is nothing here. The demo is at /\n",
            )
        })
        .layer(middleware::from_fn_with_state(
            Arc::clone(&demo),
            guard::guard,
        ))
        .with_state(demo)
}

async fn style() -> ([(header::HeaderName, &'static str); 1], &'static str) {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("style.css"),
    )
}

impl Demo {
    fn new(address: SocketAddr, keys: carafe_core::key::KeyRing) -> Result<Self, Failure> {
        Ok(Self {
            address: format!("http://{address}"),
            is_local: address.ip().is_loopback(),
            signed: Way::signed(keys.clone())?,
            encrypted: Way::encrypted(keys)?,
        })
    }

    fn ways(&self) -> [&Way; 2] {
        [&self.signed, &self.encrypted]
    }
}
