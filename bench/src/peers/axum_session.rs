//! axum_session with its defaults: an id in a cookie, the session in memory, no database.
//!
//! By default it uses a second cookie, which each response removes again.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use axum::{Router, extract::Path, routing::get};
use axum_session::{SessionConfig, SessionLayer, SessionNullPool, SessionStore};

use super::{self as peers, Answer};
use crate::content::Login;

type Session = axum_session::Session<SessionNullPool>;

/// Creates the site. Must be called in a runtime, because the layer starts a task.
pub(crate) fn in_memory() -> Router {
    let store = pin!(SessionStore::new(None, SessionConfig::default()));
    let Poll::Ready(Ok(store)) = store.poll(&mut Context::from_waker(Waker::noop())) else {
        unreachable!("without a database there is nothing to wait for");
    };
    let untouched = async || peers::OK;
    let routes = peers::routes(
        get(start),
        get(untouched),
        get(read),
        get(write),
        get(log_in),
    );
    routes.layer(SessionLayer::<SessionNullPool>::new(store))
}

async fn start(session: Session, Path(browser): Path<(u32, usize)>) -> Answer {
    let Login { csrf, n, name, uid } = Login::of(browser);
    session.set("csrf", csrf);
    session.set("n", n);
    session.set("name", name);
    session.set("uid", uid);
    peers::OK
}

async fn read(session: Session) -> Answer {
    peers::verdict(session.get("uid"))
}

async fn write(session: Session) -> Answer {
    let user = session.get("uid");
    let n: u64 = session.get("n").unwrap_or(0);
    session.set("n", n + 1);
    peers::verdict(user)
}

async fn log_in(session: Session) -> Answer {
    let user: Option<u64> = session.get("uid");
    session.renew();
    session.set("user", user.unwrap_or_default().to_string());
    peers::verdict(user)
}
