//! The README's first program: a server-side session with a log-in.

// [shown]
use axum::{Router, routing::get, routing::post};
use carafe::{MemoryStore, ServerSide, Session, SessionConfig, SessionError, SessionLayer};

async fn index(session: Session) -> Result<String, SessionError> {
    let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
    let user = session.user();
    Ok(format!("user: {user:?}, visit number {visits}\n"))
}

async fn log_in(session: Session) -> Result<(), SessionError> {
    session.log_in("ada") // after checking the password; the session gets a new id
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt::init();
    let backend = ServerSide::new(MemoryStore::new());
    let sessions = SessionLayer::with_config(backend, SessionConfig::development())?;
    let app = Router::new()
        .route("/", get(index))
        .route("/login", post(log_in))
        .route("/logout", post(async |session: Session| session.log_out()))
        .layer(sessions);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:5003").await?;
    Ok(axum::serve(listener, app).await?)
}
// [/shown]
