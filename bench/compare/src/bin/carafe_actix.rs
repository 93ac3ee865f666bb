//! Visits, log-in and log-out with Carafe and actix-web; the sessions are stored in memory.

// [shown]
use actix_web::{App, HttpServer, get};
use carafe_actix::{MemoryStore, ServerSide, Session, SessionError, SessionMiddleware};

#[get("/")]
async fn visits(session: Session) -> Result<String, SessionError> {
    let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
    Ok(format!("visit number {visits}\n"))
}

#[get("/login")]
async fn log_in(session: Session) -> Result<(), SessionError> {
    session.log_in("ada")
}

#[get("/logout")]
async fn log_out(session: Session) -> Result<(), SessionError> {
    session.log_out()
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let sessions = SessionMiddleware::new(ServerSide::new(MemoryStore::new()));
    let app = move || {
        App::new()
            .wrap(sessions.clone())
            .service((visits, log_in, log_out))
    };
    HttpServer::new(app).bind("127.0.0.1:5001")?.run().await
}
// [/shown]
