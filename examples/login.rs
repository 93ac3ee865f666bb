//! Log-in and log-out.

use std::process::ExitCode;

use anyhow::{Context, Result};
use axum::{
    Form, Router,
    http::{StatusCode, header},
    response::{Html, IntoResponse},
    routing::get,
};
use carafe::{ClientSide, SecretKey, Session, SessionConfig, SessionError, SessionLayer};
use serde::Deserialize;

#[derive(Deserialize)]
struct Login {
    username: String,
}

async fn index(session: Session) -> Result<Html<String>, SessionError> {
    let name = session.get::<String>("username")?;
    Ok(Html(name.map_or_else(
        || "You are not logged in".to_owned(),
        |name| format!("Logged in as {}", escape(&name)),
    )))
}

async fn form() -> Html<&'static str> {
    Html(
        r#"<form method="post"><input type="text" name="username"><input type="submit" value="Login"></form>"#,
    )
}

async fn login(
    session: Session,
    Form(login): Form<Login>,
) -> Result<impl IntoResponse, SessionError> {
    session.renew()?;
    session.insert("username", &login.username)?;
    Ok(redirect("/"))
}

async fn logout(session: Session) -> Result<impl IntoResponse, SessionError> {
    session.remove("username")?;
    Ok(redirect("/"))
}

/// 302, like Flask's `redirect`.
fn redirect(to: &'static str) -> impl IntoResponse {
    (StatusCode::FOUND, [(header::LOCATION, to)])
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

#[tokio::main]
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
    let app = Router::new()
        .route("/", get(index))
        .route("/login", get(form).post(login))
        .route("/logout", get(logout))
        .layer(SessionLayer::with_config(
            ClientSide::signed(key),
            SessionConfig::flask(),
        )?);

    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
