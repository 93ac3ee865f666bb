//! The README's program: count a visitor's visits in a session that a Flask application can read too.

// [shown]
use axum::{Router, routing::get};
use carafe::{ClientSide, SecretKey, Session, SessionConfig, SessionError, SessionLayer};

async fn visits(session: Session) -> Result<String, SessionError> {
    let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
    Ok(format!("visit number {visits}\n"))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let key = SecretKey::new(std::env::var("SECRET_KEY")?)?; // the one of your Flask application
    let sessions = SessionLayer::with_config(ClientSide::signed(key), SessionConfig::flask())?;
    let app = Router::new().route("/", get(visits)).layer(sessions);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:5001").await?;
    Ok(axum::serve(listener, app).await?)
}
// [/shown]
