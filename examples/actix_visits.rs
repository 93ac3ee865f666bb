//! The README's program under actix-web: count a visitor's visits.

// [shown]
use actix_web::{App, HttpServer, get};
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
    let key = SecretKey::new(std::env::var("SECRET_KEY")?)?; // the one of your Flask application
    let sessions = SessionMiddleware::with_config(ClientSide::signed(key), SessionConfig::flask())?;
    let app = move || App::new().wrap(sessions.clone()).service(visits);
    Ok(HttpServer::new(app).bind("127.0.0.1:5002")?.run().await?)
}
// [/shown]
