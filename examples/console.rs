//! The console inside an application, under its own path and behind the application's own log-in.
//!
//! ```text
//! cargo run --example console       then http://127.0.0.1:5000/, and log in as `admin`
//! ```
//!
//! This example has no passwords: an application checks them where the example reads the name.

use std::{process::ExitCode, sync::Arc};

use anyhow::Result;
use axum::{
    Form, Router,
    extract::Request,
    http::StatusCode,
    middleware::{Next, from_fn},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use carafe::{
    ErasedStore, MemoryStore, ServerSide, Session, SessionConfig, SessionError, SessionLayer,
};
use carafe_console::{ConsoleOptions, Operator};
use serde::Deserialize;

/// The users who may see the console.
const OPERATORS: [&str; 1] = ["admin"];

#[derive(Deserialize)]
struct Login {
    username: String,
}

/// Forwards the requests of operators. All other requests get a 404, as if there were no console.
async fn operators_only(session: Session, mut request: Request, next: Next) -> Response {
    let user = session.user().filter(|user| OPERATORS.contains(&&**user));
    let Some(user) = user else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // Bound to this log-in, so that forms of an earlier log-in are rejected.
    let login = session.public_id().map(|id| id.to_string());
    let operator = Operator::new(user).with_session(login.unwrap_or_default());
    request.extensions_mut().insert(operator);
    next.run(request).await
}

async fn index(session: Session) -> Html<&'static str> {
    match session.user() {
        None => Html(
            r#"<form method="post" action="/login"><input name="username"> <button>Log in</button></form>"#,
        ),
        Some(_) => {
            Html(r#"<p>Logged in. Operators see the <a href="/admin/sessions">sessions</a>.</p>"#)
        }
    }
}

async fn login(session: Session, Form(login): Form<Login>) -> Result<Redirect, SessionError> {
    session.log_in(&login.username)?;
    Ok(Redirect::to("/"))
}

async fn logout(session: Session) -> Result<Redirect, SessionError> {
    session.log_out()?;
    Ok(Redirect::to("/"))
}

fn application() -> Result<Router> {
    let store: Arc<dyn ErasedStore> = Arc::new(MemoryStore::new());
    let sessions = SessionLayer::with_config(
        ServerSide::shared(Arc::clone(&store)),
        SessionConfig::default(),
    )?;
    // [shown]
    let options = ConsoleOptions::new().with_log_out(post(logout));
    let console = carafe_console::router(store, options).layer(from_fn(operators_only));
    let app = Router::new()
        .route("/", get(index))
        .route("/login", post(login))
        .nest("/admin/sessions", console)
        .layer(sessions);
    // [/shown]
    Ok(app)
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
    Ok(axum::serve(listener, application()?).await?)
}
