//! tower-sessions with its store in memory: an id in the cookie, the session in a table.

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, session::Error};

use crate::content::Login;

pub(crate) fn in_memory() -> Router {
    let untouched = async || StatusCode::OK;
    let layer = SessionManagerLayer::new(MemoryStore::default());
    super::routes(get(login), get(untouched), get(read), get(write)).layer(layer)
}

async fn login(session: Session, Path(browser): Path<u32>) -> StatusCode {
    let Login { csrf, n, name, uid } = Login::of(browser);
    let inserted: Result<(), Error> = async {
        session.insert("csrf", csrf).await?;
        session.insert("n", n).await?;
        session.insert("name", name).await?;
        session.insert("uid", uid).await
    }
    .await;
    status(inserted.map(|()| StatusCode::OK))
}

async fn read(session: Session) -> StatusCode {
    status(session.get("uid").await.map(super::verdict))
}

async fn write(session: Session) -> StatusCode {
    status(counted(&session).await.map(super::verdict))
}

async fn counted(session: &Session) -> Result<Option<u64>, Error> {
    let user = session.get("uid").await?;
    let n: u64 = session.get("n").await?.unwrap_or(0);
    session.insert("n", n + 1).await?;
    Ok(user)
}

fn status(result: Result<StatusCode, Error>) -> StatusCode {
    result.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
