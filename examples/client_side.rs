//! Client-side sessions. The cookie for `{"username": "萧兮"}` depends on `MODE`:
//!
//! * `MODE=signed` (the default, Flask's format): `eyJ1c2VybmFtZSI6Ilx1ODQyN1x1NTE2ZSJ9.….…`; the
//!   first part is base64 of `{"username":"\u8427\u516e"}`. The client can read the session but not
//!   change it.
//! * `MODE=encrypted`: `AX0x…`. The client can neither read nor change the session. The cookie's
//!   name is `__Host-Http-session`, because nothing is shared with Flask.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use axum::{Router, response::Html, routing::get};
use carafe::{
    ClientSide, Cookies, SecretKey, Session, SessionConfig, SessionError, SessionLayer, SetCookie,
};

async fn index() -> Html<&'static str> {
    Html("cookie和session的设置!")
}

async fn set_cookie() -> (SetCookie, Html<&'static str>) {
    (
        SetCookie::new("user_id", "settings cookie"),
        Html("cookie 设置"),
    )
}

async fn get_cookie(cookies: Cookies) -> Html<&'static str> {
    println!("user_id:  {}", cookies.get("user_id").unwrap_or("None"));
    Html("获取cookie")
}

async fn set_session(session: Session) -> Result<Html<&'static str>, SessionError> {
    session.insert("username", "萧兮")?;
    Ok(Html("session设置成功!"))
}

async fn get_session(session: Session) -> Result<Html<&'static str>, SessionError> {
    println!(
        "username {}",
        session
            .get::<String>("username")?
            .as_deref()
            .unwrap_or("None")
    );
    Ok(Html("session 获取成功!"))
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
    let secret = std::env::var("SECRET_KEY")
        .ok()
        .context("set SECRET_KEY; `carafe key` makes one")?;
    let sessions = match std::env::var("MODE").as_deref() {
        Ok("signed") | Err(_) => SessionLayer::with_config(
            ClientSide::signed(SecretKey::short(secret)?),
            SessionConfig::flask(),
        )?,
        Ok("encrypted") => SessionLayer::new(ClientSide::encrypted(
            SecretKey::new(secret)?,
            "client_side",
        )),
        Ok(other) => bail!("MODE is `signed` or `encrypted`, not {other:?}"),
    };
    let app = Router::new()
        .route("/", get(index))
        .route("/set_cookie", get(set_cookie))
        .route("/get_cookie", get(get_cookie))
        .route("/set_session", get(set_session))
        .route("/get_session", get(get_session))
        .layer(sessions);

    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
