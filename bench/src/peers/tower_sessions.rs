//! tower-sessions with its store in memory: an id in the cookie, the session in a table.

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, session::Error};

use super::Answer;
use crate::content::Login;

pub(crate) fn in_memory() -> Router {
    let untouched = async || super::OK;
    let layer = SessionManagerLayer::new(MemoryStore::default());
    super::routes(get(login), get(untouched), get(read), get(write)).layer(layer)
}

async fn login(session: Session, Path(browser): Path<u32>) -> Answer {
    let Login { csrf, n, name, uid } = Login::of(browser);
    let inserted = async {
        session.insert("csrf", csrf).await?;
        session.insert("n", n).await?;
        session.insert("name", name).await?;
        session.insert("uid", uid).await
    };
    inserted.await.map_err(failed).and(super::OK)
}

async fn read(session: Session) -> Answer {
    super::verdict(session.get("uid").await.map_err(failed)?)
}

async fn write(session: Session) -> Answer {
    super::verdict(counted(&session).await.map_err(failed)?)
}

async fn counted(session: &Session) -> Result<Option<u64>, Error> {
    let user = session.get("uid").await?;
    let n: u64 = session.get("n").await?.unwrap_or(0);
    session.insert("n", n + 1).await?;
    Ok(user)
}

fn failed(_: Error) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}
