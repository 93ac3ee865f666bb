//! Log-in and log-out, with actix-web.

use std::process::ExitCode;

use actix_web::{
    App, HttpServer, Responder, get, post,
    web::{Form, Html, Redirect},
};
use anyhow::{Context, Result};
use carafe_actix::{
    ClientSide, SecretKey, Session, SessionConfig, SessionError, SessionMiddleware,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Login {
    username: String,
}

#[get("/")]
async fn index(session: Session) -> Result<Html, SessionError> {
    let name = session.get::<String>("username")?;
    Ok(Html::new(name.map_or_else(
        || "You are not logged in".to_owned(),
        |name| format!("Logged in as {}", escape(&name)),
    )))
}

#[get("/login")]
async fn form() -> Html {
    Html::new(
        r#"<form method="post"><input type="text" name="username"><input type="submit" value="Login"></form>"#,
    )
}

#[post("/login")]
async fn login(session: Session, Form(login): Form<Login>) -> Result<impl Responder, SessionError> {
    session.renew()?;
    session.insert("username", &login.username)?;
    Ok(home())
}

#[get("/logout")]
async fn logout(session: Session) -> Result<impl Responder, SessionError> {
    session.remove("username")?;
    Ok(home())
}

/// 302, like Flask's `redirect`.
fn home() -> impl Responder {
    Redirect::to("/").using_status_code(actix_web::http::StatusCode::FOUND)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

#[actix_web::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let key = SecretKey::short(
        std::env::var("SECRET_KEY")
            .ok()
            .context("set SECRET_KEY; `carafe key` makes one")?,
    )?;
    let sessions = SessionMiddleware::with_config(ClientSide::signed(key), SessionConfig::flask())?;
    let app = move || {
        App::new()
            .wrap(sessions.clone())
            .service((index, form, login, logout))
    };

    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let server = HttpServer::new(app).bind(format!("127.0.0.1:{port}"))?;
    println!("listening on http://{}", server.addrs()[0]);
    Ok(server.run().await?)
}
