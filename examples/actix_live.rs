//! Server-sent events that write to the session after the response's head was sent, with actix-web.
//!
//! Open the page in two tabs: each tab adds the time that it is open, and logging out in one tab
//! closes the streams of both.

use std::{process::ExitCode, time::Duration};

use actix_web::{
    App, HttpResponse, HttpServer, Responder, get,
    http::header::CACHE_CONTROL,
    post,
    web::{Bytes, Form, Html, Redirect, ServiceConfig},
};
use anyhow::Result;
use carafe_actix::{
    MemoryStore, ServerSide, Session, SessionConfig, SessionError, SessionMiddleware,
};
use futures_util::stream;
use serde::Deserialize;

/// The interval between events, after which a log-out in another tab is noticed.
const PERIOD: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
struct Login {
    name: String,
}

#[get("/")]
async fn index(session: Session) -> Html {
    Html::new(match session.user() {
        Some(_) => CLOCK,
        None => LOGIN,
    })
}

#[post("/login")]
async fn login(session: Session, Form(login): Form<Login>) -> Result<impl Responder, SessionError> {
    session.log_in(&login.name)?;
    Ok(Redirect::to("/").see_other())
}

#[post("/logout")]
async fn logout(session: Session) -> Result<impl Responder, SessionError> {
    session.log_out()?;
    Ok(Redirect::to("/").see_other())
}

#[get("/events")]
async fn events(session: Session) -> HttpResponse {
    // A body cannot set a cookie: the session must exist before the response.
    if session.user().is_none() {
        // Browsers do not reconnect after this status.
        return HttpResponse::NoContent().finish();
    }
    let events = stream::unfold(Some(session), async |session| {
        let session = session?;
        actix_web::rt::time::sleep(PERIOD).await;
        let (event, session) = match tick(&session).await {
            Ok(seconds) => (format!("data: {seconds}\n\n"), Some(session)),
            // Logged out in another tab, revoked by an operator, expired, or replaced by a new
            // log-in.
            Err(SessionError::Gone) => ("event: ended\ndata\n\n".to_owned(), None),
            // The browser reconnects.
            Err(error) => {
                eprintln!("{error}");
                return None;
            }
        };
        Some((Ok::<_, SessionError>(Bytes::from(event)), session))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(events)
}

/// Adds to the time that the tabs of this session were open.
async fn tick(session: &Session) -> Result<u64, SessionError> {
    session.update("seconds", |n: Option<u64>| {
        n.unwrap_or(0) + PERIOD.as_secs()
    })?;
    // Without a commit, the change is lost, because the head was sent long ago. A commit also
    // counts as an access to the session; if sessions must expire while a tab is open, call
    // `is_alive` here and write nothing.
    session.commit().await?;
    Ok(session.get("seconds")?.unwrap_or(0))
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service((index, login, logout, events));
}

pub(crate) fn sessions() -> Result<SessionMiddleware> {
    let store = ServerSide::new(MemoryStore::new());
    // Use `SessionConfig::default()` behind TLS.
    Ok(SessionMiddleware::with_config(
        store,
        SessionConfig::development(),
    )?)
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
    let sessions = sessions()?;
    let app = move || App::new().wrap(sessions.clone()).configure(routes);

    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let server = HttpServer::new(app).bind(format!("127.0.0.1:{port}"))?;
    println!("listening on http://{}", server.addrs()[0]);
    Ok(server.run().await?)
}

const LOGIN: &str = r#"<!doctype html>
<title>Live session</title>
<h1>Live session</h1>
<form method="post" action="/login">
  <input name="name" placeholder="Your name" required autofocus> <button>Log in</button>
</form>
"#;

const CLOCK: &str = r#"<!doctype html>
<title>Live session</title>
<h1>Live session</h1>
<p>Tabs of this session were open for <output id="seconds">…</output> seconds.</p>
<p id="state">connected</p>
<form method="post" action="/logout"><button>Log out</button></form>
<script>
  const [seconds, state] = ["seconds", "state"].map(id => document.getElementById(id));
  const events = new EventSource("/events");
  events.onmessage = event => seconds.textContent = event.data;
  events.addEventListener("ended", () => {
    events.close();
    state.innerHTML = 'the session has ended: <a href="/">log in again</a>';
  });
</script>
"#;
