//! A WebSocket that writes to the session after its response.
//!
//! Open the page in two tabs: each click is counted in the session, both tabs show the count, and
//! logging out in one tab closes the sockets of both.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use axum::{
    Form, Router,
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use carafe::{MemoryStore, ServerSide, Session, SessionConfig, SessionError, SessionLayer};
use serde::Deserialize;

/// The interval after which a tab shows changes of another tab.
const POLL: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Login {
    name: String,
}

async fn index(session: Session) -> Html<&'static str> {
    Html(match session.user() {
        Some(_) => COUNTER,
        None => LOGIN,
    })
}

async fn login(session: Session, Form(login): Form<Login>) -> Result<Redirect, SessionError> {
    session.log_in(&login.name)?;
    Ok(Redirect::to("/"))
}

async fn logout(session: Session) -> Result<Redirect, SessionError> {
    session.log_out()?;
    Ok(Redirect::to("/"))
}

async fn live(headers: HeaderMap, session: Session, upgrade: WebSocketUpgrade) -> Response {
    if !is_own_page(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    // A socket cannot set a cookie: the session must exist before the upgrade.
    if session.user().is_none() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    upgrade.on_upgrade(async move |mut socket| {
        let (code, reason) = match talk(&session, &mut socket).await {
            Ok(()) => return,
            // Logged out in another tab, revoked by an operator, expired, or replaced by a new
            // log-in.
            Err(SessionError::Gone) => (close_code::POLICY, "the session has ended"),
            Err(error) => {
                eprintln!("{error}");
                (close_code::ERROR, "try again later")
            }
        };
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        // Sending fails if the client has disconnected.
        let _ = socket.send(Message::Close(Some(frame))).await;
    })
}

/// Runs until the client disconnects or the session expires or is revoked.
async fn talk(session: &Session, socket: &mut WebSocket) -> Result<(), SessionError> {
    let mut poll = tokio::time::interval(POLL);
    loop {
        tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) if text == "click" => {
                    session.update("clicks", |n: Option<u64>| n.unwrap_or(0) + 1)?;
                    // Without a commit, the change is lost, because the response was sent long ago.
                    session.commit().await?;
                }
                // The page sends this while it is visible. A timer on the server would keep the
                // session of a forgotten tab alive.
                Some(Ok(Message::Text(text))) if text == "active" => session.keep_alive().await?,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => continue,
            },
            // Loads the changes of other requests, or returns `SessionError::Gone`. `is_alive` only
            // checks the latter.
            _ = poll.tick() => session.reload().await?,
        }
        let clicks = session.get::<u64>("clicks")?.unwrap_or(0);
        if socket.send(clicks.to_string().into()).await.is_err() {
            return Ok(());
        }
    }
}

/// Returns whether the request comes from a page of this origin.
///
/// Browsers let any page open a WebSocket, and send the cookies with it (CWE-1385).
fn is_own_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, host)| text(header::HOST) == Some(host))
}

pub(crate) fn app() -> Result<Router> {
    let store = ServerSide::new(MemoryStore::new());
    // Use `SessionConfig::default()` behind TLS.
    let sessions = SessionLayer::with_config(store, SessionConfig::development())?;
    Ok(Router::new()
        .route("/", get(index))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/live", get(live))
        .layer(sessions))
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
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app()?).await?)
}

const LOGIN: &str = r#"<!doctype html>
<title>Live session</title>
<h1>Live session</h1>
<form method="post" action="/login">
  <input name="name" placeholder="Your name" required autofocus> <button>Log in</button>
</form>
"#;

const COUNTER: &str = r#"<!doctype html>
<title>Live session</title>
<h1>Live session</h1>
<p><button id="click" disabled>Click</button> <output id="clicks">…</output> clicks in this session</p>
<p id="state">connecting</p>
<form method="post" action="/logout"><button>Log out</button></form>
<script>
  const [click, clicks, state] = ["click", "clicks", "state"].map(id => document.getElementById(id));
  function connect() {
    const socket = new WebSocket(`ws://${location.host}/live`);
    const active = setInterval(() => document.hidden || socket.send("active"), 30_000);
    click.onclick = () => socket.send("click");
    socket.onopen = () => { click.disabled = false; state.textContent = "connected"; };
    socket.onmessage = message => clicks.textContent = message.data;
    socket.onclose = ({code, reason}) => {
      clearInterval(active);
      click.disabled = true;
      state.textContent = reason || "disconnected";
      if (code === 1008) state.innerHTML += ': <a href="/">log in again</a>';
      else setTimeout(connect, 2_000);
    };
  }
  connect();
</script>
"#;
