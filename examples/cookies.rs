//! Sets, gets and deletes cookies and session values.
//!
//! ```text
//! SECRET_KEY=$(cargo run -q --bin carafe -- key) cargo run --example cookies
//! curl -i http://127.0.0.1:5000/set_session
//! ```

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use axum::{Router, response::Html, routing::get};
use carafe::{
    ClientSide, Cookies, SecretKey, Session, SessionConfig, SessionError, SessionLayer, SetCookie,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Info {
    name: String,
    age: u8,
}

async fn set_cookie() -> (SetCookie, SetCookie, Html<&'static str>) {
    let for_the_browser_session = SetCookie::new("username", "xiaoming");
    let for_half_a_minute = SetCookie::new("user", "xiaoming").max_age(Duration::from_secs(30));
    (for_the_browser_session, for_half_a_minute, Html("默认首页"))
}

async fn get_cookie(cookies: Cookies) -> Html<&'static str> {
    let value = |name| cookies.get(name).unwrap_or("None");
    println!("username={},user={}", value("username"), value("user"));
    Html("get cookie")
}

async fn del_cookie() -> (SetCookie, Html<&'static str>) {
    (SetCookie::removal("answer"), Html("Delete cookie"))
}

async fn del_cookie2() -> (SetCookie, SetCookie, Html<&'static str>) {
    let expired = |name| SetCookie::new(name, "").max_age(Duration::ZERO);
    (expired("user"), expired("username"), Html("del cookie"))
}

async fn set_session(session: Session) -> Result<Html<&'static str>, SessionError> {
    session.insert("username", "xiaoming")?;
    session.insert(
        "info",
        &Info {
            name: "xiaohong".to_owned(),
            age: 16,
        },
    )?;
    Ok(Html("set_session"))
}

async fn get_session(session: Session) -> Result<Html<&'static str>, SessionError> {
    match session.get::<String>("username")? {
        Some(username) => println!("{username}"),
        None => println!("None"),
    }
    match session.get::<Info>("info")? {
        Some(Info { name, age }) => println!("{{'age': {age}, 'name': '{name}'}}"),
        None => println!("None"),
    }
    Ok(Html("get session"))
}

async fn del_session(session: Session) -> Result<Html<&'static str>, SessionError> {
    session.remove("username")?;
    session.remove("info")?;
    Ok(Html("del_session"))
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
        .route("/set_cookie", get(set_cookie))
        .route("/get_cookie", get(get_cookie))
        .route("/del_cookie", get(del_cookie))
        .route("/del_cookie2", get(del_cookie2))
        .route("/set_session", get(set_session))
        .route("/get_session", get(get_session))
        .route("/del_session", get(del_session))
        .layer(SessionLayer::with_config(
            ClientSide::signed(key),
            SessionConfig::flask(),
        )?);

    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
