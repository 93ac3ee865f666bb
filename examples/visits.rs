//! A program of the README: counts a visitor's visits in a session that Flask can read too.

// [shown]
use anyhow::Context;
use axum::{Router, routing::get};
use carafe::{ClientSide, SecretKey, Session, SessionConfig, SessionError, SessionLayer};

async fn visits(session: Session) -> Result<String, SessionError> {
    let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
    Ok(format!("visit number {visits}\n"))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt::init();
    let key = std::env::var("SECRET_KEY").context("set SECRET_KEY to that of the Flask app")?;
    let backend = ClientSide::signed(SecretKey::new(key)?);
    let sessions = SessionLayer::with_config(backend, SessionConfig::flask())?;
    let app = Router::new().route("/", get(visits)).layer(sessions);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:5001").await?;
    Ok(axum::serve(listener, app).await?)
}
// [/shown]
