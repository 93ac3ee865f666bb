//! Routes in nested routers, like Flask's blueprints, and a lifetime that changes at run time.

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::{Router, extract::State, response::Html, routing::get};
use carafe::{
    ClientSide, Cookies, SecretKey, Session, SessionConfig, SessionError, SessionLayer,
    SessionManager, SetCookie,
};

async fn set_cookie() -> (SetCookie, Html<&'static str>) {
    (
        SetCookie::new("test1", "123").max_age(Duration::from_secs(20)),
        Html("<h1>set cookie!</h1>"),
    )
}

async fn get_cookie(cookies: Cookies) -> Html<String> {
    println!("{}", cookies.get("test1").unwrap_or("None"));
    let all: Vec<_> = cookies
        .iter()
        .map(|(name, value)| format!("('{name}', '{value}')"))
        .collect();
    Html(format!("ImmutableMultiDict([{}])", all.join(", ")))
}

async fn del_cookie() -> (SetCookie, Html<&'static str>) {
    (SetCookie::removal("test1"), Html("<h1>del cookie!</h1>"))
}

async fn set_session(
    State(sessions): State<Arc<SessionManager>>,
    session: Session,
) -> Result<Html<&'static str>, SessionError> {
    session.insert("test2", "234")?;
    sessions.set_lifetime(Duration::from_secs(10));
    session.set_permanent(false)?;
    Ok(Html("<h1> set session </h1>"))
}

async fn get_session(session: Session) -> Result<Html<String>, SessionError> {
    Ok(Html(
        session
            .get::<String>("test2")?
            .unwrap_or_else(|| "None".to_owned()),
    ))
}

async fn del_session(session: Session) -> Result<Html<&'static str>, SessionError> {
    session.clear()?;
    Ok(Html("<h1> del session </h1>"))
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
    let config = SessionConfig::flask().with_lifetime(Duration::from_secs(20));
    let sessions = SessionLayer::with_config(ClientSide::signed(key), config)?;

    let cookie_routes = Router::new()
        .route("/set", get(set_cookie))
        .route("/get", get(get_cookie))
        .route("/del", get(del_cookie));
    let session_routes = Router::new()
        .route("/set", get(set_session))
        .route("/get", get(get_session))
        .route("/del", get(del_session));
    let app = Router::new()
        .nest("/cookie", cookie_routes)
        .nest("/session", session_routes)
        .with_state(Arc::clone(sessions.manager()))
        .layer(sessions);

    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
