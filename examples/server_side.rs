//! Server-side sessions: the cookie contains an id, and the data is in a store.
//!
//! `STORE_URL` selects the store:
//!
//! ```text
//! memory:                          this process
//! sqlite:FILE                      a file (default: carafe-sessions.db in the temporary directory)
//! redis://127.0.0.1/               Redis or Valkey
//! postgres://user@host/database    Postgres
//! mysql://user@host/database       MySQL or MariaDB
//! ```
//!
//! The URL may contain a password, so no message prints it.
//!
//! Processes with the same store share their sessions. The cookie's value is 43 random characters.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Context, Result, bail};
use axum::{Router, extract::State, http::StatusCode, response::Html, routing::get};
use carafe::{
    ErasedStore, MemoryStore, ServerSide, Session, SessionConfig, SessionError, SessionLayer,
    SessionManager, store::Selection,
};
use carafe_redis::RedisStore;
use carafe_sqlite::{SqliteOptions, SqliteStore};
use carafe_sqlx::{MySqlStore, PostgresStore};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Info {
    name: String,
    age: u8,
}

async fn store(url: &str) -> Result<Arc<dyn ErasedStore>> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    Ok(match scheme {
        "memory" => Arc::new(MemoryStore::new()),
        "sqlite" => Arc::new(SqliteStore::from_url(
            url,
            SqliteOptions::default().migrate(true),
        )?),
        "redis" | "rediss" => Arc::new(RedisStore::connect(url).await?),
        "postgres" | "postgresql" => {
            let store = PostgresStore::connect(url).await?;
            store.migrate().await?;
            Arc::new(store)
        }
        "mysql" => {
            let store = MySqlStore::connect(url).await?;
            store.migrate().await?;
            Arc::new(store)
        }
        // The URL is omitted: it may contain a password.
        _ => bail!(
            "no store has the scheme of STORE_URL; try memory:, sqlite:FILE, redis://, postgres:// or mysql://"
        ),
    })
}

async fn set_session(session: Session) -> Result<Html<&'static str>, SessionError> {
    session.log_in("xiaoming")?;
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
    println!(
        "{}",
        session
            .get::<String>("username")?
            .as_deref()
            .unwrap_or("None")
    );
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

async fn logout_everywhere(
    State(sessions): State<Arc<SessionManager>>,
    session: Session,
) -> Result<String, StatusCode> {
    let Some(user) = session.user() else {
        return Ok("nobody is logged in".to_owned());
    };
    let ended = sessions.end_sessions_of(&user, Selection::All).await;
    let ended = ended.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    session
        .log_out()
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(format!("{ended} sessions of {user} ended"))
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
    let in_the_temporary_directory = || {
        format!(
            "sqlite:{}",
            std::env::temp_dir().join("carafe-sessions.db").display()
        )
    };
    let url = std::env::var("STORE_URL").unwrap_or_else(|_| in_the_temporary_directory());
    let store = store(&url)
        .await
        .context("the store of STORE_URL cannot be used")?;
    let sessions =
        SessionLayer::with_config(ServerSide::shared(store), SessionConfig::development())?;
    let app = Router::new()
        .route("/set_session", get(set_session))
        .route("/get_session", get(get_session))
        .route("/del_session", get(del_session))
        .route("/logout_everywhere", get(logout_everywhere))
        .with_state(Arc::clone(sessions.manager()))
        .layer(sessions);

    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
