//! actix-session with its defaults: the session in a cookie, signed or private (its default).

use actix_session::{
    Session, SessionGetError, SessionInsertError, SessionMiddleware, config::CookieContentSecurity,
    storage::CookieSessionStore,
};
use actix_web::{App, Error, cookie::Key, http::StatusCode, web::Path};

use super::actix_alone::{Routes, Site, started, verdict};
use crate::content::{Login, SECRET};

type Answer = Result<(&'static str, StatusCode), Error>;

/// Returns a site with signed cookies, which the browser can read, but not change.
pub(crate) fn signed() -> Site {
    site(CookieContentSecurity::Signed)
}

/// Returns a site with encrypted cookies.
pub(crate) fn private() -> Site {
    site(CookieContentSecurity::Private)
}

fn site(security: CookieContentSecurity) -> Site {
    let key = Key::derive_from(SECRET.as_bytes());
    let sessions = SessionMiddleware::builder(CookieSessionStore::default(), key);
    let sessions = sessions.cookie_content_security(security).build();
    let routes = Routes {
        start,
        read,
        write,
        log_in,
    };
    started(
        App::new()
            .configure(|config| routes.add(config))
            .wrap(sessions),
    )
}

async fn start(
    session: Session,
    browser: Path<(u32, usize)>,
) -> Result<&'static str, SessionInsertError> {
    let Login { csrf, n, name, uid } = Login::of(browser.into_inner());
    session.insert("csrf", csrf)?;
    session.insert("n", n)?;
    session.insert("name", name)?;
    session.insert("uid", uid)?;
    Ok("ok")
}

async fn read(session: Session) -> Result<(&'static str, StatusCode), SessionGetError> {
    Ok(verdict(session.get("uid")?))
}

async fn write(session: Session) -> Answer {
    let user = session.get("uid")?;
    let n: u64 = session.get("n")?.unwrap_or(0);
    session.insert("n", n + 1)?;
    Ok(verdict(user))
}

async fn log_in(session: Session) -> Answer {
    let user: Option<u64> = session.get("uid")?;
    session.renew();
    session.insert("user", user.unwrap_or_default().to_string())?;
    Ok(verdict(user))
}
