//! Carafe with actix-web.

use actix_web::{App, http::StatusCode, web::Path};
use carafe_actix::{
    ClientSide, MemoryStore, SecretKey, ServerSide, Session, SessionBackend, SessionConfig,
    SessionError, SessionMiddleware, Transport,
};

use super::{
    TOKEN,
    actix_alone::{Routes, Site, started, verdict},
};
use crate::content::{Login, SECRET};

type Answer = Result<(&'static str, StatusCode), SessionError>;

/// Returns a site with signed cookies and default rules.
pub(crate) fn signed() -> Site {
    site(ClientSide::signed(key()), SessionConfig::default())
}

/// Returns a site with encrypted cookies and default rules.
pub(crate) fn encrypted() -> Site {
    site(
        ClientSide::encrypted(key(), "bench"),
        SessionConfig::default(),
    )
}

/// Returns a site with Carafe's memory store and default rules, except that all browsers are one
/// user, whose sessions are not limited.
pub(crate) fn in_memory() -> Site {
    site(
        ServerSide::new(MemoryStore::new()).without_limit_per_user(),
        SessionConfig::default(),
    )
}

/// Returns a site with Carafe's memory store, and ids in `Authorization: Bearer`.
pub(crate) fn in_memory_by_bearer() -> Site {
    let config = SessionConfig::default().with_transports([Transport::bearer(TOKEN)]);
    let side = ServerSide::new(MemoryStore::new()).without_limit_per_user();
    site(side, config)
}

fn key() -> SecretKey {
    SecretKey::new(SECRET).expect("it is long enough")
}

fn site(side: impl Into<SessionBackend>, config: SessionConfig) -> Site {
    let sessions = SessionMiddleware::with_config(side, config);
    let routes = Routes {
        start,
        read,
        write,
        log_in,
    };
    started(
        App::new()
            .configure(|config| routes.add(config))
            .wrap(sessions.expect("browsers take the cookie")),
    )
}

async fn start(session: Session, browser: Path<(u32, usize)>) -> Answer {
    let Login { csrf, n, name, uid } = Login::of(browser.into_inner());
    session.insert("csrf", &csrf)?;
    session.insert("n", &n)?;
    session.insert("name", &name)?;
    session.insert("uid", &uid)?;
    Ok(("ok", StatusCode::OK))
}

async fn read(session: Session) -> Answer {
    Ok(verdict(session.get("uid")?))
}

async fn write(session: Session) -> Answer {
    let user = session.get("uid")?;
    let n: u64 = session.get("n")?.unwrap_or(0);
    session.insert("n", &(n + 1))?;
    Ok(verdict(user))
}

async fn log_in(session: Session) -> Answer {
    let user: Option<u64> = session.get("uid")?;
    session.log_in(&user.unwrap_or_default().to_string())?;
    Ok(verdict(user))
}
