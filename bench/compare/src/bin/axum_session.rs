//! Visits, log-in and log-out with axum_session, which stores its sessions in memory.

// [shown]
use axum::{Router, routing::get};
use axum_session::{SessionConfig, SessionError, SessionLayer, SessionNullPool, SessionStore};

type Session = axum_session::Session<SessionNullPool>;

async fn visits(session: Session) -> String {
    let visits = session.get("visits").unwrap_or(0_u64) + 1;
    session.set("visits", visits);
    format!("visit number {visits}\n")
}

async fn log_in(session: Session) {
    session.renew();
    session.set("user", "ada");
}

async fn log_out(session: Session) {
    session.destroy();
}

async fn app() -> Result<Router, SessionError> {
    let store = SessionStore::new(None, SessionConfig::default()).await?;
    Ok(Router::new()
        .route("/", get(visits))
        .route("/login", get(log_in))
        .route("/logout", get(log_out))
        .layer(SessionLayer::<SessionNullPool>::new(store)))
}
// [/shown]

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:5001").await?;
    Ok(axum::serve(listener, app().await?).await?)
}
