//! Visits, log-in and log-out with actix-session, which stores its sessions in encrypted cookies.

// [shown]
use actix_session::{Session, SessionMiddleware, storage::CookieSessionStore};
use actix_web::{App, HttpServer, Result, cookie::Key, get};

#[get("/")]
async fn visits(session: Session) -> Result<String> {
    let visits = session.get("visits")?.unwrap_or(0_u64) + 1;
    session.insert("visits", visits)?;
    Ok(format!("visit number {visits}\n"))
}

#[get("/login")]
async fn log_in(session: Session) -> Result<&'static str> {
    session.renew();
    session.insert("user", "ada")?;
    Ok("")
}

#[get("/logout")]
async fn log_out(session: Session) -> &'static str {
    session.purge();
    ""
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let key = Key::generate();
    HttpServer::new(move || {
        let store = CookieSessionStore::default();
        App::new()
            .wrap(SessionMiddleware::new(store, key.clone()))
            .service(visits)
            .service(log_in)
            .service(log_out)
    })
    .bind("127.0.0.1:5001")?
    .run()
    .await
}
// [/shown]
