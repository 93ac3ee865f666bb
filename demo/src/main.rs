//! The demo: one page, three sessions, plain forms, no script.
//!
//! | file | holds |
//! |---|---|
//! | `mode_id`, `mode`, `modes` | the modes of a session: signed, encrypted, server-side |
//! | `key_list` | the keys and their rotation |
//! | `session_file` | the SQLite file of the server-side sessions |
//! | `visit` | all sessions of one request, from `Cookie` to `Set-Cookie` |
//! | `tamper` | changing one character of a cookie, and changing it back |
//! | `race`, `whole_record` | fifty concurrent increments, and the store that loses some of them |
//! | `devices` | the sessions of the user who is logged in |
//! | `reader` | the form that reads a cookie of a Flask application |
//! | `page`, `panel` | what the page and a panel show, as data |
//! | `view` | the HTML |
//! | `state` | what all requests share |
//! | `response` | the page as a response, and the way back to it |
//! | `actions`, `device_actions` | what the forms of the panels and of the list of devices do |
//! | `guard` | headers of every response; rejects forms of other sites |
//!
//! Every action is a POST that redirects, so that a reload does not repeat the action.

mod actions;
mod args;
mod cookie_parts;
mod device_actions;
mod devices;
mod guard;
mod key_list;
mod mode;
mod mode_id;
mod modes;
mod page;
mod panel;
mod race;
mod reader;
mod response;
mod session_file;
mod state;
mod tamper;
mod view;
mod visit;
mod whole_record;

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::Response,
    routing::get,
};
use carafe_console::shared::STYLE;
use carafe_core::clock::Timestamp;
use clap::Parser as _;

use self::{
    key_list::KeyList,
    session_file::SessionFile,
    state::{Demo, Shared},
};
use carafe_program::{failure::Failure, keys, output, shutdown::shutdown_signal};

fn main() -> ExitCode {
    let args = args::Args::parse();
    match serve(&args.listen, args.file.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output::failure(&failure),
    }
}

/// Listens, prints the address, and serves until a signal. Then it removes the private file.
fn serve(listen: &str, file: Option<&Path>) -> Result<(), Failure> {
    let keys = KeyList::new(keys::of_environment()?)?;
    let listener = bind(listen)?;
    let address = listener.local_addr().map_err(Failure::trouble)?;
    let file = SessionFile::open(file)?;
    let served = serve_with(listener, address, keys, &file);
    file.close();
    served
}

fn serve_with(
    listener: TcpListener,
    address: SocketAddr,
    keys: KeyList,
    file: &SessionFile,
) -> Result<(), Failure> {
    let demo = Demo::new(address, keys, file)?;
    output::line(&demo.greeting())?;
    if !demo.is_local {
        output::warning("anyone who reaches this address can create sessions with the demo's key");
    }
    // Multi-threaded, so that the requests of the race run concurrently.
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::trouble)?;
    runtime.block_on(async {
        file.sweep(Timestamp::now())
            .await
            .map_err(Failure::trouble)?;
        tokio::select! {
            served = run(listener, router(demo)) => served.map_err(Failure::trouble),
            () = shutdown_signal() => Ok(()),
        }
    })
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
            "{listen} is in use by another program; choose another port, such as --listen 127.0.0.1:5055, or --listen 127.0.0.1:0 for any free one"
        )),
        ErrorKind::InvalidInput => {
            Failure::usage(format_args!("--listen {listen}: give address and port, such as 127.0.0.1:5000"))
        }
        _ => Failure::trouble(format_args!("cannot listen on {listen}: {error}")),
    })
}

fn router(demo: Demo) -> Router {
    let demo = Arc::new(demo);
    let back = || get(actions::to_the_page);
    Router::new()
        .route("/", get(actions::index))
        .route("/read", back().post(actions::read))
        .route("/race", back().post(actions::race))
        .route("/keys/rotate", back().post(rotate))
        .route("/devices/log-in", back().post(device_actions::log_in))
        .route("/devices/log-out", back().post(device_actions::log_out))
        .route("/devices/revoke", back().post(device_actions::revoke))
        .route(
            "/devices/revoke-others",
            back().post(device_actions::revoke_others),
        )
        .route("/{mode}/{action}", back().post(actions::act))
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

/// `POST /keys/rotate`: a new current key for all later requests. The rotation reads no session:
/// each cookie is reissued when it is next used.
async fn rotate(State(demo): State<Shared>) -> Response {
    match demo.rotate_key(Timestamp::now()) {
        Ok(()) => response::back_to("/#keys", HeaderMap::new()),
        Err(failure) => response::unavailable(&failure.text()),
    }
}

async fn style() -> ([(header::HeaderName, &'static str); 1], String) {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        [STYLE, include_str!("style.css")].concat(),
    )
}
