//! One API for a single-page application and for a mobile client.
//!
//! The page at `/` keeps its session in a cookie. A mobile client logs in at `/api/token`, stores
//! the token of the response, and sends it as `Authorization: Bearer`. The routes are the same:
//!
//! ```text
//! curl -i -X POST localhost:5000/api/token -H 'Content-Type: application/json' -d '{"user":"ada"}'
//! curl -i localhost:5000/api/me -H 'Authorization: Bearer …'
//! ```

use std::process::ExitCode;

use anyhow::Result;
use axum::{
    Json, Router,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use carafe::{
    BearerChallenge, CsrfLayer, CsrfPolicy, Key, MemoryStore, ServerSide, Session, SessionConfig,
    SessionError, SessionLayer, Transport, TransportKind,
};
use serde::{Deserialize, Serialize};

const NOTES: Key<Vec<String>> = Key::new("notes");

#[derive(Deserialize)]
struct Login {
    user: String,
}

#[derive(Serialize)]
struct Token {
    token: String,
}

#[derive(Serialize)]
struct Me {
    user: String,
    notes: Vec<String>,
}

/// Logs in a browser: the session is in a cookie, which scripts cannot read.
async fn login(session: Session, Json(login): Json<Login>) -> Result<StatusCode, SessionError> {
    session.log_in(&login.user)?;
    Ok(StatusCode::NO_CONTENT)
}

// [shown]
/// Returns the session layer: browsers use a cookie, other clients a bearer token.
fn sessions() -> Result<SessionLayer> {
    let config = SessionConfig::development()
        .with_transports([Transport::cookie(), Transport::bearer("x-session-token")]);
    let side = ServerSide::new(MemoryStore::new());
    Ok(SessionLayer::with_config(side, config)?)
}

/// Logs in a client that stores its token itself.
async fn token(session: Session, Json(login): Json<Login>) -> Result<Response, SessionError> {
    session.set_transport(TransportKind::Bearer)?;
    session.log_in(&login.user)?;
    session.commit().await?;
    let token = session.token()?.map(|token| token.as_str().to_owned());
    Ok(match token {
        Some(token) => Json(Token { token }).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    })
}

/// Serves both clients.
async fn me(session: Session) -> Result<Response, SessionError> {
    let Some(user) = session.user() else {
        let challenge = BearerChallenge::of(session.rejection().as_ref());
        return Ok(challenge.response("notes").into_response());
    };
    let notes = session.get(NOTES)?.unwrap_or_default();
    Ok(Json(Me { user, notes }).into_response())
}
// [/shown]

async fn note(session: Session, Json(note): Json<String>) -> Result<StatusCode, SessionError> {
    if session.user().is_none() {
        return Ok(StatusCode::UNAUTHORIZED);
    }
    session.update(NOTES, move |notes| {
        let mut notes = notes.unwrap_or_default();
        notes.push(note.clone());
        notes
    })?;
    Ok(StatusCode::NO_CONTENT)
}

async fn logout(session: Session) -> Result<StatusCode, SessionError> {
    session.log_out()?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns the application.
pub(crate) fn app() -> Result<Router> {
    Ok(Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/api/login", post(login))
        .route("/api/token", post(token))
        .route("/api/me", get(me))
        .route("/api/notes", post(note))
        .route("/api/logout", post(logout))
        // Inside the session layer, so that requests with a bearer token are not checked.
        .layer(CsrfLayer::new(CsrfPolicy::new()))
        .layer(sessions()?))
}

const PAGE: &str = r#"<!doctype html>
<title>Notes</title>
<p><input id="text"> <button id="login">Log in</button> <button id="add">Add</button>
<button id="logout">Log out</button>
<pre id="me"></pre>
<script>
const field = document.getElementById("text");
async function send(path, body) {
  await fetch(path, {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify(body),
  });
  await show();
}
async function show() {
  const answer = await fetch("/api/me");
  const shown = answer.ok ? await answer.json() : {user: null, notes: []};
  document.getElementById("me").textContent = JSON.stringify(shown);
}
document.getElementById("login").onclick = () => send("/api/login", {user: field.value});
document.getElementById("add").onclick = () => send("/api/notes", field.value);
document.getElementById("logout").onclick = () => send("/api/logout", null);
show();
</script>
"#;

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
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app()?).await?)
}
