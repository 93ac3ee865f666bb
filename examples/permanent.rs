//! A permanent session with a lifetime of seven days.
//!
//! The browser keeps the session when it is closed, and every response refreshes it.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use axum::{Router, response::Html, routing::get};
use carafe::{ClientSide, SecretKey, Session, SessionConfig, SessionError, SessionLayer};

async fn index(session: Session) -> Result<Html<&'static str>, SessionError> {
    session.insert("username", "xiaoming")?;
    session.set_permanent(true)?;
    Ok(Html("Hello World!"))
}

async fn username(session: Session) -> Result<Html<String>, SessionError> {
    let name = session.get::<String>("username")?;
    Ok(Html(name.unwrap_or_else(|| "没有用户登录！".to_owned())))
}

async fn delete_user(session: Session) -> Result<Html<String>, SessionError> {
    let name = session.take::<String>("username")?;
    Ok(Html(name.map_or_else(
        || "删除失败！".to_owned(),
        |name| format!("{name}成功删除！"),
    )))
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
    let config = SessionConfig::flask().with_lifetime(Duration::from_secs(7 * 24 * 60 * 60));
    let app = Router::new()
        .route("/", get(index))
        .route("/username/", get(username))
        .route("/delete_user/", get(delete_user))
        .layer(SessionLayer::with_config(ClientSide::signed(key), config)?);

    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
