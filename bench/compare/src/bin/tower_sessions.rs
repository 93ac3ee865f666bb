//! Visits, log-in and log-out with tower-sessions, which stores its sessions in memory.

// [shown]
use axum::{Router, http::StatusCode, routing::get};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, session};

fn failed(_: session::Error) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn visits(session: Session) -> Result<String, StatusCode> {
    let visits: Option<u64> = session.get("visits").await.map_err(failed)?;
    let visits = visits.unwrap_or(0) + 1;
    session.insert("visits", visits).await.map_err(failed)?;
    Ok(format!("visit number {visits}\n"))
}

async fn log_in(session: Session) -> Result<(), StatusCode> {
    session.cycle_id().await.map_err(failed)?;
    session.insert("user", "ada").await.map_err(failed)
}

async fn log_out(session: Session) -> Result<(), StatusCode> {
    session.flush().await.map_err(failed)
}

fn app() -> Router {
    Router::new()
        .route("/", get(visits))
        .route("/login", get(log_in))
        .route("/logout", get(log_out))
        .layer(SessionManagerLayer::new(MemoryStore::default()))
}
// [/shown]

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:5001").await?;
    axum::serve(listener, app()).await
}
