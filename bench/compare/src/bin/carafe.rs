//! Visits, log-in and log-out with Carafe, which stores its sessions in memory.

// [shown]
use axum::{Router, routing::get};
use carafe::{MemoryStore, ServerSide, Session, SessionError, SessionLayer};

async fn visits(session: Session) -> Result<String, SessionError> {
    let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
    Ok(format!("visit number {visits}\n"))
}

async fn log_in(session: Session) -> Result<(), SessionError> {
    session.log_in("ada") // a new id, bound to the user
}

async fn log_out(session: Session) -> Result<(), SessionError> {
    session.log_out()
}

fn app() -> Router {
    Router::new()
        .route("/", get(visits))
        .route("/login", get(log_in))
        .route("/logout", get(log_out))
        .layer(SessionLayer::new(ServerSide::new(MemoryStore::new())))
}
// [/shown]

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:5001").await?;
    axum::serve(listener, app()).await
}
