//! The demo: one page, three sessions, plain forms and no script.
//!
//! | file | holds |
//! |---|---|
//! | `mode_id`, `mode`, `modes` | the three modes to carry a session: signed, encrypted, server-side |
//! | `key_list` | the keys, and a new one |
//! | `session_file` | the SQLite file of the server-side sessions |
//! | `visit` | all sessions of one request, from `Cookie` to `Set-Cookie` |
//! | `actions` | what the forms of the panels do |
//! | `tamper` | changing one character of a cookie, and changing it back |
//! | `race`, `whole_record` | fifty increments at once, and the store that loses some of them |
//! | `devices` | logging in, the sessions of a user, revoking them |
//! | `reader` | the form that reads a cookie of a Flask application |
//! | `guard` | headers of every response; no forms from other sites |
//! | `page`, `panel` | what the page and a panel show, as data |
//! | `view` | the HTML |
//!
//! Every action is a POST that redirects, so that reloading repeats nothing.

mod actions;
mod args;
mod cookie_parts;
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
mod session_file;
mod tamper;
mod view;
mod visit;
mod whole_record;

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::ExitCode,
    sync::{Arc, PoisonError, RwLock},
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
    mode_id::ModeId,
    modes::Modes,
    race::Race,
    session_file::{Place, SessionFile},
};
use carafe_program::{failure::Failure, keys, output, shutdown::shutdown_signal};

/// The state that all requests share.
struct Demo {
    address: String,
    /// Whether only programs on this machine reach it.
    is_local: bool,
    place: Place,
    race: Race,
    // A plain lock, never held across an await: readers copy a pointer, and a rotation, which is
    // rare, makes its key inside, so that of two at once neither is lost.
    modes: RwLock<Arc<Modes>>,
}

type Shared = Arc<Demo>;

fn main() -> ExitCode {
    let args = args::Args::parse();
    match serve(&args.listen, args.file.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output::failure(&failure),
    }
}

/// Listens, says where, and serves until it is told to end; then the private file is removed.
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
        output::warning("whoever reaches this address can make sessions with the demo's key");
    }
    // Several threads: the requests of the race run at once.
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
    let back = || get(actions::to_the_page);
    Router::new()
        .route("/", get(actions::index))
        .route("/read", back().post(actions::read))
        .route("/race", back().post(race::run))
        .route("/keys/rotate", back().post(rotate))
        .route("/devices/log-in", back().post(devices::log_in))
        .route("/devices/log-out", back().post(devices::log_out))
        .route("/devices/revoke", back().post(devices::revoke))
        .route(
            "/devices/revoke-others",
            back().post(devices::revoke_others),
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

/// `POST /keys/rotate`: a new current key, from the next request on. No session is looked at; each
/// cookie is written again when it is next used.
async fn rotate(State(demo): State<Shared>) -> Response {
    match demo.rotate_key(Timestamp::now()) {
        Ok(()) => page::back_to("/#keys", HeaderMap::new()),
        Err(failure) => page::unavailable(&failure.text()),
    }
}

async fn style() -> ([(header::HeaderName, &'static str); 1], String) {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        [STYLE, include_str!("style.css")].concat(),
    )
}

impl Demo {
    fn new(address: SocketAddr, keys: KeyList, file: &SessionFile) -> Result<Self, Failure> {
        let modes = Modes::new(keys, file.store.clone())?;
        let visitors = Arc::clone(&modes.mode(ModeId::Stored).manager);
        Ok(Self {
            address: format!("http://{address}"),
            is_local: address.ip().is_loopback(),
            place: file.place(),
            race: Race::new(visitors, file.store.clone())?,
            modes: RwLock::new(Arc::new(modes)),
        })
    }

    fn greeting(&self) -> String {
        let Place { path, is_private } = &self.place;
        let fate = if *is_private {
            "removed at the end"
        } else {
            "kept at the end"
        };
        format!(
            "Carafe's demo is at {} (Ctrl+C ends it)\nIts server-side sessions are in {path} ({fate})",
            self.address
        )
    }

    /// The modes as they are now; a request asks once.
    fn modes(&self) -> Arc<Modes> {
        // The pointer is replaced at the very end of a rotation, so a panic has left nothing half
        // done.
        Arc::clone(&self.modes.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn rotate_key(&self, now: Timestamp) -> Result<(), Failure> {
        let mut modes = self.modes.write().unwrap_or_else(PoisonError::into_inner);
        *modes = Arc::new(modes.rotated(now)?);
        Ok(())
    }
}
