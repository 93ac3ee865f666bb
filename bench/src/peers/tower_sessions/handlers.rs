// Compiled for each version of tower-sessions; `version` is the crate.

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use version::{Session, SessionManagerLayer, SessionStore, session::Error};

use super::super::{self as peers, Answer};
use crate::content::Login;

pub(super) fn site(store: impl SessionStore + Clone) -> Router {
    let untouched = async || peers::OK;
    let routes = peers::routes(
        get(start),
        get(untouched),
        get(read),
        get(write),
        get(log_in),
    );
    routes.layer(SessionManagerLayer::new(store))
}

async fn start(session: Session, Path(browser): Path<(u32, usize)>) -> Answer {
    let Login { csrf, n, name, uid } = Login::of(browser);
    let inserted = async {
        session.insert("csrf", csrf).await?;
        session.insert("n", n).await?;
        session.insert("name", name).await?;
        session.insert("uid", uid).await
    };
    inserted.await.map_err(failed).and(peers::OK)
}

async fn read(session: Session) -> Answer {
    peers::verdict(session.get("uid").await.map_err(failed)?)
}

async fn write(session: Session) -> Answer {
    peers::verdict(counted(&session).await.map_err(failed)?)
}

async fn counted(session: &Session) -> Result<Option<u64>, Error> {
    let user = session.get("uid").await?;
    let n: u64 = session.get("n").await?.unwrap_or(0);
    session.insert("n", n + 1).await?;
    Ok(user)
}

async fn log_in(session: Session) -> Answer {
    peers::verdict(renewed(&session).await.map_err(failed)?)
}

async fn renewed(session: &Session) -> Result<Option<u64>, Error> {
    let user: Option<u64> = session.get("uid").await?;
    session.cycle_id().await?;
    session.insert("user", user.unwrap_or_default().to_string()).await?;
    Ok(user)
}

pub(super) fn racing(store: impl SessionStore + Clone) -> Router {
    let routes = peers::racing_routes(get(begin), get(count), get(put), get(told));
    routes.layer(SessionManagerLayer::new(store))
}

async fn begin(session: Session) -> Answer {
    let begun = session.insert("n", 0).await;
    begun.map_err(failed).and(peers::OK)
}

async fn count(session: Session) -> Answer {
    let n: Option<u64> = session.get("n").await.map_err(failed)?;
    peers::other_work().await;
    let counted = session.insert("n", n.unwrap_or(0) + 1).await;
    counted.map_err(failed).and(peers::OK)
}

async fn put(session: Session, Path(key): Path<String>) -> Answer {
    let _: Option<u64> = session.get("n").await.map_err(failed)?;
    peers::other_work().await;
    let put = session.insert(&key, 1).await;
    put.map_err(failed).and(peers::OK)
}

async fn told(session: Session) -> Result<String, StatusCode> {
    let n: Option<u64> = session.get("n").await.map_err(failed)?;
    let mut put = 0;
    for number in 0..crate::races::KEYS {
        let value: Option<u64> = session.get(&format!("key{number}")).await.map_err(failed)?;
        put += usize::from(value.is_some());
    }
    Ok(format!("{} {put}", n.unwrap_or(0)))
}

fn failed(_: Error) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}
