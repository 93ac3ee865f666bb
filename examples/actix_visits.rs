//! A program of the README: counts a visitor's visits, with actix-web.

// [shown]
use actix_web::{App, HttpServer, get};
use anyhow::Context;
use carafe_actix::{
    ClientSide, SecretKey, Session, SessionConfig, SessionError, SessionMiddleware,
};

#[get("/")]
async fn visits(session: Session) -> Result<String, SessionError> {
    let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
    Ok(format!("visit number {visits}\n"))
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt::init();
    let key = std::env::var("SECRET_KEY").context("set SECRET_KEY to that of the Flask app")?;
    let backend = ClientSide::signed(SecretKey::new(key)?);
    let sessions = SessionMiddleware::with_config(backend, SessionConfig::flask())?;
    let app = move || App::new().wrap(sessions.clone()).service(visits);
    Ok(HttpServer::new(app).bind("127.0.0.1:5002")?.run().await?)
}
// [/shown]
